"""What a kiosk shows, with a clock that the test moves."""

import itertools
import math

import pytest

from app.advice.verdict import State, Verdict
from app.kiosk.screens import Pace, Scene, Screens, Sight
from app.kiosk.sureness import Sureness
from app.stream.presence import Watching

EMPTY = Sight(Verdict(State.EMPTY), in_view=False, silence=0.03)
SOMETHING = Sight(Verdict(State.EMPTY), in_view=True, silence=0.03)
UNSURE = Sight(Verdict(State.UNSURE), in_view=True, silence=0.03)
NO_CAMERA = Sight(Verdict(State.EMPTY), in_view=False, silence=math.inf)
BLACK = Sight(Verdict(State.CAMERA_OFF), in_view=False, silence=0.03)
FAILING = Sight(Verdict(State.UNAVAILABLE), in_view=False, silence=0.03)


def item(label: str = "glass", confidence: float = 0.9) -> Sight:
    return Sight(Verdict(State.ITEM, label, confidence), in_view=True, silence=0.03)


class Kiosk:
    """A kiosk's screens at five looks a second; remembers every screen with when it came."""

    def __init__(self) -> None:
        self.now = 50.0
        self.screens = Screens(self.now, threshold=0.6)
        self.counted: list[str | None] = []
        self.history = [(self.now, self.screens.screen.scene, self.screens.screen.label)]

    def see(self, sight: Sight, seconds: float) -> Scene:
        for _ in range(round(seconds * 5)):
            self.now += 0.2
            screen = self.screens.update(sight, self.now)
            if counted := self.screens.to_count(self.now):
                self.counted.append(counted.label)
            if (screen.scene, screen.label) != self.history[-1][1:]:
                self.history.append((self.now, screen.scene, screen.label))
        return self.screens.screen.scene

    def scenes(self) -> list[Scene]:
        return [scene for _, scene, _ in self.history]


@pytest.fixture
def kiosk() -> Kiosk:
    return Kiosk()


def test_attract_looking_answer_thanks_attract(kiosk):
    kiosk.see(EMPTY, 5)
    kiosk.see(SOMETHING, 1)
    kiosk.see(item("glass"), 4)
    kiosk.see(EMPTY, 8)
    assert kiosk.scenes() == [
        Scene.STARTING, Scene.ATTRACT, Scene.LOOKING, Scene.ANSWER, Scene.THANKS, Scene.ATTRACT,
    ]  # fmt: skip
    assert kiosk.counted == ["glass"]


def test_thanks_remembers_what_for(kiosk):
    kiosk.see(item("metal"), 4)
    assert kiosk.see(EMPTY, 1) is Scene.THANKS
    assert kiosk.screens.screen.label == "metal"


def test_an_answer_stays_long_enough_to_be_read(kiosk):
    kiosk.see(EMPTY, 2)
    kiosk.see(item(), 0.4)
    kiosk.see(EMPTY, 10)
    shown = {scene: time for time, scene, _ in kiosk.history}
    assert shown[Scene.THANKS] - shown[Scene.ANSWER] >= Pace().answer - 0.01


def test_the_answer_follows_the_next_item(kiosk):
    kiosk.see(item("glass"), 3)
    kiosk.see(item("metal"), 3)
    assert kiosk.counted == ["glass", "metal"]
    assert (kiosk.screens.screen.scene, kiosk.screens.screen.label) == (Scene.ANSWER, "metal")


def test_the_confidence_moves_without_starting_anew(kiosk):
    kiosk.see(item("glass", 0.7), 3)
    since = kiosk.screens.screen.since
    kiosk.see(item("glass", 0.9), 3)
    assert kiosk.screens.screen.since == since
    assert kiosk.screens.screen.confidence == 0.9
    assert kiosk.counted == ["glass"]


def test_a_glimpse_is_not_counted():
    kiosk = Kiosk()
    kiosk.see(EMPTY, 2)
    kiosk.screens.update(item(), kiosk.now + 0.2)
    assert kiosk.screens.screen.scene is Scene.ANSWER
    assert kiosk.screens.to_count(kiosk.now + 0.3) is None


def test_something_unknown_is_unsure_then_general_waste_then_left_alone(kiosk):
    kiosk.see(EMPTY, 2)
    kiosk.see(SOMETHING, 60)
    assert kiosk.scenes()[1:] == [Scene.ATTRACT, Scene.LOOKING, Scene.UNSURE, Scene.GAVE_UP, Scene.ATTRACT]
    assert kiosk.see(EMPTY, 1) is Scene.ATTRACT
    assert kiosk.see(SOMETHING, 1) is Scene.LOOKING  # the next visitor
    assert kiosk.counted == []


def test_what_stays_still_is_background_before_it_gets_the_careful_answer():
    """Or a view that is empty again, but not as it was at the start, would be answered."""
    assert Watching().absorb < Pace().puzzled + Pace().careful


def test_an_item_that_is_not_sure_says_so_at_once_and_is_answered_when_turned(kiosk):
    kiosk.see(EMPTY, 2)
    assert kiosk.see(UNSURE, 1) is Scene.UNSURE
    assert kiosk.see(item(), 1) is Scene.ANSWER


def test_the_careful_answer_gives_way_to_a_better_one(kiosk):
    kiosk.see(UNSURE, 8)
    assert kiosk.screens.screen.scene is Scene.GAVE_UP
    assert kiosk.see(item(), 1) is Scene.ANSWER


def test_somebody_who_lingers_after_the_answer_is_not_a_puzzle(kiosk):
    kiosk.see(item(), 3)
    assert kiosk.see(SOMETHING, 30) is Scene.ATTRACT
    assert Scene.UNSURE not in kiosk.scenes()
    assert Scene.LOOKING not in kiosk.scenes()


def test_nothing_changes_more_than_twice_a_second(kiosk):
    sights = [EMPTY, item("glass"), SOMETHING, item("metal"), UNSURE, BLACK, FAILING]
    for number in range(300):
        kiosk.see(sights[number % len(sights)], 0.2)
    times = [time for time, _, _ in kiosk.history]
    assert len(times) > 20
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= Pace().shortest - 0.01


def test_a_camera_that_does_not_start_is_trouble_after_a_while(kiosk):
    assert kiosk.see(NO_CAMERA, Pace().starts - 1) is Scene.STARTING
    assert kiosk.see(NO_CAMERA, 2) is Scene.CAMERA
    assert kiosk.see(EMPTY, 1) is Scene.ATTRACT


@pytest.mark.parametrize(("sight", "scene"), [(BLACK, Scene.CAMERA), (FAILING, Scene.UNAVAILABLE)])
def test_trouble_is_shown_and_ends_by_itself(kiosk, sight, scene):
    kiosk.see(EMPTY, 2)
    assert kiosk.see(sight, 1) is scene
    assert kiosk.see(EMPTY, 1) is Scene.ATTRACT


def test_frames_that_stay_out_are_camera_trouble_even_after_an_answer(kiosk):
    kiosk.see(item(), 3)
    assert kiosk.see(Sight(Verdict(State.ITEM, "glass", 0.9), True, silence=5.0), 1) is Scene.CAMERA


def test_an_answer_below_the_threshold_falls_to_not_sure_after_a_moment(kiosk):
    """Seen: 48 % over the whole screen, for as long as the item was held up, with a threshold of 60 %."""
    kiosk.see(item("glass", 0.73), 3)
    assert kiosk.see(item("glass", 0.48), Pace().doubt - 0.2) is Scene.ANSWER
    assert kiosk.see(item("glass", 0.48), 0.6) is Scene.UNSURE
    assert kiosk.see(item("glass", 0.58), 3) is Scene.UNSURE  # once doubted, it has to reach the threshold again
    assert kiosk.see(item("glass", 0.62), 1) is Scene.ANSWER


def test_a_short_dip_below_the_threshold_changes_nothing(kiosk):
    kiosk.see(item("glass", 0.7), 3)
    for _ in range(5):
        kiosk.see(item("glass", 0.5), 1)
        kiosk.see(item("glass", 0.7), 1)
    assert kiosk.scenes() == [Scene.STARTING, Scene.ANSWER]


def test_a_doubtful_item_that_stays_gets_the_careful_answer_once(kiosk):
    kiosk.see(EMPTY, 2)
    kiosk.see(item("glass", 0.5), 60)
    assert kiosk.scenes()[1:] == [Scene.ATTRACT, Scene.UNSURE, Scene.GAVE_UP, Scene.ATTRACT]
    assert kiosk.counted == []


def test_the_words_for_a_flickering_confidence_stay(kiosk):
    """Seen: a figure between 73 and 51 %, five times a second."""
    kiosk.see(item("glass", 0.77), 1)
    words = set()
    for confidence in [0.73, 0.78, 0.71, 0.79] * 10:
        kiosk.see(item("glass", confidence), 0.2)
        words.add(kiosk.screens.screen.sureness)
    assert words == {Sureness.QUITE}


def test_only_an_answer_is_sure(kiosk):
    kiosk.see(item("glass", 0.95), 3)
    assert kiosk.screens.screen.sureness is Sureness.VERY
    kiosk.see(EMPTY, 1)
    assert kiosk.screens.screen.sureness is None

"""What a kiosk's screen shows, from what its camera sees. It is calm: nothing changes more than twice a second."""

from dataclasses import dataclass, replace
from enum import Enum

from app.advice.verdict import State, Verdict
from app.kiosk.sureness import Sureness, SurenessTracker


class Scene(Enum):
    """The screens of a kiosk. There is one more, "No connection", which the browser shows, as the server cannot."""

    STARTING = "starting"  # The camera has not sent a picture yet.
    ATTRACT = "attract"  # Nobody is there; the screen invites whoever passes.
    LOOKING = "looking"  # Something has come into view.
    ANSWER = "answer"  # Something is in view, and the model knows what.
    UNSURE = "unsure"  # Something is in view, but the model cannot tell what.
    GAVE_UP = "gave-up"  # It has been in view for so long that the careful answer is given: general waste.
    THANKS = "thanks"  # What had an answer is gone.
    CAMERA = "camera"  # The camera sends no pictures, or black ones.
    UNAVAILABLE = "unavailable"  # The classifier fails.


@dataclass(frozen=True)
class Sight:
    """What is known at one moment.

    Attributes:
        verdict: What the stream says.
        in_view: Whether something is held up, known or not.
        silence: Time since the last camera frame, in seconds; infinite before the first.
    """

    verdict: Verdict
    in_view: bool
    silence: float


@dataclass(frozen=True)
class Screen:
    """What to show.

    Attributes:
        scene: Which of the screens.
        label: The label of an ANSWER, or of the answer that THANKS follows; else None.
        confidence: The confidence in that label, 0 to 1; else 0.0.
        since: When this scene and label began, in seconds of the caller's clock.
        sureness: The range of confidence to put into words beside an ANSWER; else None.
    """

    scene: Scene
    label: str | None = None
    confidence: float = 0.0
    since: float = 0.0
    sureness: Sureness | None = None


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds.

    Attributes:
        shortest: How long any screen stays at least.
        answer: How long an answer stays at least, so that it can be read while the item is on its way into the bin.
        thanks: How long the thanks stay while nothing else happens, so that a sentence can be read.
        doubt: How long an answer stays on the screen while the confidence in it is below the threshold.
        counts: How long an answer has to stand to be counted.
        puzzled: How long something that the model does not know may be in view before the screen says that it is
            unsure.
        careful: How long it then stays unsure before it gives the careful answer.
        stays: How long the careful answer stays while nothing else happens.
        starts: How long a camera may take to start.
        silent: How long a camera may send no frame.
    """

    shortest: float = 0.5
    answer: float = 2.0
    thanks: float = 5.0
    doubt: float = 2.0
    counts: float = 1.0
    puzzled: float = 5.0
    careful: float = 5.0
    stays: float = 8.0
    starts: float = 15.0
    silent: float = 3.0


class Screens:
    """Chooses the screen of one kiosk. Not thread-safe: only its page calls it.

    Attributes:
        pace: How long things take.
        screen: What to show now.
    """

    def __init__(self, now: float, threshold: float, pace: Pace | None = None) -> None:
        """Begin with a camera that starts.

        Args:
            now: The time in seconds of the caller's clock. Here and in later calls, it never goes back.
            threshold: The confidence from which there is an answer, 0 to 1.
            pace: How long things take.
        """
        self.pace = pace or Pace()
        self._threshold = threshold
        self._trusted_at = now  # when the confidence in an item last reached the threshold
        self._sureness = SurenessTracker()
        self.screen = Screen(Scene.STARTING, since=now)
        self._spent: set[State] = set()  # states that bring no new answer, as what is still in view has had its answer
        self._counted = False  # whether `to_count` has given the answer on the screen

    def update(self, sight: Sight, now: float) -> Screen:
        """Take what is seen at `now` into account; return what to show."""
        state = self._believed(sight.verdict, now)
        if not sight.in_view or state is State.ITEM:
            self._spent = set()
        wanted = self._wanted(sight, state, now)
        old = self.screen
        if (wanted.scene, wanted.label) == (old.scene, old.label):
            self.screen = replace(wanted, since=old.since)
        elif now - old.since >= self._least(wanted):
            if old.scene is Scene.ANSWER:
                self._spent = {State.EMPTY}  # Whoever lingers with empty hands is no puzzle.
            elif old.scene is Scene.GAVE_UP:
                self._spent = {State.EMPTY, State.UNSURE}
            self.screen = replace(wanted, since=now)
            self._counted = False
        if self.screen.scene is Scene.ANSWER:
            sureness = self._sureness.update(self.screen.label, self.screen.confidence, now)
            self.screen = replace(self.screen, sureness=sureness)
        else:
            self._sureness = SurenessTracker()
        return self.screen

    def to_count(self, now: float) -> Screen | None:
        """The answer on the screen if it has just stood for long enough to be counted, else None. Each comes once."""
        if self.screen.scene is not Scene.ANSWER or self._counted or now - self.screen.since < self.pace.counts:
            return None
        self._counted = True
        return self.screen

    def _least(self, wanted: Screen) -> float:
        """How long the present screen stays at least before the wanted one may follow, in seconds."""
        if self.screen.scene is Scene.ANSWER and wanted.scene is not Scene.ANSWER:
            return self.pace.answer
        if self.screen.scene is Scene.THANKS and wanted.scene is Scene.ATTRACT:
            return self.pace.thanks
        return self.pace.shortest

    def _believed(self, verdict: Verdict, now: float) -> State:
        """The state of a verdict, where an item is UNSURE if the confidence in it has been too low for too long.

        A verdict holds on to its label well below the threshold, so that the video does not flicker. A whole screen
        that says which bin to use must not.
        """
        if verdict.state is not State.ITEM:
            return verdict.state
        if verdict.confidence >= self._threshold:
            self._trusted_at = now
            return State.ITEM
        shown = self.screen.scene is Scene.ANSWER and self.screen.label == verdict.label
        return State.ITEM if shown and now - self._trusted_at < self.pace.doubt else State.UNSURE

    def _wanted(self, sight: Sight, state: State, now: float) -> Screen:
        """What should be on the screen, if the present one did not have to stay for a while.

        Args:
            sight: What is seen.
            state: From `_believed`.
            now: The time in seconds of the caller's clock.
        """
        scene, lasted = self.screen.scene, now - self.screen.since
        if sight.silence > self.pace.silent:
            starting = scene is Scene.STARTING and lasted < self.pace.starts
            return Screen(Scene.STARTING if starting else Scene.CAMERA)
        if state is State.CAMERA_OFF:
            return Screen(Scene.CAMERA)
        if state is State.UNAVAILABLE:
            return Screen(Scene.UNAVAILABLE)
        if state is State.ITEM:
            return Screen(Scene.ANSWER, sight.verdict.label, sight.verdict.confidence)
        unseen = not sight.in_view or state in self._spent
        if scene is Scene.ANSWER and (unseen or state is State.EMPTY):
            return Screen(Scene.THANKS, self.screen.label, self.screen.confidence)
        if scene is Scene.THANKS and unseen:
            return Screen(Scene.ATTRACT) if lasted >= self.pace.thanks else self.screen
        if unseen:
            return Screen(Scene.ATTRACT)
        return Screen(self._puzzled(state, lasted))

    def _puzzled(self, state: State, lasted: float) -> Scene:
        """The scene for something in view whose label cannot be trusted."""
        scene = self.screen.scene
        if scene is Scene.GAVE_UP:
            return Scene.ATTRACT if lasted >= self.pace.stays else Scene.GAVE_UP
        if scene is Scene.UNSURE:
            return Scene.GAVE_UP if lasted >= self.pace.careful else Scene.UNSURE
        unsure = state is State.UNSURE or (scene is Scene.LOOKING and lasted >= self.pace.puzzled)
        return Scene.UNSURE if unsure else Scene.LOOKING

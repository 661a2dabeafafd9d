"""What a kiosk's screen shows, from what its camera sees. Calm: nothing changes more than twice a second."""

from dataclasses import dataclass, replace
from enum import Enum

from app.advice.verdict import State, Verdict


class Scene(Enum):
    """The screens of a kiosk. `No connection` is the browser's own: the server cannot show it."""

    STARTING = "starting"
    ATTRACT = "attract"  # nobody is there
    LOOKING = "looking"  # something has come into view
    ANSWER = "answer"
    UNSURE = "unsure"  # something is there, but what?
    GAVE_UP = "gave-up"  # the careful answer: general waste
    THANKS = "thanks"
    CAMERA = "camera"  # no pictures, or black ones
    UNAVAILABLE = "unavailable"  # the classifier fails


@dataclass(frozen=True)
class Sight:
    """What is known at one moment.

    verdict: of the stream. in_view: whether something is held up, known or not.
    silence: seconds since the last camera frame; infinite before the first.
    """

    verdict: Verdict
    in_view: bool
    silence: float


@dataclass(frozen=True)
class Screen:
    """What to show.

    label, confidence: of an ANSWER, and of what THANKS is for; confidence 0 to 1.
    since: when this scene and label began, in seconds.
    """

    scene: Scene
    label: str | None = None
    confidence: float = 0.0
    since: float = 0.0


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds.

    shortest: any screen stays at least; answer: an answer does, so that it can be read while the item is on its way
    into the bin. thanks: how long it thanks. counts: an answer that stood this long is counted.
    puzzled: how long something may be in view that the model does not know, until it is called unsure; careful: until
    then the careful answer comes; stays: how long that one stays while nothing else happens.
    starts: how long a camera may take to start. silent: how long frames may stay out.
    """

    shortest: float = 0.5
    answer: float = 2.0
    thanks: float = 2.5
    counts: float = 1.0
    puzzled: float = 5.0
    careful: float = 5.0
    stays: float = 8.0
    starts: float = 15.0
    silent: float = 3.0


class Screens:
    """One kiosk's screen. Not thread-safe: its page calls it."""

    def __init__(self, now: float, pace: Pace | None = None) -> None:
        """now: seconds of the caller's clock, here and in `update` never going back."""
        self.pace = pace or Pace()
        self.screen = Screen(Scene.STARTING, since=now)
        self._spent: set[State] = set()  # what is still in view has had its answer; in these states it gets no other
        self._counted = False

    def update(self, sight: Sight, now: float) -> Screen:
        """Take what is seen now into account; return what to show."""
        if not sight.in_view or sight.verdict.state is State.ITEM:
            self._spent = set()
        wanted = self._wanted(sight, now)
        old = self.screen
        if (wanted.scene, wanted.label) == (old.scene, old.label):
            self.screen = replace(wanted, since=old.since)
        elif now - old.since >= self._least(wanted):
            if old.scene is Scene.ANSWER:
                self._spent = {State.EMPTY}  # somebody who lingers with empty hands is not a puzzle
            elif old.scene is Scene.GAVE_UP:
                self._spent = {State.EMPTY, State.UNSURE}
            self.screen = replace(wanted, since=now)
            self._counted = False
        return self.screen

    def to_count(self, now: float) -> Screen | None:
        """An answer that has stood for long enough to be counted; each is given once."""
        if self.screen.scene is not Scene.ANSWER or self._counted or now - self.screen.since < self.pace.counts:
            return None
        self._counted = True
        return self.screen

    def _least(self, wanted: Screen) -> float:
        """How long the screen of now stays before the wanted one may follow."""
        if self.screen.scene is Scene.ANSWER and wanted.scene is not Scene.ANSWER:
            return self.pace.answer
        if self.screen.scene is Scene.THANKS and wanted.scene is Scene.ATTRACT:
            return self.pace.thanks
        return self.pace.shortest

    def _wanted(self, sight: Sight, now: float) -> Screen:
        scene, lasted = self.screen.scene, now - self.screen.since
        state = sight.verdict.state
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
        """Something is in view and no label is trusted."""
        scene = self.screen.scene
        if scene is Scene.GAVE_UP:
            return Scene.ATTRACT if lasted >= self.pace.stays else Scene.GAVE_UP
        if scene is Scene.UNSURE:
            return Scene.GAVE_UP if lasted >= self.pace.careful else Scene.UNSURE
        unsure = state is State.UNSURE or (scene is Scene.LOOKING and lasted >= self.pace.puzzled)
        return Scene.UNSURE if unsure else Scene.LOOKING

"""A verdict in words: the same ones on the video and on the page."""

from dataclasses import dataclass

from app.bins import Bin, Rules
from app.stream.verdict import State, Verdict

NEUTRAL = "#3A4048"


@dataclass(frozen=True)
class Caption:
    """What to write for a verdict.

    title, detail: one short line each; detail may be empty.
    icon: a name in `app.icons.ICONS`. color: of the label, or neutral, #RRGGBB.
    percent: confidence of an item in whole percent, else None.
    bin: where it goes, if that is known.
    """

    title: str
    detail: str
    icon: str
    color: str = NEUTRAL
    percent: int | None = None
    bin: Bin | None = None


def caption(verdict: Verdict, rules: Rules) -> Caption:
    """Put a verdict into words."""
    if verdict.state is State.ITEM and verdict.label is not None:
        category = rules.category(verdict.label)
        percent = min(99, round(100 * verdict.confidence))  # nothing a camera sees is certain
        return Caption(category.name, category.advice, category.icon, category.color, percent, category.bin)
    if verdict.state is State.UNSURE:
        if verdict.gave_up:
            return Caption("Still not sure", "When in doubt, use this bin.", "question", bin=rules.default_bin)
        return Caption("Not sure", "Turn it, or come closer.", "question")
    if verdict.state is State.CAMERA_OFF:
        return Caption("Camera is off", "The picture is black.", "camera-off")
    if verdict.state is State.UNAVAILABLE:
        return Caption("Classifier unavailable", "The video goes on; trying again.", "question")
    return Caption("Hold an item up", "Close up, inside the marked square.", "frame")

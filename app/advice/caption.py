"""A verdict in words: the same ones on the video, on the pages and in the kiosk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.advice.bins import Bin, Rules
from app.advice.languages import Language, english
from app.advice.verdict import State, Verdict

NEUTRAL = "#3A4048"  # of what is not an item's answer


@dataclass(frozen=True)
class Caption:
    """What to write for a verdict.

    Attributes:
        title: One short line.
        detail: One more; may be empty.
        icon: A name in `app.look.icons.ICONS`.
        color: Of the label, or neutral, #RRGGBB.
        percent: The confidence in an item in whole percent, else None.
        bins: Where it goes, if that is known; of several, one of them.
        words: The language of title and detail, for the words around the bins.
    """

    title: str
    detail: str
    icon: str
    color: str = NEUTRAL
    percent: int | None = None
    bins: tuple[Bin, ...] = ()
    words: Language = field(default_factory=english)

    @property
    def sure(self) -> str:
        """The percentage as the language writes it: "62%"; empty where there is none."""
        return "" if self.percent is None else self.words.percent(self.percent / 100)

    @property
    def goes_into(self) -> str:
        """The bins in one line: "Goes into: Glass or Back to the shop"; empty where there are none."""
        return self.words("caption_goes_into", bins=_names(self.bins, self.words)) if self.bins else ""

    @property
    def spoken(self) -> str:
        """The answer for a screen reader, or to be said aloud: without the percentage, which changes all the time."""
        return spoken(self.title, self.bins, self.words)


def _names(bins: Iterable[Bin], words: Language) -> str:
    return words("spoken_list_or").join(bin.name for bin in bins)


def spoken(item: str, bins: Sequence[Bin], words: Language) -> str:
    """What is said of an item, and where it goes if that is known."""
    return words("spoken_item", item=item, bins=_names(bins, words)) if bins else f"{item}."


def whole_percent(confidence: float) -> int:
    """A confidence from 0 to 1 as it is shown: at most 99, as nothing that a camera sees is certain."""
    return min(99, round(100 * confidence))


def caption(verdict: Verdict, rules: Rules) -> Caption:
    """Put a verdict into the words of the rules' language.

    Raises:
        KeyError: The rules were not made for the verdict's label.
    """
    words = rules.words
    if verdict.state is State.ITEM and verdict.label is not None:
        category = rules.category(verdict.label)
        percent = whole_percent(verdict.confidence)
        return Caption(category.name, category.advice, category.icon, category.color, percent, category.bins, words)
    bins = (rules.default_bin,) if verdict.state is State.UNSURE and verdict.gave_up else ()
    if verdict.state is State.UNSURE:
        key, icon = "gave_up" if verdict.gave_up else "unsure", "question"
    elif verdict.state is State.CAMERA_OFF:
        key, icon = "camera_off", "camera-off"
    elif verdict.state is State.CAMERA_FROZEN:
        key, icon = "camera_frozen", "camera-off"
    elif verdict.state is State.UNAVAILABLE:
        key, icon = "unavailable", "question"
    else:
        key, icon = "empty", "frame"
    return Caption(words(f"caption_{key}_title"), words(f"caption_{key}_detail"), icon, bins=bins, words=words)

"""A verdict in words: the same ones on the video and on the page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.advice.bins import Bin, Rules
from app.advice.languages import ENGLISH, Language, languages
from app.advice.verdict import State, Verdict

NEUTRAL = "#3A4048"


def _english() -> Language:
    return languages()[ENGLISH]


@dataclass(frozen=True)
class Caption:
    """What to write for a verdict.

    title, detail: one short line each; detail may be empty.
    icon: a name in `app.look.icons.ICONS`. color: of the label, or neutral, #RRGGBB.
    percent: confidence of an item in whole percent, else None.
    bins: where it goes, if that is known; of several, one of them.
    language: of title and detail, and for the words around the bins.
    """

    title: str
    detail: str
    icon: str
    color: str = NEUTRAL
    percent: int | None = None
    bins: tuple[Bin, ...] = ()
    language: Language = field(default_factory=_english)

    @property
    def bin_names(self) -> str:
        """The bins in one line: "Glass or Back to the shop"; empty if there are none."""
        return _bin_names(self.bins, self.language)


def _bin_names(bins: Iterable[Bin], words: Language) -> str:
    return words("spoken_list_or").join(bin.name for bin in bins)


def spoken(item: str, bins: Sequence[Bin], words: Language) -> str:
    """What is said of an item, and where it goes if that is known."""
    return words("spoken_item", item=item, bins=_bin_names(bins, words)) if bins else f"{item}."


def whole_percent(confidence: float) -> int:
    """A confidence of 0 to 1 as it is shown: at most 99, as nothing that a camera sees is certain."""
    return min(99, round(100 * confidence))


def caption(verdict: Verdict, rules: Rules, language: Language | None = None) -> Caption:
    """Put a verdict into words, in English if not told otherwise. The rules are to be in the same language."""
    words = language or _english()
    if verdict.state is State.ITEM and verdict.label is not None:
        category = rules.category(verdict.label)
        percent = whole_percent(verdict.confidence)
        return Caption(
            category.name, category.advice, category.icon, category.color, percent, category.bins, language=words
        )
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
    return Caption(words(f"caption_{key}_title"), words(f"caption_{key}_detail"), icon, bins=bins, language=words)

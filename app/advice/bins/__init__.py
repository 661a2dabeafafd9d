"""Local rules: which label goes in which bins, their colours, icons and words. Read from a TOML file."""

import functools
import logging
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from app.advice.languages import ENGLISH, Language, english
from app.look.icons import ICONS

log = logging.getLogger(__name__)

DEFAULT_FILE = Path(__file__).parent / "default.toml"

# For labels that the rules do not name: told apart from each other, and from the six of TrashNet by the tag icon.
SPARE_COLORS = ("#0F7C8C", "#B3446C", "#5A7D1F", "#8A4FBF", "#C2571A", "#3D6BB3", "#8C6D1F", "#A33B3B")

FILE_KEYS = ("default", "bins", "labels")
BIN_KEYS = ("name", "color", "icon", "hint", "position")
LABEL_KEYS = ("name", "color", "icon", "advice", "bin", "bins")
# Where a bin stands, for whoever looks at the screen beside it, and how far an arrow that points up is turned clockwise
# to point there, in degrees
POSITIONS = {
    "above": 0,
    "above-right": 45,
    "right": 90,
    "below-right": 135,
    "below": 180,
    "below-left": 225,
    "left": 270,
    "above-left": 315,
}
LANGUAGE_TAG = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"  # BCP 47, as far as anyone needs it here

T = TypeVar("T")


class RulesError(ValueError):
    """A rules file cannot be used. The message names the file, the key, and what is allowed."""


@dataclass(frozen=True)
class Bin:
    """A place to put things: a bin, or the shop that takes them back.

    Attributes:
        key: The name of its table in the file, the same in all languages.
        name: What it is called.
        color: #RRGGBB.
        icon: A name in `app.look.icons.ICONS`.
        hint: Which of the things go there, where several bins share an answer ("clear glass"); may be empty.
        position: Where it stands beside the screen, one of `POSITIONS`; empty where the rules do not say.
    """

    key: str
    name: str
    color: str
    icon: str = "bin"
    hint: str = ""
    position: str = ""


@dataclass(frozen=True)
class Category:
    """What to show and say for one label.

    Attributes:
        label: The classifier's own name for the class.
        name: What the class is called.
        color: #RRGGBB.
        icon: A name in `app.look.icons.ICONS`.
        advice: One line on how to hand it in; may be empty.
        bins: Where it goes: one bin, or several between which their hints choose; empty where there is no rule.
    """

    label: str
    name: str
    color: str
    icon: str
    advice: str
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Rules:
    """The rules in force, in one language.

    Attributes:
        categories: What to show, by label, in the classifier's order.
        default_bin: The bin for what cannot be recognised.
        words: The language that the names, hints and advice are in, for all other words beside them.
    """

    categories: dict[str, Category]
    default_bin: Bin
    words: Language = field(default_factory=english)

    def category(self, label: str) -> Category:
        """What to show for a label of the classifier.

        Raises:
            KeyError: `load_rules` was not given this label.
        """
        return self.categories[label]


def rules_files() -> dict[str, Path]:
    """The shipped rules files by name, "default" first."""
    others = sorted(path for path in DEFAULT_FILE.parent.glob("*.toml") if path != DEFAULT_FILE)
    return {path.stem: path for path in (DEFAULT_FILE, *others)}


def load_rules(labels: Iterable[str], path: Path | None = None, words: Language | None = None) -> Rules:
    """Read a rules file for a classifier's labels.

    A label that the file does not name gets a colour of its own and no bin: nothing is said rather than something
    wrong. A text that neither the file nor the language's own file has comes in English, else in the first language
    that the file has, and the log says so once.

    Args:
        labels: The classifier's labels.
        path: The rules file; None for the default one.
        words: The language of the texts; None for English.

    Raises:
        RulesError: The file cannot be read, or something in it is wrong.
    """
    words = words or english()
    file = _File(path or DEFAULT_FILE, words)
    raw = file.read()
    file.check_keys("", raw, FILE_KEYS)
    bins = {key: file.bin(key, table) for key, table in file.tables("bins", raw).items()}
    named = {label: file.category(label, table, bins) for label, table in file.tables("labels", raw).items()}
    labels = tuple(labels)
    spare = [label for label in labels if label not in named]
    colors = {label: SPARE_COLORS[number % len(SPARE_COLORS)] for number, label in enumerate(spare)}
    categories = {
        label: named.get(label) or Category(label, file.label_name(label), colors[label], "tag", "", ())
        for label in labels
    }
    if file.borrowed:
        _log_once(file.path, words.code, tuple(sorted(set(file.borrowed))))
    return Rules(categories, file.choice("default", raw.get("default"), bins), words)


@functools.cache
def _log_once(path: Path, code: str, borrowed: tuple[str, ...]) -> None:
    log.warning("%s: has no texts in %s; they are shown in %s", path, code, ", ".join(borrowed))


def display_name(label: str) -> str:
    """A class folder's name as people write it: "drink_cartons" -> "Drink cartons"."""
    words = label.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


@dataclass(frozen=True)
class _File:
    """Takes a rules file apart; each error names the file and the key."""

    path: Path
    words: Language
    borrowed: list[str] = field(default_factory=list)  # languages in which texts are shown that lack the wanted one

    def read(self) -> dict[str, Any]:
        try:
            with self.path.open("rb") as stream:
                return tomllib.load(stream)
        except OSError as error:
            raise RulesError(f"{self.path}: cannot be read ({error.strerror})") from error
        except ValueError as error:  # tomllib's error, or bytes that are not UTF-8
            raise RulesError(f"{self.path}: is not valid TOML ({error})") from error

    def bin(self, name: str, table: dict[str, Any]) -> Bin:
        key = f"bins.{name}"
        self.check_keys(key, table, BIN_KEYS)
        return Bin(
            key=name,
            name=self.text(f"{key}.name", table.get("name")),
            color=self.color(f"{key}.color", table.get("color")),
            icon=self.icon(f"{key}.icon", table.get("icon", "bin")),
            hint=self.text(f"{key}.hint", table.get("hint", ""), empty=True),
            position=self.position(f"{key}.position", table["position"]) if "position" in table else "",
        )

    def label_name(self, label: str) -> str:
        return self.words.labels.get(label) or display_name(label)

    def category(self, label: str, table: dict[str, Any], bins: dict[str, Bin]) -> Category:
        key = f"labels.{label}"
        self.check_keys(key, table, LABEL_KEYS)
        return Category(
            label=label,
            name=self.text(f"{key}.name", table.get("name", self.label_name(label))),
            color=self.color(f"{key}.color", table.get("color")),
            icon=self.icon(f"{key}.icon", table.get("icon", "tag")),
            advice=self.text(f"{key}.advice", table.get("advice", ""), empty=True),
            bins=self.bins(key, table, bins),
        )

    def bins(self, key: str, table: dict[str, Any], bins: dict[str, Bin]) -> tuple[Bin, ...]:
        if "bins" not in table:
            return (self.choice(f"{key}.bin", table.get("bin"), bins),)
        value = table["bins"]
        if "bin" in table:
            raise RulesError(f"{self.path}: {key} must have either bin or bins; got both")
        if not isinstance(value, list) or not value:
            raise RulesError(f"{self.path}: {key}.bins must be a list of some of {', '.join(bins)}; got {value!r}")
        chosen = tuple(self.choice(f"each of {key}.bins", name, bins) for name in value)
        if len(set(value)) < len(value):
            raise RulesError(f"{self.path}: {key}.bins must name each bin once; got {value!r}")
        return chosen

    def tables(self, key: str, raw: dict[str, Any]) -> dict[str, dict[str, Any]]:
        tables = raw.get(key)
        if not isinstance(tables, dict) or not tables or not all(isinstance(t, dict) for t in tables.values()):
            raise RulesError(f"{self.path}: needs one or more tables [{key}.NAME]; got {tables!r}")
        return tables

    def check_keys(self, key: str, table: dict[str, Any], allowed: tuple[str, ...]) -> None:
        for name in table:
            if name not in allowed:
                where = f"{key}.{name}" if key else name
                raise RulesError(f"{self.path}: {where} is not a key; allowed are {', '.join(allowed)}")

    def choice(self, key: str, value: object, allowed: Mapping[str, T]) -> T:
        if not isinstance(value, str) or value not in allowed:
            raise RulesError(f"{self.path}: {key} must be one of {', '.join(allowed)}; got {value!r}")
        return allowed[value]

    def icon(self, key: str, value: object) -> str:
        return self.choice(key, value, {name: name for name in ICONS})

    def position(self, key: str, value: object) -> str:
        return self.choice(key, value, {name: name for name in POSITIONS})

    def text(self, key: str, value: object, empty: bool = False) -> str:
        texts = value if isinstance(value, dict) else {"": value}
        for tag, text in texts.items():
            where = f"{key}.{tag}" if tag else key
            if tag and not re.fullmatch(LANGUAGE_TAG, tag):
                raise RulesError(f"{self.path}: {where} must be a language code like en or de instead of {tag!r}")
            if not isinstance(text, str) or not (text.strip() or empty):
                wanted = "a text" if tag else "a text, or texts by language like { en = ..., de = ... }"
                raise RulesError(f"{self.path}: {where} must be {wanted}; got {text!r}")
        if not texts:
            raise RulesError(f"{self.path}: {key} must be a text in one language or more; got {value!r}")
        own = self.words.rules.get(f"{self.path.stem}.{key}")  # a shipped file's text in a language that came later
        if own is not None and self.words.code not in texts:
            return own
        chosen = next((tag for tag in (self.words.code, ENGLISH) if tag in texts), next(iter(texts)))
        if chosen not in ("", self.words.code):  # a text for all languages has no tag
            self.borrowed.append(chosen)
        return str(texts[chosen])

    def color(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"#[0-9A-Fa-f]{6}", value):
            raise RulesError(f"{self.path}: {key} must be a colour like #1D5FBF; got {value!r}")
        return value

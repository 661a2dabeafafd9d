"""Local rules: which label goes in which bin, its colour, icon and words. Read from a TOML file."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from app.icons import ICONS

DEFAULT_FILE = Path(__file__).parent / "default.toml"

# For labels that the rules do not name: told apart from each other, and from the six of TrashNet by the tag icon.
SPARE_COLORS = ("#0F7C8C", "#B3446C", "#5A7D1F", "#8A4FBF", "#C2571A", "#3D6BB3", "#8C6D1F", "#A33B3B")


T = TypeVar("T")


class RulesError(ValueError):
    """A rules file cannot be used. The message names the file, the key, and what is allowed."""


@dataclass(frozen=True)
class Bin:
    """A bin to throw things into. color: #RRGGBB."""

    name: str
    color: str


@dataclass(frozen=True)
class Category:
    """What to show and say for one label. bin is None where the rules say nothing about the label."""

    label: str
    name: str
    color: str
    icon: str
    advice: str
    bin: Bin | None


@dataclass(frozen=True)
class Rules:
    """The rules in force. default_bin: for what cannot be recognised."""

    categories: dict[str, Category]
    default_bin: Bin

    def category(self, label: str) -> Category:
        """What to show for a label of the classifier. Raises KeyError for a label that `load_rules` was not given."""
        return self.categories[label]


def load_rules(labels: Iterable[str], path: Path | None = None) -> Rules:
    """Read a rules file, the default one if None, for a classifier's labels.

    Labels that the file does not name get a colour of their own and no bin: nothing is said rather than something
    wrong. Raises RulesError.
    """
    file = path or DEFAULT_FILE
    try:
        with file.open("rb") as stream:
            raw = tomllib.load(stream)
    except OSError as error:
        raise RulesError(f"{file}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # tomllib's error, or bytes that are not UTF-8
        raise RulesError(f"{file}: is not valid TOML ({error})") from error

    bins = {
        key: Bin(_text(file, f"bins.{key}.name", table.get("name")), _color(file, f"bins.{key}.color", table))
        for key, table in _tables(file, "bins", raw).items()
    }
    named = _tables(file, "labels", raw)
    spare = [label for label in labels if label not in named]
    categories = {}
    for label in labels:
        if label in named:
            categories[label] = _category(file, label, named[label], bins)
        else:
            color = SPARE_COLORS[spare.index(label) % len(SPARE_COLORS)]
            categories[label] = Category(label, display_name(label), color, "tag", "", None)
    return Rules(categories, _choice(file, "default", raw.get("default"), bins))


def display_name(label: str) -> str:
    """A class folder's name as people write it: "drink_cartons" -> "Drink cartons"."""
    words = label.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _category(file: Path, label: str, table: dict[str, Any], bins: dict[str, Bin]) -> Category:
    key = f"labels.{label}"
    return Category(
        label=label,
        name=_text(file, f"{key}.name", table.get("name", display_name(label))),
        color=_color(file, f"{key}.color", table),
        icon=_choice(file, f"{key}.icon", table.get("icon", "tag"), {name: name for name in ICONS}),
        advice=_text(file, f"{key}.advice", table.get("advice", ""), empty=True),
        bin=_choice(file, f"{key}.bin", table.get("bin"), bins),
    )


def _tables(file: Path, key: str, raw: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tables = raw.get(key)
    if not isinstance(tables, dict) or not tables or not all(isinstance(t, dict) for t in tables.values()):
        raise RulesError(f"{file}: needs one or more tables [{key}.NAME]; got {tables!r}")
    return tables


def _choice(file: Path, key: str, value: object, allowed: dict[str, T]) -> T:
    if not isinstance(value, str) or value not in allowed:
        raise RulesError(f"{file}: {key} must be one of {', '.join(allowed)}; got {value!r}")
    return allowed[value]


def _text(file: Path, key: str, value: object, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value.strip() or empty):
        raise RulesError(f"{file}: {key} must be a text; got {value!r}")
    return value


def _color(file: Path, key: str, table: dict[str, Any]) -> str:
    value = table.get("color")
    if not isinstance(value, str) or not re.fullmatch(r"#[0-9A-Fa-f]{6}", value):
        raise RulesError(f"{file}: {key} must be a colour like #1D5FBF; got {value!r}")
    return value

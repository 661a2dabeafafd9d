"""The words of the pages, the video and the kiosk: one TOML file for each language, found in this folder by itself."""

import functools
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal, format_percent

FOLDER = Path(__file__).parent
ENGLISH = "en"  # the language whose file says which keys there are
TABLES = ("labels", "rules", "facts")  # every other key of a file is a text


class LanguageError(ValueError):
    """A language file cannot be used. The message names the file, the key, and what is wrong with it."""


@dataclass(frozen=True)
class Fact:
    """Something worth knowing about what a class is made of.

    Attributes:
        text: One sentence.
        source: Who says so.
    """

    text: str
    source: str


@dataclass(frozen=True)
class Language:
    """The words of one language, and how it writes numbers and dates. Call it with a key to get its words.

    Attributes:
        code: Its BCP 47 tag, which is the name of its file, such as "de".
        name: Its name in itself, such as "Deutsch".
        words: Texts by key, perhaps with {placeholders}.
        labels: Names of the classes of the shipped model, by label.
        rules: Texts for the shipped rules files that do not have this language, by "FILE.bins.KEY.name" and the like.
        facts: About the classes of the shipped model, by label.
    """

    code: str
    name: str
    words: Mapping[str, str] = field(repr=False)
    labels: Mapping[str, str] = field(repr=False)
    rules: Mapping[str, str] = field(default_factory=dict, repr=False)
    facts: Mapping[str, Fact] = field(default_factory=dict, repr=False)

    def __call__(self, key: str, **values: object) -> str:
        """The words for a key, with its placeholders filled in.

        Raises:
            KeyError: The key is unknown, or a placeholder has no value.
        """
        return self.words[key].format(**values)

    def percent(self, share: float) -> str:
        """A share from 0 to 1 in whole percent, in this language's way: "62%" or "62 %"."""
        return format_percent(round(share, 2), locale=_locale(self.code))

    def number(self, value: float) -> str:
        """A number with this language's separators: "12,345", "12.345"."""
        return format_decimal(value, locale=_locale(self.code))

    def day(self, day: date) -> str:
        """A day and its month, short: "29 Mar" or "29. März"."""
        return format_skeleton("MMMd", day, locale=_locale(self.code))

    def month(self, day: date) -> str:
        """The month of a day with its year: "Mar 2026"."""
        return format_skeleton("yMMM", day, locale=_locale(self.code))

    def date(self, day: date) -> str:
        """A whole date: "29 Mar 2026"."""
        return format_date(day, "medium", locale=_locale(self.code))


@functools.cache
def _locale(code: str) -> Locale:
    """How a language writes numbers and dates (Unicode CLDR); English where CLDR does not know the language."""
    try:
        return Locale.parse({"en": "en-GB"}.get(code, code), sep="-")  # our English is British
    except (UnknownLocaleError, ValueError):
        return Locale.parse(ENGLISH)


@functools.cache
def languages() -> dict[str, Language]:
    """The languages in this folder by code, English first.

    Raises:
        LanguageError: A file cannot be used.
    """
    return load_languages(FOLDER)


def english() -> Language:
    """The language that every text has."""
    return languages()[ENGLISH]


def language(*wanted: str | None) -> Language:
    """The first of some language tags that there are words for, by looking up ever shorter ones: "de-AT", then "de".

    See RFC 4647, section 3.4. No error is raised for what a visitor sends: where no tag is known, it is English.

    Args:
        wanted: BCP 47 tags, the most wanted first; None is passed over.
    """
    known = {code.lower(): words for code, words in languages().items()}
    for code in wanted:
        tag = (code or "").strip().lower().replace("_", "-")
        while tag:
            if tag in known:
                return known[tag]
            tag = tag.rpartition("-")[0]
    return known[ENGLISH]


def load_languages(folder: Path) -> dict[str, Language]:
    """Read every CODE.toml of a folder, and compare it with en.toml: the same keys with the same placeholders.

    Raises:
        LanguageError: A file cannot be read, a key is unknown or missing, or a text has other placeholders.
    """
    english = _read(folder / f"{ENGLISH}.toml")
    files = sorted(path for path in folder.glob("*.toml") if path.stem != ENGLISH)
    loaded = {ENGLISH: _language(ENGLISH, english)}
    for file in files:
        texts = _read(file)
        required, given = _required(english), _required(texts)
        if missing := required.keys() - given.keys():
            raise LanguageError(f"{file}: has no text for {', '.join(sorted(missing))}")
        if unknown := given.keys() - required.keys():
            raise LanguageError(f"{file}: {', '.join(sorted(unknown))} is not a key of {ENGLISH}.toml")
        for key, text in given.items():
            wanted = _placeholders(folder / f"{ENGLISH}.toml", key, required[key])
            if _placeholders(file, key, text) != wanted:
                raise LanguageError(f"{file}: {key} must have the placeholders {sorted(wanted)}; got {text!r}")
        loaded[file.stem] = _language(file.stem, texts)
    return loaded


def _required(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in texts.items() if not key.startswith("rules.")}


def _read(file: Path) -> dict[str, str]:
    """The texts of a file by key; those of its tables as "table.key"."""
    try:
        with file.open("rb") as stream:
            raw = tomllib.load(stream)
    except OSError as error:
        raise LanguageError(f"{file}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # tomllib's error, or bytes that are not UTF-8
        raise LanguageError(f"{file}: is not valid TOML ({error})") from error
    if not isinstance(raw.get("labels"), dict):
        raise LanguageError(f"{file}: needs a table [labels]; got {raw.get('labels')!r}")
    texts = {key: value for key, value in raw.items() if key not in TABLES}
    for table in TABLES:
        texts |= dict(_flat(table, raw.get(table, {})))
    for label, fact in raw.get("facts", {}).items():
        if not isinstance(fact, dict) or fact.keys() != {"text", "source"}:
            raise LanguageError(f"{file}: facts.{label} must be a table with text and source; got {fact!r}")
    if "name" not in texts:
        raise LanguageError(f"{file}: has no text for name, the language's name in itself")
    for key, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise LanguageError(f"{file}: {key} must be a text; got {text!r}")
        _placeholders(file, key, text)
    return texts


def _flat(key: str, value: Any) -> list[tuple[str, Any]]:
    """Nested tables as pairs of a dotted key and a text."""
    if not isinstance(value, dict):
        return [(key, value)]
    return [pair for name, inner in value.items() for pair in _flat(f"{key}.{name}", inner)]


def _placeholders(file: Path, key: str, text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise LanguageError(f"{file}: {key} has a brace that does not fit ({error}); got {text!r}") from error


def _language(code: str, texts: Mapping[str, str]) -> Language:
    def table(name: str) -> dict[str, str]:
        return {key.removeprefix(f"{name}."): text for key, text in texts.items() if key.startswith(f"{name}.")}

    tables = tuple(f"{name}." for name in TABLES)
    words = {key: text for key, text in texts.items() if key != "name" and not key.startswith(tables)}
    parts = table("facts")
    told = [key.removesuffix(".text") for key in parts if key.endswith(".text")]
    facts = {label: Fact(parts[f"{label}.text"], parts[f"{label}.source"]) for label in told}
    return Language(code, texts["name"], words, table("labels"), table("rules"), facts)

"""The words on the screen, by language: one TOML file each, complete, in this folder."""

import functools
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ENGLISH = "en"  # the one that says which keys there are


class LanguageError(ValueError):
    """A language file cannot be used. The message names the file, the key, and what is wrong with it."""


@dataclass(frozen=True)
class Language:
    """One language's words; call it with a key to get them.

    code: its BCP 47 tag, which is the file's name: "de". name: in itself: "Deutsch".
    words: by key, perhaps with {placeholders}. labels: names of the shipped model's classes.
    """

    code: str
    name: str
    words: Mapping[str, str]
    labels: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The words for a key, placeholders filled in. Raises KeyError for an unknown key or a missing value."""
        return self.words[key].format(**values)


@functools.cache
def languages() -> dict[str, Language]:
    """The shipped languages by code, English first. Raises LanguageError."""
    return load_languages(FOLDER)


def language(code: str | None, fallback: str = ENGLISH) -> Language:
    """The language for a visitor's tag, by looking up ever shorter ones (RFC 4647, 3.4): "de-AT", then "de".

    An unknown tag, or none, gives the fallback, and an unknown fallback English: no error for what a visitor sends.
    """
    shipped = {known.lower(): words for known, words in languages().items()}
    for wanted in (code, fallback):
        tag = (wanted or "").strip().lower().replace("_", "-")
        while tag:
            if tag in shipped:
                return shipped[tag]
            tag = tag.rpartition("-")[0]
    return shipped[ENGLISH]


def load_languages(folder: Path) -> dict[str, Language]:
    """Read every CODE.toml of a folder and compare it with en.toml: the same keys, the same placeholders.

    Raises LanguageError for a file that cannot be read, an unknown or missing key, or a text that does not fit.
    """
    english = _texts(folder / f"{ENGLISH}.toml")
    files = sorted(path for path in folder.glob("*.toml") if path.stem != ENGLISH)
    loaded = {ENGLISH: _language(ENGLISH, english)}
    for file in files:
        texts = _texts(file)
        if missing := english.keys() - texts.keys():
            raise LanguageError(f"{file}: has no text for {', '.join(sorted(missing))}")
        if unknown := texts.keys() - english.keys():
            raise LanguageError(f"{file}: {', '.join(sorted(unknown))} is not a key of {ENGLISH}.toml")
        for key, text in texts.items():
            wanted = _placeholders(folder / f"{ENGLISH}.toml", key, english[key])
            if _placeholders(file, key, text) != wanted:
                raise LanguageError(f"{file}: {key} must have the placeholders {sorted(wanted)}; got {text!r}")
        loaded[file.stem] = _language(file.stem, texts)
    return loaded


def _texts(file: Path) -> dict[str, str]:
    """A file's texts by key; those of its tables as "table.key"."""
    try:
        with file.open("rb") as stream:
            raw = tomllib.load(stream)
    except OSError as error:
        raise LanguageError(f"{file}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # tomllib's error, or bytes that are not UTF-8
        raise LanguageError(f"{file}: is not valid TOML ({error})") from error
    texts = {key: value for key, value in raw.items() if key != "labels"}
    labels = raw.get("labels")
    if not isinstance(labels, dict):
        raise LanguageError(f"{file}: needs a table [labels]; got {labels!r}")
    texts |= {f"labels.{label}": name for label, name in labels.items()}
    if "name" not in texts:
        raise LanguageError(f"{file}: has no text for name, the language's name in itself")
    for key, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise LanguageError(f"{file}: {key} must be a text; got {text!r}")
        _placeholders(file, key, text)
    return texts


def _placeholders(file: Path, key: str, text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise LanguageError(f"{file}: {key} has a brace that does not fit ({error}); got {text!r}") from error


def _language(code: str, texts: dict[str, str]) -> Language:
    words = {key: text for key, text in texts.items() if key != "name" and not key.startswith("labels.")}
    labels = {key.removeprefix("labels."): text for key, text in texts.items() if key.startswith("labels.")}
    return Language(code, texts["name"], words, labels)

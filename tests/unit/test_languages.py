"""The languages: complete, alike, and each mistake in a file named."""

import re
import shutil
import string
import tomllib

import pytest

from app.advice.bins import load_rules
from app.advice.caption import caption
from app.advice.languages import FOLDER, LanguageError, language, languages, load_languages
from app.advice.verdict import State, Verdict
from model import Classifier
from model.photos import REASONS


def filled(words, key):
    """A text with each of its placeholders filled in by the placeholder's name in brackets."""
    return words(key, **{name: f"[{name}]" for _, name, _, _ in string.Formatter().parse(words.words[key]) if name})


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped languages, to break."""
    for path in FOLDER.glob("*.toml"):
        shutil.copy(path, tmp_path)
    return tmp_path


def change(path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_five_languages_english_first():
    assert next(iter(languages())) == "en"
    assert set(languages()) == {"en", "de", "es", "fr", "zh"}
    assert [words.name for words in languages().values()] == ["English", "Deutsch", "Español", "Français", "中文"]
    assert languages() is languages()


def test_every_language_has_every_key_and_placeholder():
    """Seen from outside, not with the check that runs at load: flattened files, and each text filled in."""
    keys = {}
    for path in FOLDER.glob("*.toml"):
        table = tomllib.loads(path.read_text())
        keys[path.stem] = {*table, *(f"labels.{label}" for label in table["labels"])}
    assert len(keys) == 5
    assert all(found == keys["en"] for found in keys.values())
    for words in languages().values():
        for key in languages()["en"].words:
            said, english = filled(words, key), filled(languages()["en"], key)
            assert "{" not in said + english
            assert sorted(re.findall(r"\[\w+\]", said)) == sorted(re.findall(r"\[\w+\]", english)), (words.code, key)


def test_a_language_is_not_english_under_another_name():
    """A text forgotten in English would have every key. Single words may be the same in two languages."""
    english = languages()["en"].words
    for words in list(languages().values())[1:]:
        assert [key for key in english if words.words[key] == english[key] and " " in english[key]] == []


def test_labels_of_the_shipped_model_have_a_name_in_every_language():
    labels = set(Classifier.load().labels)
    for words in languages().values():
        assert set(words.labels) == labels


def test_french_and_spanish_typography():
    for text in languages()["fr"].words.values():
        assert not re.search(r"[^\u00A0][:;!?%]", text.replace("https://", "")), text
        assert "'" not in text
    for text in languages()["es"].words.values():
        assert text.count("!") == text.count("¡")
        assert text.count("?") == text.count("¿")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_ch", "de"),
        ("zh-Hans-CN", "zh"),
        (" fr ", "fr"),
        ("xx", "es"),
        ("german", "es"),
        ("", "es"),
        (None, "es"),
        ("-", "es"),
        ("../../etc/passwd\0", "es"),
        ("<script>" * 1000, "es"),
    ],
)
def test_what_a_visitor_asks_for(code, found):
    assert language(code, "es").code == found


def test_an_unknown_fallback_gives_english():
    assert language("xx", "yy").code == "en"


def test_an_unknown_key_or_a_missing_value_is_an_error():
    with pytest.raises(KeyError):
        language("de")("nothing")
    with pytest.raises(KeyError):
        language("de")("live_in_line")


def test_captions_are_in_the_language_asked_for():
    verdict = Verdict(State.UNAVAILABLE)
    said = {code: caption(verdict, load_rules(["glass"], words=words)).title for code, words in languages().items()}
    assert len(set(said.values())) == 5
    assert caption(verdict, load_rules(["glass"])).title == said["en"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('sure_very = "Sehr sicher"', "", "has no text for sure_very"),
        ("[labels]", 'colour = "Farbe"\n[labels]', "colour is not a key of en.toml"),
        ('glass = "Glas"', "", r"has no text for labels\.glass"),
        ('glass = "Glas"', "glass = 5", r"labels\.glass must be a text; got 5"),
        ('or_into = "oder"', 'or_into = " "', "or_into must be a text"),
        ("{percent}", "{prozent}", r"photo_guess must have the placeholders \['item', 'percent'\]"),
        ("{percent}", "{percent", "photo_guess has a brace that does not fit"),
        ("{item}. ", "", r"spoken_item must have the placeholders \['bins', 'item'\]"),
        ('name = "Deutsch"', "", "has no text for name"),
        ("[labels]", "[names]", r"needs a table \[labels\]"),
        ("[labels]", "[labels", "is not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(folder, old, new, words):
    change(folder / "de.toml", old, new)
    with pytest.raises(LanguageError, match=words) as caught:
        load_languages(folder)
    assert str(folder / "de.toml") in str(caught.value)


def test_without_english_there_is_nothing_to_compare_with(folder):
    (folder / "en.toml").unlink()
    with pytest.raises(LanguageError, match=r"en\.toml: cannot be read"):
        load_languages(folder)


def test_a_language_of_ones_own(folder):
    shutil.copy(folder / "de.toml", folder / "gsw.toml")
    change(folder / "gsw.toml", 'name = "Deutsch"', 'name = "Schwiizerdütsch"')
    assert load_languages(folder)["gsw"].name == "Schwiizerdütsch"


def test_every_reason_to_refuse_a_photo_is_said_in_every_language():
    for reason, text in REASONS.items():
        assert languages()["en"].words[f"photo_error_{reason}"] == text
        for words in languages().values():
            assert words.words[f"photo_error_{reason}"]
    assert {key for key in languages()["en"].words if key.startswith("photo_error_")} == {
        f"photo_error_{reason}" for reason in REASONS
    }

"""Rules files, good and bad."""

import re
import tomllib
from dataclasses import replace

import pytest

from app.advice.bins import RulesError, display_name, load_rules, rules_files
from app.advice.caption import caption
from app.advice.languages import languages
from app.advice.verdict import State, Verdict
from app.look.colors import contrast, text_on
from app.photo.results import PhotoResult, photo_caption, rows
from app.views.ui import spoken, verdict_card
from tests.helpers.fakes import prediction

SIX = ("cardboard", "glass", "metal", "paper", "plastic", "trash")
SHIPPED = pytest.mark.parametrize("path", rules_files().values(), ids=rules_files())

MINE = """
default = "all"

[bins.all]
name = "Everything"
color = "#123456"

[bins.kiosk]
name = { en = "Back to the <shop>", de = "Zurück in den Laden" }
color = "#F0E000"
icon = "shop"
position = "below-left"
hint.de = "mit Pfand"

[labels.battery]
name = "Batteries"
bin = "all"
color = "#FF0000"

[labels.can]
bins = ["all", "kiosk"]
color = "#00AA00"
icon = "can"
advice = { fr = "Videz-la.", de = "Leeren." }
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path


def test_default_rules_cover_the_six_classes():
    rules = load_rules(SIX)
    assert tuple(rules.categories) == SIX
    for label in SIX:
        category = rules.category(label)
        assert len(category.bins) == 1
        assert category.advice
        assert category.name == languages()["en"].labels[label]
    assert rules.default_bin.name == "General waste"
    assert rules.category("trash").bins == (rules.default_bin,)


def test_other_classes_get_a_look_of_their_own_and_no_wrong_bin():
    rules = load_rules(("glass", "drink_cartons", "batteries"))
    assert rules.category("drink_cartons").name == "Drink cartons"
    assert rules.category("drink_cartons").bins == ()
    assert rules.category("drink_cartons").color != rules.category("batteries").color
    assert rules.category("glass").bins


def test_names_as_people_write_them():
    assert display_name("pet_bottle") == "Pet bottle"
    assert display_name("PET") == "PET"
    assert display_name("纸") == "纸"


def test_a_rules_file_of_ones_own_for_other_classes(mine):
    rules = load_rules(("battery", "can", "sock"), mine)
    battery, can, sock = rules.categories.values()
    assert (battery.name, battery.icon, battery.advice) == ("Batteries", "tag", "")
    assert [(bin.key, bin.name, bin.icon, bin.hint) for bin in battery.bins] == [("all", "Everything", "bin", "")]
    assert [bin.key for bin in can.bins] == ["all", "kiosk"]
    assert can.bins[1].icon == "shop"
    assert sock.bins == ()


def test_texts_come_in_the_language_asked_for_else_in_english_else_in_the_first(mine):
    said = {}
    for code in ("de", "en", "zh"):
        can = load_rules(("can",), mine, languages()[code]).category("can")
        said[code] = can.bins[1].name, can.advice, can.bins[1].hint, can.bins[0].name
    assert said["de"] == ("Zurück in den Laden", "Leeren.", "mit Pfand", "Everything")
    assert said["en"] == ("Back to the <shop>", "Videz-la.", "mit Pfand", "Everything")
    assert said["zh"] == said["en"]


def test_a_label_is_called_what_the_file_says_else_what_the_language_says(mine):
    french = replace(languages()["fr"], labels={"battery": "Pile", "can": "Canette", "sock": "Chaussette"})
    rules = load_rules(("battery", "can", "sock"), mine, french)
    assert [category.name for category in rules.categories.values()] == ["Batteries", "Canette", "Chaussette"]


def test_several_bins_are_all_named(mine):
    rules = load_rules(("can", "glass", "metal"), mine)
    card = verdict_card(caption(Verdict(State.ITEM, "can", 0.9), rules))
    assert re.search(r"<small>Goes into</small>\s+<b>Everything</b>", card)
    assert re.search(
        r"<small>or</small>\s+<b>Back to the &lt;shop&gt;</b> <span class=.wb-hint.>mit Pfand</span>", card
    )
    said = spoken(caption(Verdict(State.ITEM, "can", 0.9), load_rules(("can",), mine, languages()["de"])))
    assert "Can. Gehört hier hinein: Everything oder Zurück in den Laden." in said
    table = rows([PhotoResult("a.png", prediction("glass"))], 0.6, load_rules(("cardboard", "glass", "metal")))
    assert table[0]["bin"] == "Glass"
    germany = load_rules(("cardboard", "glass", "metal"), rules_files()["germany"])
    table = rows([PhotoResult("a.png", prediction("metal"))], 0.6, germany)
    assert table[0]["bin"] == "Yellow bin / Back to the shop"
    assert photo_caption(prediction("metal", 0.4), 0.6, germany).bins == (germany.default_bin,)


@SHIPPED
@pytest.mark.parametrize("code", languages())
def test_shipped_rules_say_everything_in_every_language(path, code):
    rules = load_rules(SIX, path, languages()[code])
    assert rules.default_bin in [bin for category in rules.categories.values() for bin in category.bins]
    for category in rules.categories.values():
        assert category.bins
        assert category.name == languages()[code].labels[category.label]
        assert category.advice


@SHIPPED
def test_shipped_texts_lack_no_language(path):
    """A text that is missing would quietly come in English."""
    table = tomllib.loads(path.read_text())
    assert set(table["labels"]) == set(SIX)
    for name, entry in (*table["bins"].items(), *table["labels"].items()):
        texts = {key: value for key, value in entry.items() if key in ("name", "hint", "advice")}
        assert texts
        for key, text in texts.items():
            assert set(text) == set(languages()), (name, key)
            assert all(part.strip() for part in text.values()), (name, key)
            assert text["de"] != text["zh"]


@SHIPPED
def test_bins_that_share_an_answer_are_told_apart_by_a_hint(path):
    for category in load_rules(SIX, path).categories.values():
        if len(category.bins) > 1:
            assert all(bin.hint for bin in category.bins), category.label


@SHIPPED
def test_texts_can_be_read_on_every_colour(path):
    table = tomllib.loads(path.read_text())
    for name, entry in (*table["bins"].items(), *table["labels"].items()):
        assert contrast(text_on(entry["color"]), entry["color"]) >= 4.5, name


def test_shipped_rules_really_differ():
    assert list(rules_files()) == ["default", "germany", "uk", "usa"]
    sortings = {
        name: tuple(tuple(bin.key for bin in load_rules(SIX, path).category(label).bins) for label in SIX)
        for name, path in rules_files().items()
    }
    assert len(set(sortings.values())) == len(sortings)
    shops = [bin for bin in load_rules(SIX, rules_files()["germany"]).category("plastic").bins if bin.icon == "shop"]
    assert len(shops) == 1


def test_the_sources_of_real_rules_are_cited():
    for name, path in rules_files().items():
        head = path.read_text().split("\n\n")[0]
        assert name == "default" or ("Source" in head and "https://" in head and "Simplified" in head)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('default = "all"', 'default = "attic"', "default must be one of all, kiosk; got 'attic'"),
        ('default = "all"', "", "default must be one of all, kiosk; got None"),
        ('default = "all"', 'standard = "all"', "standard is not a key; allowed are default, bins, labels"),
        ('icon = "can"', 'icon = "dog"', r"labels\.can\.icon must be one of box, .*got 'dog'"),
        ('icon = "shop"', 'icon = "dog"', r"bins\.kiosk\.icon must be one of box, .*shop.*got 'dog'"),
        ('"below-left"', '"behind"', r"bins\.kiosk\.position must be one of above, .*left.*; got 'behind'"),
        ('"below-left"', "7", r"bins\.kiosk\.position must be one of above, .*; got 7"),
        ('bin = "all"', 'bin = "jar"', r"labels\.battery\.bin must be one of all, kiosk; got 'jar'"),
        ('bin = "all"', "", r"labels\.battery\.bin must be one of all, kiosk; got None"),
        ('bin = "all"', 'bin = "all"\nbins = ["all"]', r"labels\.battery must have either bin or bins"),
        ('["all", "kiosk"]', '["all", "jar"]', r"each of labels\.can\.bins must be one of all, kiosk; got 'jar'"),
        ('["all", "kiosk"]', '["all", "all"]', r"labels\.can\.bins must name each bin once"),
        ('["all", "kiosk"]', "[]", r"labels\.can\.bins must be a list of some of all, kiosk; got \[\]"),
        ('["all", "kiosk"]', '"all"', r"labels\.can\.bins must be a list of some of all, kiosk; got 'all'"),
        ('color = "#00AA00"', 'color = "violet"', r"labels\.can\.color must be a colour like #1D5FBF; got 'violet'"),
        ('color = "#123456"', 'colour = "#123456"', r"bins\.all\.colour is not a key; allowed are name, color, icon"),
        ('icon = "can"', 'ikon = "can"', r"labels\.can\.ikon is not a key; allowed are name, color, icon, advice"),
        ('name = "Everything"', "name = 5", r"bins\.all\.name must be a text, or texts by language"),
        ('name = "Everything"', "", r"bins\.all\.name must be a text, or texts by language.*got None"),
        ('name = "Everything"', 'name = " "', r"bins\.all\.name must be a text"),
        ('name = "Everything"', "name = {}", r"bins\.all\.name must be a text in one language or more"),
        ('de = "Leeren."', "de = 5", r"labels\.can\.advice\.de must be a text; got 5"),
        ('de = "Zurück in den Laden"', 'de = ""', r"bins\.kiosk\.name\.de must be a text; got ''"),
        ('de = "Leeren."', 'German = "Leeren."', r"labels\.can\.advice\.German must be a language code like en or de"),
        ("[bins.all]", "[bins.all", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_what_is_allowed(mine, old, new, words):
    assert old in MINE
    mine.write_text(MINE.replace(old, new, 1))
    with pytest.raises(RulesError, match=words) as caught:
        load_rules(SIX, mine)  # though none of these labels is in the file
    assert str(mine) in str(caught.value)


def test_a_missing_or_empty_file(tmp_path):
    with pytest.raises(RulesError, match="cannot be read"):
        load_rules(SIX, tmp_path / "none.toml")
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(RulesError, match=r"needs one or more tables \[bins"):
        load_rules(SIX, tmp_path / "empty.toml")

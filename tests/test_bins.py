"""Rules files, good and bad."""

import tomllib

import pytest

from app.bins import DEFAULT_FILE, RulesError, display_name, load_rules, rules_files
from app.colors import contrast, text_on

SIX = ("cardboard", "glass", "metal", "paper", "plastic", "trash")


def test_default_rules_cover_the_six_classes():
    rules = load_rules(SIX)
    assert tuple(rules.categories) == SIX
    for label in SIX:
        category = rules.category(label)
        assert category.bins
        assert category.advice
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


def test_a_rules_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'default = "all"\n[bins.all]\nname = "Everything"\ncolor = "#123456"\n'
        '[labels.battery]\nname = "Batteries"\nbin = "all"\ncolor = "#FF0000"\n'
    )
    category = load_rules(("battery",), path).category("battery")
    assert (category.name, category.icon, category.advice) == ("Batteries", "tag", "")
    assert [bin.name for bin in category.bins] == ["Everything"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('default = "general"', 'default = "attic"', "default must be one of paper, glass, packaging, general"),
        ('icon = "can"', 'icon = "dog"', r"labels\.metal\.icon must be one of box"),
        ('bin = "glass"', 'bin = "jar"', r"labels\.glass\.bin must be one of"),
        ('color = "#7B61C4"', 'color = "violet"', r"labels\.metal\.color must be a colour like"),
        ('name = "Glass"', "name = 5", r"bins\.glass\.name must be a text"),
        ("[bins.paper]", "[bins.paper", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_what_is_allowed(tmp_path, old, new, words):
    path = tmp_path / "rules.toml"
    text = DEFAULT_FILE.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(RulesError, match=words) as caught:
        load_rules(SIX, path)
    assert str(path) in str(caught.value)


def test_a_missing_or_empty_file(tmp_path):
    with pytest.raises(RulesError, match="cannot be read"):
        load_rules(SIX, tmp_path / "none.toml")
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(RulesError, match=r"needs one or more tables \[bins"):
        load_rules(SIX, tmp_path / "empty.toml")


@pytest.mark.parametrize("path", rules_files().values(), ids=rules_files())
def test_texts_can_be_read_on_every_colour(path):
    table = tomllib.loads(path.read_text())
    for name, entry in (*table["bins"].items(), *table["labels"].items()):
        assert contrast(text_on(entry["color"]), entry["color"]) >= 4.5, name

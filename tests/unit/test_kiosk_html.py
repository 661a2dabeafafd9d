"""What the kiosk's screens say, as HTML."""

import re
from dataclasses import replace

import pytest

from app.advice.bins import POSITIONS, load_rules
from app.advice.languages import languages
from app.kiosk.screens import Scene, Screen
from app.kiosk.sureness import Sureness
from app.views import kiosk_html as html

LABELS = ("cardboard", "glass", "<img src=x onerror=alert(1)>")
RULES = load_rules(LABELS)
WORDS = languages()["en"]


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_an_answer_names_the_item_the_bin_and_the_advice():
    page = html.screen_html(Screen(Scene.ANSWER, "cardboard", 0.8), RULES)
    category = RULES.category("cardboard")
    for words in (category.name, category.bins[0].name, category.advice, WORDS("goes_into")):
        assert words in text_of(page)
    assert category.bins[0].color in page
    assert "80" not in text_of(page)  # a change of confidence must not draw the screen anew


def test_an_answer_without_a_rule_still_names_the_item():
    page = text_of(html.screen_html(Screen(Scene.ANSWER, LABELS[2], 0.8), RULES))
    assert page == "&lt;img src=x onerror=alert(1)&gt;"


def test_class_names_are_text():
    answer = Screen(Scene.ANSWER, LABELS[2], 0.8)
    for page in (html.screen_html(answer, RULES), html.spoken_html(answer, RULES, True)):
        assert "onerror" in page
        assert "<img src=x" not in page


@pytest.mark.parametrize("words", languages().values(), ids=lambda words: words.code)
def test_an_answer_says_in_words_how_sure_it_is_and_other_screens_do_not(words):
    said = [text_of(html.sure_html(Screen(Scene.ANSWER, "glass", sureness=s), words)) for s in Sureness]
    assert all(said)
    assert len(set(said)) == len(Sureness)
    assert not any(letter.isdigit() for letter in "".join(said))
    assert text_of(html.sure_html(Screen(Scene.THANKS, "glass", 1.0), words)) == ""


@pytest.mark.parametrize("words", languages().values(), ids=lambda words: words.code)
def test_the_thanks_say_a_fact_with_its_source_and_how_many_there_were_today(words):
    rules = load_rules(LABELS, words=words)
    page = text_of(html.screen_html(Screen(Scene.THANKS, "glass"), rules, today=1234))
    fact = words.facts["glass"]
    for said in (
        fact.text,
        words("thanks_source", source=fact.source),
        words("thanks_today", number=words.number(1234)),
    ):
        assert " ".join(said.split()) in page
    uncounted = text_of(html.screen_html(Screen(Scene.THANKS, "glass"), rules))
    today = " ".join(words("thanks_today", number=words.number(1234)).split())
    assert page == f"{uncounted} {today}"
    nothing_known = text_of(html.screen_html(Screen(Scene.THANKS, LABELS[2]), rules))
    assert nothing_known == " ".join(f"{words('thanks_title')} {words('thanks_detail')}".split())


@pytest.mark.parametrize("scene", [Scene.ANSWER, Scene.THANKS, Scene.GAVE_UP])
def test_an_arrow_points_to_a_bin_whose_position_is_known(scene):
    def page(position: str) -> str:
        category = RULES.category("glass")
        there = replace(category, bins=tuple(replace(bin, position=position) for bin in category.bins))
        default = replace(RULES.default_bin, position=position)
        rules = replace(RULES, categories={"glass": there}, default_bin=default)
        return html.screen_html(Screen(scene, "glass"), rules)

    assert "wb-arrow" not in page("")
    assert len({page(position) for position in POSITIONS}) == len(POSITIONS) == 8
    assert "--turn:225deg" in page("below-left")


def test_doubt_names_the_default_bin():
    assert RULES.default_bin.name in text_of(html.screen_html(Screen(Scene.GAVE_UP), RULES))
    assert RULES.default_bin.name in text_of(html.spoken_html(Screen(Scene.GAVE_UP), RULES, False))


def test_every_scene_has_a_screen_of_its_own():
    pages = {html.screen_html(Screen(scene, "glass", 0.9), RULES) for scene in Scene}
    assert len(pages) == len(Scene)


def test_only_answers_are_said_aloud():
    aloud = {scene for scene in Scene if 'data-aloud="1"' in html.spoken_html(Screen(scene, "glass"), RULES, True)}
    assert aloud == {Scene.ANSWER, Scene.GAVE_UP}
    assert 'data-aloud="1"' not in html.spoken_html(Screen(Scene.ANSWER, "glass"), RULES, False)


def test_a_screen_reader_hears_of_trouble():
    for scene, key in ((Scene.CAMERA, "camera_title"), (Scene.UNAVAILABLE, "unavailable_title")):
        assert text_of(html.spoken_html(Screen(scene), RULES, False)) == WORDS(key)

"""A language that nobody speaks, added as `docs/operating.md` says: one file. Every page then speaks nothing else."""

import io
import logging
import re
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit_webrtc
from PIL import Image
from streamlit.testing.v1 import AppTest

import app.services
from app.advice import bins
from app.advice import languages as rooms
from app.advice.bins import load_rules, rules_files
from app.advice.caption import caption
from app.advice.languages import ENGLISH, language, languages
from app.advice.verdict import State, Verdict
from app.answers.counts import Counts
from app.kiosk.screens import Scene, Screen
from app.kiosk.sureness import Sureness
from app.photo.results import headings
from app.services import services
from app.stream.places import Places
from app.views import kiosk_html
from app.views.camera import TROUBLES
from tests.helpers.trashnet import ROOT

OURS = re.compile(r"⟦[^⟦⟧]*⟧")  # every text of the made-up language is between these brackets
# What is the same in every language: names, numbers with units, and a line of the settings file
SAME = re.compile(r"Whichbin|fps|ms|/s|whichbin\.toml|UTC|CSV|[A-Z]{3,4}|https?://\S+|\w+\.(png|sqlite3)|\d+ ?%?")
BIN = "⟦Grey lid⟧"
# Streamlit's elements that have a label
LABELLED = (
    "button",
    "toggle",
    "slider",
    "segmented_control",
    "pills",
    "selectbox",
    "metric",
    "file_uploader",
    "expander",
)


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Adds xx.toml, a copy of en.toml with every text changed, and the texts of one bin of the default rules."""
    for path in rooms.FOLDER.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text())
    english = (tmp_path / "en.toml").read_text()
    changed = re.sub(r'(?m)^(\w+ = )"(.*)"$', r'\1"⟦\2⟧"', english)
    changed += f'\n[rules.default.bins.general]\nname = "{BIN}"\n'
    (tmp_path / "xx.toml").write_text(changed)
    monkeypatch.setattr(rooms, "FOLDER", tmp_path)
    caches = (languages, app.services._rules, bins._log_once)
    for cache in caches:
        cache.cache_clear()
    yield languages()["xx"]
    for cache in caches:
        cache.cache_clear()


def foreign(text: str, rules_texts: set[str]) -> str:
    """What is left of a page's text without what is in the made-up language, the same in all, or a rules file's."""
    for known in sorted(rules_texts, key=len, reverse=True):
        text = text.replace(known, " ")
    while OURS.search(text):  # a text may have another in one of its placeholders
        text = OURS.sub(" ", text)
    return " ".join(re.findall(r"[^\W\d_]{2,}", SAME.sub(" ", text)))


def rules_texts() -> set[str]:
    """Texts of the rules file in force, which has none in the made-up language."""
    rules = services().rules_in(languages()["xx"])
    places = [bin for category in rules.categories.values() for bin in category.bins] + [rules.default_bin]
    texts = {text for bin in places for text in (bin.name, bin.hint) if text}
    return texts | {category.advice for category in rules.categories.values()} | {BIN}


def visible(at: AppTest) -> str:
    """Everything that a page says: HTML without its tags, and what Streamlit's own elements are labelled with."""
    said = [re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", e.proto.body, flags=re.DOTALL) for e in at.get("html")]
    for kind in ("markdown", "caption", "warning", "info", "error", "header"):
        said += [element.value for element in at.get(kind)]
    for kind in (
        "button",
        "toggle",
        "slider",
        "segmented_control",
        "selectbox",
        "metric",
        "file_uploader",
        "expander",
        "pills",
    ):
        said += [element.label for element in at.get(kind)]
    for kind in ("page_link", "download_button"):
        said += [element.proto.label for element in at.get(kind)]
    said += [
        option for kind in ("segmented_control", "pills") for element in at.get(kind) for option in element.options
    ]
    said += [str(name) for element in at.get("arrow_data_frame") for name in element.value.columns]
    return "\n".join(said)


def open_page(path: str, **options: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app" / path), default_timeout=30)
    at.query_params["lang"] = "xx"
    for name, value in options.items():
        at.session_state[name] = value
    at.run()
    assert not at.exception
    return at


def said_to_be_wrong(at: AppTest) -> None:
    """Press the first button for a correction."""
    next(button for button in at.button if "That was wrong" in button.label).click().run()
    assert not at.exception


@pytest.fixture
def places(monkeypatch):
    """The pages with the process's services but one place of their own, and without the camera component."""
    component = SimpleNamespace(state=SimpleNamespace(signalling=False, playing=False))
    buttons = []
    monkeypatch.setattr(streamlit_webrtc, "webrtc_streamer", lambda **o: buttons.append(o["translations"]) or component)
    shared = replace(services(), places=Places(1))
    monkeypatch.setattr(app.services, "services", lambda: shared)
    return SimpleNamespace(buttons=buttons)


def test_it_is_found_by_itself_and_complete(made_up):
    assert next(iter(languages())) == ENGLISH
    assert language("xx-YY") is made_up
    assert made_up("caption_empty_title") == "⟦Hold an item up⟧"
    assert made_up.percent(0.62) == "62%"  # as in English, where nobody knows how it writes numbers


def test_the_live_page(made_up, places):
    at = open_page("navigation.py")
    assert foreign(visible(at), rules_texts()) == ""
    assert "Hold an item up" in visible(at)
    assert all(OURS.fullmatch(text) for text in places.buttons[-1].values())
    assert "Details" in visible(at)
    said_to_be_wrong(at)
    assert "There has been no answer yet" in visible(at)
    assert foreign(visible(at), rules_texts()) == ""
    waiting = open_page("navigation.py")  # the first visitor has the only place
    assert "You are next" in visible(waiting)
    assert foreign(visible(waiting), rules_texts()) == ""


def test_the_photo_page(made_up):
    at = open_page("views/photo.py")
    assert foreign(visible(at), rules_texts()) == ""
    out = io.BytesIO()
    Image.fromarray(np.full((120, 160, 3), 150, np.uint8)).save(out, "PNG")
    at.file_uploader[0].set_value([(f"{n}.png", out.getvalue(), "image/png") for n in range(2)]).run()
    assert not at.exception
    assert "Best guess" in visible(at)
    assert foreign(visible(at), rules_texts()) == ""
    said_to_be_wrong(at)
    assert "What is it really?" in visible(at)
    assert "None of these" in visible(at)
    assert foreign(visible(at), rules_texts()) == ""
    assert all(OURS.fullmatch(heading) for heading in headings(made_up).values())


def test_the_operator_page(made_up, monkeypatch, tmp_path):
    counts = Counts(tmp_path / "counts.sqlite3", 30)
    counts.add("metal", ["packaging"], 0.9, time.time())
    counts.correct("metal", "glass")
    for settings in ({}, {"operator_password": "x"}):
        shared = replace(services(), settings=replace(services().settings, **settings), counts=counts)
        monkeypatch.setattr(app.services, "services", lambda shared=shared: shared)
        closed = visible(open_page("views/operator_page.py"))
        assert foreign(closed.replace("operator_password", "").replace("toml", ""), rules_texts()) in ("", "docs md")
    at = open_page("views/operator_page.py", operator=True)
    assert "By class" in visible(at)
    assert "Corrections" in visible(at)
    assert foreign(visible(at), rules_texts()) == ""
    counts.close()


def test_the_kiosk(made_up):
    rules = services().rules_in(made_up)
    texts = rules_texts()
    for scene in Scene:
        label = "metal" if scene in (Scene.ANSWER, Scene.THANKS) else None
        screen = Screen(scene, label, 0.9, sureness=Sureness.VERY if scene is Scene.ANSWER else None)
        page = kiosk_html.screen_html(screen, rules) + kiosk_html.sure_html(screen, made_up)
        page += kiosk_html.spoken_html(screen, rules, aloud=True)
        assert foreign(re.sub(r"<[^>]*>", " ", page), texts) == "", scene
    page = re.sub(r"<[^>]*>", " ", kiosk_html.page_html(made_up, sound=False, troubles=TROUBLES))
    assert foreign(page, texts) == ""
    page = re.sub(r"<[^>]*>", " ", kiosk_html.no_rules_html("x", ["y"], made_up))
    assert "No rules are called" in page
    assert foreign(page, texts) == ""


def test_the_panel_on_the_video(made_up):
    rules = services().rules_in(made_up)
    for state in State:
        said = caption(Verdict(state, "metal" if state is State.ITEM else None, 0.9, gave_up=True), rules)
        assert foreign(f"{said.title} {said.goes_into} {said.spoken}", rules_texts()) == "", state


def test_texts_of_bins_are_in_the_same_file_or_borrowed_and_that_is_logged(made_up, caplog):
    caplog.set_level(logging.WARNING)
    rules = load_rules(("trash", "glass"), rules_files()["default"], made_up)
    assert rules.default_bin.name == BIN
    assert rules.category("glass").bins[0].name == "Glass"
    assert "has no texts in xx; they are shown in en" in caplog.text

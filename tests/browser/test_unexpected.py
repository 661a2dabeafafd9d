"""An exception anywhere in a page: visitors read the product's own words, and the log has the traceback."""

import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from app.advice.bins import rules_files
from app.advice.languages import languages
from tests.helpers.kiosk import SCREEN
from tests.helpers.server import Server, free_port
from tests.helpers.trashnet import ROOT

# A page with the server's own door, that fails where its buttons say
FAILING = """
import streamlit as st

def fail():
    raise RuntimeError("a secret of the developers")

@st.fragment
def part():
    st.write("a part")
    if st.button("part"):
        fail()

st.write("a page")
part()
st.button("press", on_click=fail)
if st.button("again"):
    st.rerun()
if st.button("stop"):
    st.stop()
if st.button("whole"):
    fail()
st.write("its end")
"""
APP = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from app.views import unexpected
app = st.App("page.py", on_script_error=unexpected.show)
"""
CARD = '.wb-unexpected[role="alert"]'


def says_so(page: Page, language: str) -> None:
    """The page's words for it are there, and nothing of Streamlit's or of the exception."""
    words = languages()[language]
    expect(page.locator(f"{CARD} .wb-title")).to_have_text(words("unexpected_title"))
    expect(page.locator(f"{CARD} .wb-detail")).to_have_text(words("unexpected_detail"))
    assert page.locator('[data-testid="stException"]').count() == 0
    text = page.locator("body").inner_text()
    assert not [word for word in ("Error", "secret", "Traceback", ".toml") if word in text], text


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """A server of the page above, started as the real one is."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "page.py").write_text(FAILING)
    (folder / "main.py").write_text(APP)
    shutil.copytree(ROOT / ".streamlit", folder / ".streamlit")
    server = object.__new__(Server)
    server.port = free_port()
    server.url, server.log = f"http://localhost:{server.port}", folder / "log.txt"
    command = [sys.executable, "-m", "streamlit", "run", "main.py", "--server.port", str(server.port)]
    with server.log.open("wb") as out:
        server.process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
    yield server.wait_until_ready()
    server.stop()


@pytest.mark.parametrize("where", ["part", "press", "whole"])
def test_wherever_a_page_fails_its_visitor_reads_our_words(chromium, failing, where):
    context = chromium.new_context(locale="fr")
    page = context.new_page()
    page.goto(failing.url)
    page.get_by_role("button", name=where).click()
    says_so(page, "fr")
    page.reload()  # as the words say
    expect(page.locator(CARD)).to_have_count(0)
    expect(page.get_by_text("its end")).to_be_visible()
    context.close()
    assert "RuntimeError: a secret of the developers" in failing.log.read_text()


def test_a_page_that_stops_or_begins_anew_by_itself_has_not_failed(chromium, failing):
    page = chromium.new_page()
    page.goto(failing.url)
    expect(page.get_by_text("its end")).to_be_visible()
    page.get_by_role("button", name="stop").click()
    expect(page.get_by_text("its end")).to_have_count(0)
    page.get_by_role("button", name="again").click()
    expect(page.get_by_text("its end")).to_be_visible()
    assert page.locator(CARD).count() == 0
    page.close()


def test_the_real_pages_have_this_door_and_the_kiosk_has_its_own_screen(chromium, tmp_path):
    rules = tmp_path / "mine.toml"
    shutil.copy(rules_files()["default"], rules)
    server = Server(tmp_path / "log.txt", WHICHBIN_BINS=str(rules)).wait_until_ready()
    context = chromium.new_context(locale="de")
    try:
        rules.write_text("default = ")  # spoilt while the server runs
        page = context.new_page()
        page.goto(server.url + "/photo")
        says_so(page, "de")
        expect(page.get_by_text("Whichbin").first).to_be_visible()  # the header, with the other pages
        page.goto(server.url + "/kiosk?lang=es")
        expect(page.locator(f"{SCREEN} .k-title")).to_have_text(languages()["es"]("unavailable_title"))
    finally:
        context.close()
        server.stop()
    assert "mine.toml: is not valid TOML" in server.log.read_text()

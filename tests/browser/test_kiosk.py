"""The kiosk in a real Chromium: nobody touches it, whatever happens to its server, its network and its camera."""

import contextlib
import io
import itertools
import signal
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Error, Page, expect

from app.advice.bins import load_rules, rules_files
from app.advice.languages import languages
from app.answers.counts import Counts
from app.look.colors import rgb
from tests.helpers.browser import launch
from tests.helpers.camera import item_scene, marked_wall, write_clip
from tests.helpers.drawings import empty_scene
from tests.helpers.kiosk import LISTEN, RECORD, SCREEN, START, UNPLUGGABLE, recover, title, wait_for_scene
from tests.helpers.server import Server
from tests.helpers.video import returned_frame

pytestmark = pytest.mark.slow

SHOWN = 3.5  # seconds that each item of the camera's clip is held up
BETWEEN = 6.5  # ... and that nothing is, so that the thanks come to their end
SIZES = {(1920, 1080): 2, (1080, 1920): 1, (1280, 800): 1}  # of the window, with the answers to wait for in each
ITEMS = ("metal", "paper")


@pytest.fixture(scope="module")
def chromium(playwright, classifier, tmp_path_factory):
    scenes = itertools.chain.from_iterable((empty_scene(), item_scene(label, classifier)) for label in ITEMS)
    clip = write_clip(
        tmp_path_factory.mktemp("clip") / "camera.y4m", zip(scenes, itertools.cycle([BETWEEN, SHOWN]), strict=False)
    )
    browser = launch(playwright, clip)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def wall(playwright, tmp_path_factory):
    """A browser whose camera sees an empty view, with noise and a light that jumps."""
    scenes = [(np.clip(marked_wall() * gain, 0, 255).astype(np.uint8), 15) for gain in (1.0, 0.5, 1.25, 0.8)]
    browser = launch(playwright, write_clip(tmp_path_factory.mktemp("wall") / "camera.y4m", scenes))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def empty_view(wall, server):
    """A kiosk before that view, while the tests that use the browser go on; and when it was there."""
    context = wall.new_context(has_touch=True)
    context.add_init_script(RECORD)
    page = context.new_page()
    page.goto(f"{server.url}/kiosk?lang=es")
    wait_for_scene(page, "attract", START)
    yield page, time.monotonic()
    context.close()


@pytest.fixture
def context_of():
    """Makes windows; all are closed afterwards."""
    contexts = []

    def make(browser, size=(1280, 800), **options):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        context.add_init_script(RECORD)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


def test_answers_and_invites_again_in_each_layout_and_counts(chromium, context_of, tmp_path):
    counts_file = tmp_path / "counts.sqlite3"
    server = Server(
        tmp_path / "log.txt", WHICHBIN_COUNT_ANSWERS="1", WHICHBIN_COUNTS_FILE=str(counts_file)
    ).wait_until_ready()
    try:
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"{server.url}/kiosk/alive")
        context = context_of(chromium)
        context.add_init_script(LISTEN)
        page = context.new_page()
        page.goto(f"{server.url}/kiosk?bins=germany&lang=de&speech=1&sound=1")
        wait_for_scene(page, "attract", START)
        rules = load_rules(ITEMS, rules_files()["germany"], languages()["de"])
        for (width, height), answered in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            for _ in range(answered):
                wait_for_scene(page, "answer", 2 * (SHOWN + BETWEEN) + 5)
                page.wait_for_timeout(800)  # the screen has faded in
                name = page.locator(".k-answer .wb-title").inner_text()
                category = next(each for each in rules.categories.values() if each.name == name)
                assert page.locator(".wb-where b").first.inner_text() == category.bins[0].name
                color = np.array(rgb(category.bins[0].color))
                box = page.locator(".wb-bin").first.bounding_box()
                assert box["height"] >= 0.2 * height
                assert box["width"] >= 0.3 * width
                wait_for_color(page, box["x"] + 0.03 * box["width"], box["y"] + 0.05 * box["height"], color)
                assert_nothing_but_the_kiosk(page)
                wait_for_scene(page, "attract", BETWEEN + 10)
                assert_nothing_but_the_kiosk(page)
        scenes = [scene["scene"] for scene in page.evaluate("window.scenes")]
        answers = [scene for scene in page.evaluate("window.scenes") if scene["scene"] == "answer"]
        assert {answer["name"] for answer in answers} == {category.name for category in rules.categories.values()}
        assert set(scenes) <= {"starting", "attract", "looking", "answer", "thanks"}, page.evaluate("window.scenes")
        for before, after in itertools.pairwise(scenes):
            assert (before, after) not in {("answer", "attract"), ("attract", "thanks"), ("looking", "attract")}
        times = [scene["at"] for scene in page.evaluate("window.scenes")]
        assert all(later - earlier > 0.3 for earlier, later in itertools.pairwise(times)), times
        spoken, tones = page.evaluate("[window.spoken, window.tones]")
        assert [(language, text.split(".")[0]) for language, text in spoken] == [
            ("de", each["name"]) for each in answers
        ]
        assert tones == 2 * len(answers)
        assert urllib.request.urlopen(f"{server.url}/kiosk/alive").status == 200
    finally:
        server.stop()
    counts = Counts(counts_file, 1)
    per_class = counts.summary(0.0).per_class
    counts.close()
    assert set(per_class) == set(ITEMS)
    assert sum(per_class.values()) == len(answers)


def wait_for_color(page: Page, x: float, y: float, color: np.ndarray, seconds: float = 3.0) -> None:
    """Until the pixel at x, y has a colour: on a busy machine the screen takes longer to fade in."""
    end = time.monotonic() + seconds
    while True:
        png = page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
        seen = np.array(Image.open(io.BytesIO(png)).convert("RGB"))[0, 0].astype(int)
        if abs(seen - color).max() <= 2:
            return
        assert time.monotonic() < end, (seen, color)


def assert_nothing_but_the_kiosk(page: Page) -> None:
    """No scroll bar, no cursor, nothing of Streamlit's or of the component's to press."""
    state = page.evaluate(
        """() => ({
          scrolls: document.documentElement.scrollHeight > innerHeight
            || document.documentElement.scrollWidth > innerWidth
            || getComputedStyle(document.body).overflow !== 'hidden',
          cursor: getComputedStyle(document.querySelector('.k')).cursor,
          top: [[1, 1], [innerWidth - 2, 1], [1, innerHeight - 2], [innerWidth - 2, innerHeight - 2]].every(
            ([x, y]) => document.elementFromPoint(x, y).closest('.k, .k-sure, .st-key-kiosk-camera')),
          inside: [...document.querySelector('iframe[title*="webrtc"]').contentDocument.querySelectorAll('body *')]
            .filter((e) => getComputedStyle(e).visibility !== 'hidden').map((e) => e.tagName),
        })"""
    )
    assert state == {"scrolls": False, "cursor": "none", "top": True, "inside": ["VIDEO"]}


def test_a_finger_changes_the_language(empty_view):
    page, _ = empty_view
    assert title(page) == languages()["es"]("attract_title")
    assert page.locator(".k-page").get_attribute("data-sound") == "0"  # unless asked for
    page.get_by_role("button", name="Deutsch").tap()
    expect(page.locator(f"{SCREEN} .k-title")).to_have_text(languages()["de"]("attract_title"))
    assert returned_frame(page) is not None


def test_a_server_that_is_killed_and_comes_back(wall, context_of, tmp_path):
    server = Server(tmp_path / "log.txt").wait_until_ready()
    try:
        page = context_of(wall).new_page()
        page.goto(f"{server.url}/kiosk?lang=fr")
        wait_for_scene(page, "attract", START)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        expect(page.locator('.k-over [data-kind="offline"] .k-title')).to_be_visible(timeout=10_000)
        assert page.locator('.k-over [data-kind="offline"] .k-title').inner_text() == languages()["fr"]("offline_title")
        assert page.locator('[role="dialog"]:visible, [data-testid="stConnectionStatus"]:visible').count() == 0
        page.wait_for_timeout(2_000)
        server = Server(tmp_path / "log2.txt", port=server.port).wait_until_ready()
        recover(page)
        assert title(page) == languages()["fr"]("attract_title")
    finally:
        server.stop()


def test_a_network_that_is_pulled_and_comes_back(wall, context_of, server):
    context = context_of(wall)
    page = context.new_page()
    page.goto(f"{server.url}/kiosk")
    wait_for_scene(page, "attract", START)
    context.set_offline(True)
    expect(page.locator('.k-over [data-kind="offline"] .k-title')).to_be_visible(timeout=12_000)
    page.wait_for_timeout(3_000)
    context.set_offline(False)
    recover(page)


def test_a_camera_that_is_unplugged_and_plugged_in_again(wall, context_of, server):
    context = context_of(wall)
    context.add_init_script(UNPLUGGABLE)
    page = context.new_page()
    page.goto(f"{server.url}/kiosk")
    wait_for_scene(page, "attract", START)
    page.evaluate("localStorage.setItem('unplugged', '1')")
    wait_for_scene(page, "camera", 15)
    assert title(page) == languages()["en"]("camera_title")
    page.wait_for_timeout(9_000)  # until the page is older than it has to be for a reload
    assert page.locator(SCREEN).get_attribute("data-scene") == "camera"
    page.evaluate("localStorage.removeItem('unplugged')")
    recover(page)


def test_a_tab_that_crashed_and_is_loaded_again(wall, context_of, server):
    context = context_of(wall)
    page = context.new_page()
    page.goto(f"{server.url}/kiosk")
    wait_for_scene(page, "attract", START)
    with page.expect_event("crash"), contextlib.suppress(Error):  # what was asked of it is never answered
        page.goto("chrome://crash", timeout=5_000)
    page.close()
    page = context.new_page()
    page.goto(f"{server.url}/kiosk")
    recover(page)


def test_an_empty_view_gave_no_answer_for_a_minute_and_the_language_was_changed_back(empty_view):
    page, since = empty_view
    page.wait_for_timeout(max(0.0, since + 62 - time.monotonic()) * 1000)
    # "looking" is no answer: a codec short of processor time may smear its picture for a moment. How often an empty
    # view does even that is for test_presence.py and tests.measure.kiosk.
    scenes, end = page.evaluate("window.scenes"), page.evaluate("performance.now() / 1000")
    assert {scene["scene"] for scene in scenes} <= {"starting", "attract", "looking"}, scenes
    ends = [scene["at"] for scene in scenes[1:]] + [end]
    looking = [until - scene["at"] for scene, until in zip(scenes, ends, strict=True) if scene["scene"] == "looking"]
    assert sum(looking) < 6, scenes  # seconds, of more than sixty
    assert title(page) == languages()["es"]("attract_title")

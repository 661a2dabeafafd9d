"""The app in a real Chromium, with a file as its camera, seen as a visitor sees it."""

import itertools
import time

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from app.advice.bins import load_rules
from app.look.colors import rgb
from app.stream.overlay import panel_rectangle
from tests.helpers.browser import launch
from tests.helpers.camera import item_scene, write_clip
from tests.helpers.drawings import drawn_photo, empty_scene
from tests.helpers.server import Server, free_port, metric
from tests.helpers.video import returned_frame, wait_for_video
from tests.helpers.waiting import wait_until

SHOWN = 5.0  # seconds that each scene lasts
SEQUENCE = ("Metal", "Paper", "Hold an item up")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def clip(classifier, tmp_path_factory):
    scenes = [item_scene("metal", classifier), item_scene("paper", classifier), empty_scene()]
    return write_clip(tmp_path_factory.mktemp("clip") / "camera.y4m", [(scene, SHOWN) for scene in scenes])


@pytest.fixture(scope="module")
def chromium(playwright, clip):
    browser = launch(playwright, clip)
    yield browser
    browser.close()


@pytest.fixture
def open_page(chromium, server):
    """Opens a page in a window of its own; all are closed afterwards, so that their streams end."""
    contexts = []

    def open_page(path: str = "/", **options) -> Page:
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)
        page.goto(server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def tile_color(frame: np.ndarray) -> np.ndarray:
    """The colour beside the icon in the panel on the video."""
    x, y, _, height = panel_rectangle(frame.shape[1], frame.shape[0])
    corner = frame[
        y + round(height * 0.2) : y + round(height * 0.25), x + round(height * 0.25) : x + round(height * 0.75)
    ]
    return corner.reshape(-1, 3).mean(0)


def shows_color(frame: np.ndarray | None, color: str) -> bool:
    return frame is not None and bool(abs(tile_color(frame) - rgb(color)).max() < 40)


def box(page: Page, selector: str) -> dict[str, float]:
    """Where an element is, in one step: the card is redrawn four times a second."""
    return page.evaluate("(s) => document.querySelector(s).getBoundingClientRect().toJSON()", selector)


def title(page: Page) -> str:
    return page.locator(".st-key-verdict .wb-title").text_content()


def test_item_then_item_then_empty_on_the_page_and_on_the_returned_video(open_page):
    rules = load_rules(("cardboard", "glass", "metal", "paper", "plastic", "trash"))
    colors = {rules.category(label).name: rules.category(label).color for label in ("metal", "paper")}
    page = open_page()
    wait_for_video(page)
    spans: list[tuple[str, float]] = []  # what the page said, and from when on
    seen_on_video = set()
    end = time.monotonic() + SHOWN * 12
    while time.monotonic() < end and not (len(steady(spans)) >= 3 and seen_on_video == set(colors)):
        now = title(page)
        if not spans or spans[-1][0] != now:
            spans.append((now, time.monotonic()))
        if now in colors and shows_color(returned_frame(page), colors[now]):
            seen_on_video.add(now)
        page.wait_for_timeout(150)
    assert seen_on_video == set(colors)
    assert {words for words, _ in spans} <= {*SEQUENCE, "Not sure"}
    said = steady(spans)
    start = SEQUENCE.index(said[0])
    assert len(said) >= 3, spans
    assert said == [SEQUENCE[(start + n) % 3] for n in range(len(said))], spans


def steady(spans: list[tuple[str, float]]) -> list[str]:
    """What was said for two seconds and more between the first and the last change.

    At a cut from scene to scene the codec smears both for a moment, in which "nothing" may be the honest answer.
    """
    lasting = [words for (words, begun), (_, ended) in itertools.pairwise(spans[1:]) if ended - begun >= 2.0]
    return [words for words, _ in itertools.groupby(lasting)]


def test_every_returned_frame_is_annotated_after_the_first_second(open_page):
    page = open_page()
    wait_for_video(page)
    page.wait_for_timeout(1000)
    for _ in range(30):
        frame = returned_frame(page)
        x, y, width, _ = panel_rectangle(frame.shape[1], frame.shape[0])
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        band = grey[y + 3 : y + 9, x + width // 3 : x + width * 2 // 3].mean()
        above = grey[y - 14 : y - 6, x + width // 3 : x + width * 2 // 3].mean()
        assert band < above - 15
        page.wait_for_timeout(60)


def test_on_a_phone_everything_fits_and_the_verdict_needs_no_scrolling(open_page):
    page = open_page(**PHONE)
    wait_for_video(page)
    page.wait_for_timeout(1500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator(".wb-beside-video .wb-title")).to_be_hidden()  # the video says it already
    video, card = box(page, 'iframe[title*="webrtc"]'), box(page, ".st-key-verdict .wb-bars")
    assert video["x"] >= 0
    assert video["x"] + video["width"] <= 390
    assert card["y"] >= video["y"] + video["height"] - 1
    assert card["y"] + card["height"] <= 844


def test_photos_good_and_bad(open_page, tmp_path):
    good = [tmp_path / f"{label}.jpg" for label in ("metal", "paper")]
    for path in good:
        path.write_bytes(drawn_photo(path.stem))
    text, cut = tmp_path / "text.jpg", tmp_path / "cut.jpg"
    text.write_text("hello")
    cut.write_bytes(good[0].read_bytes()[:5000])
    page = open_page("/photo")
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(21 * 2**20))
    page.locator('input[type="file"]').set_input_files([*good, text, cut, large])
    expect(page.locator(".wb-photo")).to_have_count(2, timeout=30_000)
    expect(page.get_by_text("20 MB or smaller")).to_be_visible()
    alerts = page.get_by_role("alert").filter(has_text="Use JPEG")
    expect(alerts).to_contain_text("text.jpg is not an image")
    expect(page.locator(".wb-error").filter(has_text="cut.jpg")).to_contain_text("damaged or incomplete")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download results (CSV)").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("file,answer,label,confidence,bin,cardboard,glass")


def test_photo_page_on_a_phone_shows_the_answer_without_scrolling(open_page, tmp_path):
    page = open_page("/photo", **PHONE)
    metal = tmp_path / "metal.jpg"
    metal.write_bytes(drawn_photo("metal"))
    page.locator('input[type="file"]').set_input_files(metal)
    card = page.locator(".wb-photo .wb-card")
    card.wait_for()
    page.wait_for_timeout(1000)
    place = box(page, ".wb-photo .wb-card")
    assert place["y"] + place["height"] <= 844
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_link_pressed_while_the_camera_starts_is_followed(open_page):
    for _ in range(3):
        page = open_page()
        page.locator(".st-key-header").get_by_role("link", name="Photo").click()
        expect(page.locator('input[type="file"]')).to_be_attached(timeout=10_000)
        assert page.url.endswith("/photo")


def test_a_link_is_pressed_again_when_streamlit_forgets_it(open_page):
    pages, forgotten = [], []

    def pass_on(socket) -> None:
        server = socket.connect_to_server()

        def message(content: bytes) -> None:
            named = BackMsg.FromString(content).rerun_script.page_script_hash
            if pages and named not in ("", pages[0]) and not forgotten:
                return forgotten.append(named)
            pages.extend([named] if named else [])
            return server.send(content)

        socket.on_message(message)

    page = open_page("/photo")
    page.route_web_socket("**/_stcore/stream", pass_on)
    page.goto(page.url.removesuffix("photo"))
    wait_for_video(page)
    page.get_by_role("link", name="Use a photo").first.click()
    expect(page.locator('input[type="file"]')).to_be_attached(timeout=10_000)
    assert len(forgotten) == 1


def test_one_place_two_visitors(chromium, tmp_path):
    """The second waits, gets in when the first has gone, and the first one's stream is freed."""
    port = free_port()
    settings = {"WHICHBIN_MAX_STREAMS": "1", "WHICHBIN_METRICS_PORT": str(port)}
    running = Server(tmp_path / "log.txt", **settings).wait_until_ready()
    first, second = chromium.new_context(), chromium.new_context()
    try:
        page = first.new_page()
        page.goto(running.url)
        wait_for_video(page)
        waiting = second.new_page()
        waiting.goto(running.url)
        expect(waiting.get_by_text("You are next")).to_be_visible(timeout=30_000)
        expect(waiting.get_by_role("link", name="Use a photo meanwhile")).to_be_visible()
        assert waiting.locator("iframe").count() == 0
        wait_until(lambda: metric(port, "whichbin_streams") == 1, 10, running.log.read_text, every=0.1)
        assert metric(port, "whichbin_frames_total") > 0
        page.goto("about:blank")
        freed = "the stream of a page that has gone was not freed"
        wait_until(lambda: metric(port, "whichbin_streams") == 0, 10, freed, every=0.2)
        wait_for_video(waiting, seconds=40)
    finally:
        first.close()
        second.close()
        running.stop()

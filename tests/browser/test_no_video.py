"""Pages without video: the camera is refused, missing or in use, its visitor stops it, or no codec is shared."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.advice.languages import languages
from tests.helpers.browser import launch
from tests.helpers.kiosk import RECORD, wait_for_scene
from tests.helpers.server import Server
from tests.helpers.video import fails_with, wait_for_video

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
PATIENCE_MS = 20_000  # for a page to open and its camera to be asked, on a busy machine
NO_API = "Object.defineProperty(Navigator.prototype, 'mediaDevices', { get: () => undefined });"
KINDS = {
    "NotAllowedError": "refused",
    "SecurityError": "refused",
    "NotFoundError": "missing",
    "NotReadableError": "busy",
    "AbortError": "busy",
    "OverconstrainedError": "unsuitable",
    "UnheardOfError": "failed",
}
# A browser that offers nothing but VP9 and AV1
NO_SHARED_CODEC = """
const create = RTCPeerConnection.prototype.createOffer;
RTCPeerConnection.prototype.createOffer = async function (...wanted) {
  const codecs = RTCRtpReceiver.getCapabilities('video').codecs.filter((codec) => /VP9|AV1/.test(codec.mimeType));
  for (const transceiver of this.getTransceivers())
    if (transceiver.receiver.track.kind === 'video') transceiver.setCodecPreferences(codecs);
  return create.apply(this, wanted);
};
"""


@pytest.fixture
def open_page(chromium, server):
    """Opens a page in a window of its own, with scripts that run before its own; closed afterwards."""
    contexts = []

    def open_page(path: str = "/", script: str = "", browser=chromium, **options) -> Page:
        contexts.append(browser.new_context(**options))
        contexts[-1].add_init_script(script)
        page = contexts[-1].new_page()
        page.goto(server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def expect_card(page: Page, kind: str, words) -> None:
    """The card in the answer's place says what is wrong, and nothing else does."""
    card = page.locator(f'.wb-trouble[data-kind="{kind}"]')
    expect(card).to_be_visible(timeout=PATIENCE_MS)
    start = words("camera_start")
    expect(card.locator(".wb-title")).to_have_text(words(f"camera_{kind}_title"))
    expect(card.locator(".wb-detail")).to_have_text(words.words[f"camera_{kind}_detail"].format(start=start))
    expect(page.locator(".wb-card:visible")).to_have_count(1)
    expect(page.locator(".st-key-verdict .wb-bars")).to_be_hidden()
    expect(page.frame_locator('iframe[title*="webrtc"]').locator(".MuiAlert-root:visible")).to_have_count(0)


def expect_photo_page_offered(page: Page, words) -> None:
    link = page.get_by_role("link", name=words("use_photo"))
    expect(link.locator("visible=true")).to_have_count(1)
    link.locator("visible=true").click()
    page.wait_for_url(re.compile(r"/photo(\?|$)"))


@pytest.mark.parametrize(("error", "kind"), KINDS.items())
def test_live_says_why_there_is_no_video(open_page, error, kind):
    words = languages()["en"]
    page = open_page("/", fails_with(error))
    expect_card(page, kind, words)
    assert error not in page.locator("body").inner_text()


@pytest.mark.parametrize("words", languages().values(), ids=lambda words: words.code)
def test_live_says_it_in_the_page_s_language_and_offers_the_photo_page(open_page, words):
    page = open_page(f"/?lang={words.code}", fails_with("NotAllowedError"), **PHONE)
    expect_card(page, "refused", words)
    expect_photo_page_offered(page, words)


def test_live_in_a_browser_without_cameras(open_page):
    expect_card(open_page("/", NO_API), "no_api", languages()["en"])


def test_live_where_nobody_allows_the_camera(open_page, playwright, empty_clip):
    """The browser's own refusal, not one that a script makes."""
    browser = launch(playwright, empty_clip, grant=False)
    try:
        expect_card(open_page("/", browser=browser), "refused", languages()["en"])
    finally:
        browser.close()


@pytest.mark.parametrize("error", ["NotFoundError", "NotReadableError"])
def test_live_goes_on_by_itself_when_the_camera_is_back(open_page, error):
    page = open_page("/", fails_with(error))
    expect_card(page, KINDS[error], languages()["en"])
    page.evaluate("localStorage.setItem('fails', '')")
    wait_for_video(page, 40)
    expect(page.locator(".st-key-trouble")).to_be_hidden(timeout=PATIENCE_MS)
    expect(page.locator(".st-key-verdict .wb-bars")).to_be_visible(timeout=PATIENCE_MS)


def test_a_refused_camera_is_not_asked_for_again_and_again(open_page):
    count = "window.top.asked = (window.top.asked ?? 0) + 1;"
    page = open_page("/", fails_with("NotAllowedError").replace("const name", f"{count} const name"))
    expect_card(page, "refused", languages()["en"])
    page.wait_for_timeout(6000)
    assert page.evaluate("window.asked") == 1


def test_live_after_stop_says_so_and_shows_no_stale_figures(open_page):
    words = languages()["en"]
    page = open_page("/")
    wait_for_video(page)
    inside = page.frame_locator('iframe[title*="webrtc"]')
    inside.get_by_role("button", name=words("camera_stop")).click()
    expect_card(page, "stopped", words)
    page.wait_for_timeout(3000)
    expect_card(page, "stopped", words)
    inside.get_by_role("button", name=words("camera_start")).click()
    expect(page.locator(".st-key-verdict .wb-bars")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".st-key-trouble")).to_be_hidden()


@pytest.mark.parametrize(("error", "kind"), [("NotAllowedError", "refused"), ("NotFoundError", "missing")])
def test_the_kiosk_says_at_once_why_there_is_no_video_and_goes_on_by_itself(open_page, error, kind):
    words = languages()["de"]
    page = open_page("/kiosk?lang=de", RECORD + fails_with(error))
    page.locator('.k[data-scene="starting"]').wait_for(timeout=PATIENCE_MS)
    screen = page.locator(f'.k-over [data-kind="{kind}"] .k')
    expect(screen).to_be_visible(timeout=6000)  # not after the 15 s that a camera may take to start
    expect(screen.locator(".k-title")).to_have_text(words(f"camera_{kind}_title"))
    expect(screen.locator(".k-detail")).to_have_text(words(f"camera_{kind}_detail"))
    page.evaluate("localStorage.setItem('fails', '')")
    wait_for_scene(page, "attract", 40)


def test_no_codec_in_common_is_said_in_words_and_logged(open_page, chromium, tmp_path):
    words = languages()["fr"]
    own = Server(tmp_path / "log.txt").wait_until_ready()
    context = chromium.new_context()
    context.add_init_script(NO_SHARED_CODEC)
    try:
        for path, title in (("/?lang=fr", ".st-key-verdict .wb-title"), ("/kiosk?lang=fr", ".k-camera_codec .k-title")):
            page = context.new_page()
            page.goto(own.url + path)
            said = page.locator(title).filter(has_text=words("camera_codec_title"))
            expect(said).to_be_visible(timeout=PATIENCE_MS)
            page.wait_for_timeout(2000)
            expect(page.locator(title)).to_have_count(1)  # what stood there before is gone
            expect(said).to_be_visible()
            text = page.locator("body").inner_text()
            assert "Error" not in text
            assert "aiortc" not in text
            assert page.locator(".stException").count() == 0
            if path.startswith("/?"):
                expect_photo_page_offered(page, words)
            page.close()
    finally:
        context.close()
        own.stop()
    assert "aiortc.exceptions.OperationError" in own.log.read_text()

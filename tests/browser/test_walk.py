"""Every page's every control, used once in real Chromium with the real headers; an error in its console fails."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.fakes import png
from tests.helpers.kiosk import wait_for_scene
from tests.helpers.server import Server
from tests.helpers.video import wait_for_video

PASSWORD = "a long one of our own"
FILES = {"one.png": (200, 180, 150), "two.png": (20, 60, 20)}  # name: colour
CAMERA_PLAYS = """() => {
  const video = document.querySelector('[data-testid="stCameraInput"] video');
  return video && video.videoWidth > 0 && video.currentTime > 0;
}"""
# On /photo Streamlit asks whether it is served below that address before it asks one level up
PROBE = re.compile(r"/(photo|kiosk|operator)/_stcore/(health|host-config)$")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that counts answers, with a page for its operator."""
    folder = tmp_path_factory.mktemp("walk")
    settings = {"COUNT_ANSWERS": "1", "COUNTS_FILE": str(folder / "counts.sqlite3"), "OPERATOR_PASSWORD": PASSWORD}
    settings |= {"MAX_STREAMS": "20"}
    running = Server(folder / "log.txt", **{f"WHICHBIN_{name}": value for name, value in settings.items()})
    yield running.wait_until_ready()
    running.stop()


PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
on_both = pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])


@pytest.fixture
def device() -> dict:
    """Options of the browser's context."""
    return {}


@pytest.fixture
def page(device, chromium) -> Iterator[Page]:
    """A page whose console is looked at in the end."""
    context = chromium.new_context(**device)
    page, errors = context.new_page(), []
    page.set_default_timeout(30_000)
    page.on("pageerror", lambda error: errors.append(str(error)))

    def note(message) -> None:
        if message.type == "error" and not PROBE.search(message.location["url"]):
            errors.append(f"{message.text} {message.location['url']}")

    page.on("console", note)
    yield page
    context.close()
    assert not errors


@on_both
def test_live(page, running):
    page.goto(running.url)
    wait_for_video(page)
    figures = page.locator(".wb-figures")
    for camera in ("Front", "Rear"):
        page.get_by_role("radio", name=camera).click()
        expect(page.get_by_role("radio", name=camera)).to_be_checked()
        page.wait_for_timeout(1000)
        wait_for_video(page)
    page.reload()  # as after an outage
    wait_for_video(page)
    expect(page.get_by_role("radio", name="Rear")).to_be_checked()
    inside = page.frame_locator('iframe[title*="webrtc"]')
    inside.get_by_role("button", name="Stop camera").click()
    expect(figures).to_contain_text("Video 0 fps", timeout=10_000)
    assert page.locator(".st-key-verdict .wb-title").text_content() == "Hold an item up"
    inside.get_by_role("button", name="Start camera").click()
    expect(figures).not_to_contain_text("Video 0 fps", timeout=20_000)
    inside.get_by_role("button", name="Stop camera").click()
    expect(figures).to_contain_text("Video 0 fps", timeout=10_000)
    inside.get_by_role("button", name="Choose camera").click()
    inside.get_by_role("button", name="Done").click()  # which starts the chosen one
    expect(figures).not_to_contain_text("Video 0 fps", timeout=20_000)
    page.get_by_text("Details").click()
    expect(figures).to_be_visible()
    page.get_by_role("button", name="That was wrong").click()
    expect(page.get_by_text("There has been no answer yet.")).to_be_visible()  # the view is empty
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("slider").press("ArrowRight")
    expect(page).to_have_url(re.compile("threshold=61"))
    page.get_by_text("Show where it looks").click()
    expect(page).to_have_url(re.compile("heat=true"))
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Use a photo").first.click()
    expect(page.locator('input[type="file"]')).to_be_attached()


@on_both
def test_photo_files(page, running):
    page.goto(running.url + "/photo")
    page.get_by_role("button", name="Sample 2").click()
    expect(page.locator(".wb-photo .wb-title")).to_have_text("Glass")
    files = [{"name": name, "mimeType": "image/png", "buffer": png(color)} for name, color in FILES.items()]
    page.locator('input[type="file"]').set_input_files(files)
    expect(page.locator(".wb-photo")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download results (CSV)").click()
    assert len(download.value.path().read_text().splitlines()) == 3
    page.get_by_text("Show where it looked").click()
    expect(page.locator("img.heat")).to_have_count(2)
    page.get_by_role("button", name="That was wrong").first.click()
    page.get_by_role("radio", name="None of these").click()
    expect(page.get_by_text("Thank you for the correction.")).to_be_visible()
    expect(page.get_by_role("button", name="That was wrong")).to_have_count(1)
    page.get_by_role("button", name="Remove").first.click()
    expect(page.locator(".wb-photo")).to_have_count(1)


@on_both
def test_photo_files_that_cannot_be_used_are_named_with_the_reason_in_sight(page, running, tmp_path):
    """Streamlit itself says so in a tooltip alone, which a finger cannot reach."""
    page.goto(running.url + "/photo?lang=de")
    expect(page.get_by_text("Hochladen")).to_be_visible()
    files = {"gross.jpg": bytes(20 * 2**20 + 1), "brief.pdf": b"%PDF-1.7", "gut.png": png()}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    page.locator('input[type="file"]').set_input_files([tmp_path / name for name in files])
    expect(page.locator(".wb-photo")).to_have_count(1)
    expect(page.locator(".wb-error")).to_have_text(re.compile("brief.pdf ist kein lesbares Bild"))
    chip = page.get_by_test_id("stFileChip").filter(has_text="gross.jpg")
    reason = chip.get_by_text("Nicht verwendet: Die Datei darf höchstens 20 MB groß sein.")
    expect(reason).to_be_in_viewport(ratio=1)
    box = reason.bounding_box()
    assert box["height"] > 15  # and not one pixel, for screen readers alone
    assert reason.evaluate("e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight")


@on_both
def test_photo_camera(page, running):
    page.goto(running.url + "/photo")
    page.get_by_role("radio", name="Camera").click()
    for _ in range(2):
        page.wait_for_function(CAMERA_PLAYS, polling=50)  # else there is nothing to take a photo of
        page.get_by_role("button", name="Take Photo").click()
        expect(page.locator(".wb-photo")).to_have_count(1)
        page.get_by_role("button", name="Clear photo").click()
        expect(page.locator(".wb-photo")).to_have_count(0)


@pytest.mark.parametrize("device", [PHONE])  # the languages are for fingers
def test_kiosk(page, running):
    page.goto(running.url + "/kiosk")
    wait_for_scene(page, "attract", 30)
    for language, words in (("Deutsch", "Zeig mir"), ("English", "Show me")):
        page.get_by_role("button", name=language).click()
        expect(page.locator(".k:not(.k-over *) .k-title")).to_contain_text(words)


def test_operator(page, running):
    page.goto(running.url + "/operator")
    page.locator("input[type=password]").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Wrong password.")).to_be_visible()
    page.wait_for_timeout(1100)
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Answers counted")).to_be_visible()
    for time in ("Today", "30 days", "All", "7 days"):
        page.get_by_role("radio", name=time).click()
        expect(page.get_by_role("radio", name=time)).to_be_checked()
        expect(page.get_by_text("No answers in this time.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("input[type=password]")).to_be_visible()


def on_live(page: Page) -> None:
    expect(page).to_have_url(re.compile(r":\d+/(\?.*)?$"))
    expect(page.locator('iframe[title*="webrtc"]')).to_be_attached()
    wait_for_video(page)


def on_photo(page: Page) -> None:
    expect(page).to_have_url(re.compile("/photo$"))
    expect(page.locator('input[type="file"]')).to_be_attached()


def test_ten_round_trips_through_the_header(page, running):
    page.goto(running.url)
    on_live(page)
    header = page.locator(".st-key-header")
    for _ in range(10):
        header.get_by_role("link", name="Photo").click()
        on_photo(page)
        header.get_by_role("link", name="Live").click()
        on_live(page)
    page.wait_for_timeout(6000)  # longer than a link that was pressed is remembered
    on_live(page)


def test_back_and_forward_and_the_page_that_one_is_on(page, running):
    page.goto(running.url + "/photo")
    on_photo(page)
    header = page.locator(".st-key-header")
    header.get_by_role("link", name="Photo").click()
    on_photo(page)
    header.get_by_role("link", name="Live").click()
    on_live(page)
    header.get_by_role("link", name="Live").click()
    on_live(page)
    for _ in range(3):
        page.go_back()
        on_photo(page)
        page.go_forward()
        on_live(page)
    header.get_by_role("link", name="Photo").click()
    on_photo(page)
    page.go_back()
    on_live(page)


def test_links_lead_where_they_say_in_another_tab_too(page, running):
    for path in ("/", "/photo", "/operator"):
        page.goto(running.url + path)
        header = page.locator(".st-key-header")
        expect(header.get_by_role("link")).to_have_count(2)
        for name, wanted in (("Live", "/"), ("Photo", "/photo")):
            link = header.get_by_role("link", name=name)
            expect(link).not_to_have_attribute("href", "")
            assert link.evaluate("link => link.pathname") == wanted


def test_a_page_that_streamlit_has_lost_begins_anew(page, running):
    page.goto(running.url + "/photo")
    on_photo(page)
    page.evaluate("document.querySelector('#root').replaceChildren()")  # as React does after an uncaught error
    on_photo(page)

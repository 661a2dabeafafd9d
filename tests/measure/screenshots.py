"""Makes the documentation's screenshots: the running app in Chromium, with TrashNet's photos. `make screenshots`."""

import tempfile
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from model import Classifier
from tests.helpers.browser import launch
from tests.helpers.camera import photo_scenes, write_clip
from tests.helpers.drawings import empty_scene
from tests.helpers.kiosk import UNPLUGGABLE
from tests.helpers.server import Server
from tests.helpers.trashnet import ROOT, validation_photos

FOLDER = ROOT / "docs" / "img"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
PHONE_AGENT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
WALL = {"viewport": {"width": 1920, "height": 1080}}


def live(browser: Browser, url: str, name: str, words: str, **options: object) -> None:
    """The live page, once it says `words` and the picture has settled."""
    page = browser.new_page(**options)
    page.goto(url)
    page.locator(".wb-figures", has_not_text="Time to recognise one –").wait_for(state="attached", timeout=60_000)  # noqa: RUF001
    page.locator(".wb-title", has_text=words).wait_for(state="attached", timeout=60_000)
    page.wait_for_timeout(2500)
    save(page, name)


def photo(browser: Browser, url: str, name: str, files: list[Path], **options: object) -> None:
    """The photo page with some files."""
    page = browser.new_page(**options)
    page.goto(f"{url}/photo")
    page.locator('input[type="file"]').set_input_files(files)
    page.locator(".wb-photo").nth(sum(path.suffix == ".jpg" for path in files) - 1).wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    save(page, name)


def hand_scene() -> np.ndarray:
    """An empty hand, which is none of the classes, before the wall: uint8, shape (480, 640, 3), RGB."""
    scene = empty_scene()
    skin = (214, 164, 132)
    cv2.ellipse(scene, (320, 420), (62, 190), 0, 0, 360, skin, -1)
    cv2.ellipse(scene, (318, 270), (78, 92), 0, 0, 360, skin, -1)
    for number, (angle, length) in enumerate(((-14, 92), (-4, 108), (6, 102), (18, 84))):
        cv2.ellipse(scene, (264 + number * 36, 178 + abs(number - 1) * 8), (17, length), angle, 0, 360, skin, -1)
    cv2.ellipse(scene, (400, 268), (20, 84), 48, 0, 360, skin, -1)
    return scene


def kiosk(playwright: Playwright, folder: Path, classifier: Classifier) -> None:
    """Every screen of the kiosk, one after the other as a visitor brings them about."""
    wall = (empty_scene(), 8)
    metal, glass = (next(photo_scenes(label, classifier)) for label in ("metal", "glass"))
    hand = [(np.roll(hand_scene(), 12 * (number % 3), axis=1), 0.5) for number in range(32)]  # never quite still
    clip = write_clip(folder / "kiosk.mjpeg", [wall, wall, *hand, wall, (metal, 8), wall, (glass, 8)])
    server = Server(folder / "kiosk.txt").wait_until_ready()
    browser = launch(playwright, clip)
    try:
        kiosk_screens(browser, server)
    finally:
        browser.close()
        server.stop()


def kiosk_screens(browser: Browser, server: Server) -> None:
    """The last of them stops the server."""
    context = browser.new_context(**DESKTOP)
    context.add_init_script(UNPLUGGABLE)
    page = context.new_page()

    def shoot(scene: str, name: str = "", settle: float = 900) -> None:
        page.locator(f".k-{scene}").first.wait_for(timeout=90_000)
        page.wait_for_timeout(settle)
        page.screenshot(path=FOLDER / f"kiosk-{name or scene}.png", animations="disabled")
        print(FOLDER / f"kiosk-{name or scene}.png", flush=True)

    page.goto(f"{server.url}/kiosk")
    shoot("starting", settle=0)  # gone within half a second where the camera is quick
    for scene, settle in (("attract", 2000), ("looking", 350), ("unsure", 900), ("gave-up", 900)):
        shoot(scene, settle=settle)
    page.locator(".k-attract").wait_for(timeout=90_000)
    shoot("answer")
    shoot("thanks")
    page.set_viewport_size({"width": 1080, "height": 1920})
    page.goto(f"{server.url}/kiosk?lang=de&bins=germany")
    shoot("attract", "attract-upright", 2000)
    shoot("answer", "answer-upright")
    page.set_viewport_size(DESKTOP["viewport"])
    page.goto(f"{server.url}/kiosk?lang=zh")
    shoot("attract", "attract-zh", 2000)
    page.goto(f"{server.url}/kiosk")
    page.locator(".k-attract").wait_for(timeout=90_000)
    page.evaluate("localStorage.setItem('unplugged', '1')")
    shoot("camera")
    server.stop()
    shoot("over:not([hidden])", "offline")


def save(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"{name}.png")
    page.context.close()
    print(FOLDER / f"{name}.png", flush=True)


def main() -> None:
    """Start the app, look at every page at every size, stop it."""
    FOLDER.mkdir(exist_ok=True)
    classifier = Classifier.load()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = Path(scratch)
        broken = folder / "notes.png"
        broken.write_text("not a picture")
        photos = [validation_photos(label)[4] for label in ("glass", "paper", "plastic")]
        server = Server(folder / "log.txt").wait_until_ready()
        try:
            for label in ("metal", "cardboard"):
                clip = write_clip(folder / f"{label}.mjpeg", [(next(photo_scenes(label, classifier)), 20)])
                browser = launch(playwright, clip)
                if label == "metal":
                    live(browser, server.url, "live", "Metal", **DESKTOP)
                    live(browser, server.url, "live-phone", "Metal", user_agent=PHONE_AGENT, **PHONE)
                else:
                    live(browser, server.url, "live-dark-1920", "Cardboard", color_scheme="dark", **WALL)
                browser.close()
            clip = write_clip(folder / "empty.mjpeg", [(empty_scene(), 20)])
            browser = launch(playwright, clip)
            live(browser, server.url, "live-empty", "Hold an item up", **DESKTOP)
            photo(browser, server.url, "photo", photos[:1], **DESKTOP)
            photo(browser, server.url, "photo-phone", photos[:1], **PHONE)
            photo(browser, server.url, "photos-1920", [*photos, broken], **WALL)
            photo(browser, server.url, "photos-dark", [*photos, broken], color_scheme="dark", **DESKTOP)
            browser.close()
        finally:
            server.stop()
        kiosk(playwright, folder, classifier)


if __name__ == "__main__":
    main()

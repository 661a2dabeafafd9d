"""The server is gone while pages are open: they say so in the product's words, and go on when it is back."""

from playwright.sync_api import expect

from app.advice.languages import languages
from tests.helpers.server import Server
from tests.helpers.video import PICTURES, wait_for_video

NOTICED_MS = 15_000
STREAMLITS = "Streamlit", "yourscript"


def test_every_page_says_that_the_server_is_gone_and_recovers(chromium, tmp_path):
    words = languages()["de"]
    server = Server(tmp_path / "log.txt").wait_until_ready()
    context = chromium.new_context(locale="de")
    try:
        pages = {path: context.new_page() for path in ("/photo", "/operator", "/")}
        for path, page in pages.items():
            page.goto(server.url + path)
        live = pages["/"]
        wait_for_video(live)
        expect(live.locator(".st-key-verdict .wb-bars")).to_be_visible()
        for path in ("/photo", "/operator"):
            expect(pages[path].locator("h1")).to_have_count(1, timeout=NOTICED_MS)
            expect(pages[path].locator(".wb-offline")).to_be_hidden()
        server.process.kill()
        server.process.wait()
        for path, page in pages.items():
            where = '.wb-trouble[data-kind="offline"]' if path == "/" else ".wb-offline"
            expect(page.locator(f"{where} .wb-title")).to_have_text(words("offline_title"))
            expect(page.locator(where)).to_be_visible(timeout=NOTICED_MS)
        dialog = live.locator('[data-testid="stDialog"]')
        dialog.wait_for(state="attached", timeout=NOTICED_MS)  # Streamlit's, which nobody sees
        for page in pages.values():
            expect(page.locator('[data-testid="stDialog"]')).to_be_hidden()
            text = page.locator("body").inner_text()
            assert not any(word in text for word in STREAMLITS), text
        expect(live.locator(".st-key-verdict .wb-bars")).to_be_hidden()
        assert live.locator(".wb-card:visible").count() == 1
        assert live.locator('iframe[title*="webrtc"]').evaluate("(e) => getComputedStyle(e).visibility") == "hidden"

        server = Server(tmp_path / "again.txt", port=server.port).wait_until_ready()
        for path in ("/photo", "/operator"):
            expect(pages[path].locator(".wb-offline")).to_be_hidden(timeout=60_000)
        expect(live.locator(".st-key-verdict .wb-bars")).to_be_visible(timeout=60_000)
        live.wait_for_function(f"() => ({PICTURES})() > 5", timeout=60_000)
        expect(live.locator('iframe[title*="webrtc"]')).to_be_visible()
    finally:
        context.close()
        server.stop()

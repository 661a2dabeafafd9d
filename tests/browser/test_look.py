"""How every page looks: at each width, with large letters, to a screen reader, and in the visitor's language."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.helpers.fakes import png
from tests.helpers.kiosk import wait_for_scene
from tests.helpers.server import Server
from tests.helpers.video import fails_with, wait_for_video

PASSWORD = "a long one of our own"
SIZES = [(360, 740), (390, 844), (768, 1024), (820, 1180), (844, 390), (1024, 768), (1280, 800), (1920, 1080)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]  # axe-core's tags

# A word that breaks inside, a text that is cut, lies outside the window or on another. A line of text counts as high as
# its letters: the room that a font leaves above and below them may touch.
FAULTS = r"""() => {
  const faults = new Set(), boxes = [];
  const texts = document.createTreeWalker(document.querySelector('.stMain'), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest('.wb-spoken, .wb-heading, [data-testid="stIconMaterial"], style, script')
        || !parent.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const name = `${parent.className || parent.tagName}: ${node.data.trim().slice(0, 30)}`;
    for (const { 0: word, index } of node.data.matchAll(/[\p{L}\p{N}]+/gu)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1)
        faults.add(`${word} breaks in ${name}`);
    }
    for (let box = parent; box !== document.body; box = box.parentElement)
      if (box.clientWidth && box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).textOverflow === 'ellipsis')
        faults.add(`cut: ${name}`);
    const range = document.createRange(), size = parseFloat(getComputedStyle(parent).fontSize);
    range.selectNodeContents(node);
    for (const { left, right, top, bottom } of range.getClientRects()) {
      const spare = Math.max(0, (bottom - top - size) / 2);
      if (left < -1 || right > innerWidth + 1) faults.add(`outside: ${name}`);
      boxes.push([name, parent, { left, right, top: top + spare, bottom: bottom - spare }]);
    }
  }
  for (const [i, [one, parent, a]] of boxes.entries())
    for (const [other, its, b] of boxes.slice(i + 1))
      if (parent !== its && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
          && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4) faults.add(`${one} on ${other}`);
  if (document.documentElement.scrollWidth > innerWidth) faults.add('the page scrolls sideways');
  return [...faults];
}"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A server with long words: German rules, and a page for its operator."""
    folder = tmp_path_factory.mktemp("look")
    settings = {"COUNT_ANSWERS": "1", "COUNTS_FILE": str(folder / "counts.sqlite3"), "OPERATOR_PASSWORD": PASSWORD}
    settings |= {"MAX_STREAMS": "20", "BINS": "germany"}
    running = Server(folder / "log.txt", **{f"WHICHBIN_{name}": value for name, value in settings.items()})
    yield running.wait_until_ready()
    running.stop()


@pytest.fixture
def page(chromium):
    context = chromium.new_context(locale="de-DE")
    yield context.new_page()
    context.close()


def open_live(page: Page, url: str) -> None:
    page.goto(url)
    wait_for_video(page)
    expect(page.get_by_text("Hinten")).to_be_visible()
    page.get_by_text("Einzelheiten").click()
    expect(page.get_by_text("Vom Bild zur Antwort")).to_be_visible()
    page.get_by_role("button", name="Das war falsch").click()
    expect(page.get_by_text("Bisher gab es keine Antwort")).to_be_visible()


def open_live_refused(page: Page, url: str) -> None:
    page.add_init_script(fails_with("NotAllowedError"))
    page.goto(url)
    expect(page.locator('.wb-trouble[data-kind="refused"]')).to_be_visible()
    expect(page.get_by_text("Hinten")).to_be_visible()


def open_photo(page: Page, url: str) -> None:
    """With two answers, of which one is about to be corrected, and a file that cannot be used."""
    page.goto(url + "/photo")
    files = [(f"{n}.png", "image/png", png((n * 90, 90, 80))) for n in range(2)] + [("bad.jpg", "image/jpeg", b"x")]
    sent = [{"name": name, "mimeType": kind, "buffer": content} for name, kind, content in files]
    page.locator('input[type="file"]').set_input_files(sent)
    expect(page.locator(".wb-photo")).to_have_count(2, timeout=30_000)
    expect(page.locator(".wb-error")).to_contain_text("bad.jpg ist kein lesbares Bild")
    page.get_by_role("button", name="Das war falsch").first.click()
    expect(page.get_by_text("Was ist es wirklich?")).to_be_visible()


def open_operator(page: Page, url: str) -> None:
    page.goto(url + "/operator")
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("input[type=password]").press("Enter")
    expect(page.get_by_text("Gezählte Antworten")).to_be_visible(timeout=30_000)


OPEN = {"live": open_live, "live refused": open_live_refused, "photo": open_photo, "operator": open_operator}


def violations(page: Page) -> list[str]:
    """What axe-core objects to: rule, place and reason."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response["violations"]
    return [f"{rule['id']} {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("name", OPEN)
def test_it_fits_every_width_with_large_letters_too_and_axe_finds_nothing(page, running, name):
    OPEN[name](page, running.url)
    faults = {}
    for scale in (1, 2):
        page.evaluate("scale => document.documentElement.style.fontSize = `${16 * scale}px`", scale)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(400)  # Streamlit lays its columns out a moment later
            if found := page.evaluate(FAULTS):
                faults[f"{width}x{height}, letters {scale}00 %"] = found
    assert not faults
    page.evaluate("document.documentElement.style.fontSize = ''")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(500)
        assert violations(page) == [], theme


def test_axe_finds_nothing_before_anything_is_done_and_on_the_kiosk(page, running):
    for path, sign in (("/photo", 'input[type="file"]'), ("/operator", "input[type=password]")):
        page.goto(running.url + path)
        page.locator(sign).wait_for(state="attached")
        page.wait_for_timeout(500)
        assert violations(page) == [], path
    page.goto(running.url + "/kiosk")
    wait_for_scene(page, "attract", 30)
    assert violations(page) == []
    page.add_init_script(fails_with("NotFoundError"))
    page.reload()
    expect(page.locator('.k-over [data-kind="missing"] .k')).to_be_visible()
    assert violations(page) == []


def test_the_language_of_the_browser_the_address_and_the_switch(page, running):
    """It stays from page to page and through a reload; title and <html lang> follow."""

    def speaks(language: str, title: str) -> None:
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page).to_have_title(title)

    page.goto(running.url + "/photo")
    speaks("de", "Foto · Whichbin")
    expect(page.get_by_text("Hochladen")).to_be_visible()  # Streamlit's own word is "Upload"
    page.get_by_role("combobox").click()
    page.get_by_role("option", name="Français").click()
    speaks("fr", "Photo · Whichbin")
    expect(page.get_by_text("Envoyer")).to_be_visible()
    expect(page).to_have_url(re.compile("lang=fr"))
    page.locator(".st-key-header").get_by_role("link").first.click()
    speaks("fr", "Direct · Whichbin")
    expect(page).to_have_url(re.compile(r":\d+/\?lang=fr"))  # which comes after the title
    page.reload()
    speaks("fr", "Direct · Whichbin")
    page.goto(running.url + "/photo?lang=es-MX")
    speaks("es", "Foto · Whichbin")
    page.goto(running.url + "/kiosk")  # the language of a kiosk is its server's, whatever its browser speaks
    speaks("en", "Kiosk · Whichbin")

"""Every screen of the kiosk, in every language and with every shipped rules file, fits each size of display."""

import itertools
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from app.advice.bins import POSITIONS, Rules, load_rules, rules_files
from app.advice.languages import languages
from app.kiosk.screens import Scene, Screen
from app.kiosk.sureness import Sureness
from app.views import kiosk_html as html
from app.views.camera import TROUBLES
from tests.helpers.trashnet import ROOT

LABELS = ("cardboard", "glass", "metal", "paper", "plastic", "trash")
SIZES = [(1920, 1080), (1080, 1920), (1280, 800)]
CSS = (ROOT / "app" / "kiosk" / "kiosk.css").read_text(encoding="utf-8")

# What sticks out of the screen or of its own panel, overlaps another, or is too small. A line of text is taken as high
# as its letters: the room that a font leaves above and below them may touch.
FAULTS = """() => {
  const faults = [], boxes = [];
  const inside = (a, b) => a.left > b.left - 2 && a.right < b.right + 2 && a.top > b.top - 2 && a.bottom < b.bottom + 2;
  const apart = (a, b) => a.left >= b.right || b.left >= a.right || a.top >= b.bottom || b.top >= a.bottom;
  const screen = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  const texts = document.createTreeWalker(document.querySelector('.stApp'), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const parent = texts.currentNode.parentElement;
    if (!parent.checkVisibility() || !parent.textContent.trim()) continue;
    const name = `${parent.className || parent.tagName}: ${parent.textContent.slice(0, 40)}`;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (parent.matches('.wb-where b, .wb-title, .k-sure') && size < innerHeight / 20)
      faults.push(`only ${size} pixels high ${name}`);
    const panel = parent.closest('.wb-title, .wb-bin, .wb-detail, .k-chip, button')?.getBoundingClientRect() ?? screen;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    for (const { left, right, top, bottom } of range.getClientRects()) {
      const spare = (bottom - top - size) / 2;
      const line = { left, right, top: top + spare, bottom: bottom - spare };
      if (!inside(line, screen) || !inside(line, panel)) faults.push('sticks out ' + name);
      boxes.push([name, line]);
    }
  }
  const camera = document.querySelector('.st-key-kiosk-camera');
  if (camera.checkVisibility({ opacityProperty: true })) boxes.push(['the camera', camera.getBoundingClientRect()]);
  for (const [i, [one, a]] of boxes.entries())
    for (const [other, b] of boxes.slice(i + 1)) if (!apart(a, b)) faults.push(`${one} overlaps ${other}`);
  if (document.documentElement.scrollHeight > innerHeight || document.documentElement.scrollWidth > innerWidth)
    faults.push('the page scrolls');
  return faults;
}"""


def show(page: Page, screen: str) -> None:
    buttons = "".join(f"<button><p>{words.name}</p></button>" for words in languages().values())
    page.set_content(
        f"<style>{CSS} * {{ animation: none !important; }}</style><div class='stApp'>{screen}"
        f"<div class='st-key-kiosk-camera'></div><div class='st-key-kiosk-languages'>{buttons}</div></div>"
    )


def placed(rules: Rules) -> Rules:
    """The rules with a position for every bin."""
    turn = itertools.cycle(POSITIONS)
    categories = {
        label: replace(category, bins=tuple(replace(bin, position=next(turn)) for bin in category.bins))
        for label, category in rules.categories.items()
    }
    return replace(rules, categories=categories, default_bin=replace(rules.default_bin, position="left"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("words", languages().values(), ids=lambda words: words.code)
def test_every_screen_fits(chromium, words, size):
    page = chromium.new_page(viewport={"width": size[0], "height": size[1]}, has_touch=True)
    faults = {}
    for rules_name, path in rules_files().items():
        rules = placed(load_rules(LABELS, path, words))
        screens = [Screen(scene) for scene in Scene if scene is not Scene.ANSWER]
        screens += [Screen(Scene.THANKS, label) for label in LABELS]
        longest = max(Sureness, key=lambda sureness: len(words(sureness.value)))
        screens += [Screen(Scene.ANSWER, label, sureness=longest) for label in LABELS]
        for screen in screens:
            show(page, html.screen_html(screen, rules, today=12_345) + html.sure_html(screen, words))
            if found := page.evaluate(FAULTS):
                faults[f"{rules_name} {screen.scene.value} {screen.label}"] = found
    own = str(html.page_html(words, sound=False, troubles=TROUBLES)).replace('class="k-over" hidden', 'class="k-over"')
    for kind in ("offline", *TROUBLES):
        show(page, own.replace(f'data-kind="{kind}" hidden', f'data-kind="{kind}"'))
        assert page.locator(".k-over .k:visible").count() == 1
        if found := page.evaluate(FAULTS):
            faults[kind] = found
    page.close()
    assert not faults, "\n".join(itertools.chain.from_iterable([k, *v] for k, v in faults.items()))


@pytest.mark.parametrize("scene", [Scene.ANSWER, Scene.GAVE_UP, Scene.THANKS], ids=lambda scene: scene.value)
def test_axe_finds_nothing_on_what_it_says(chromium, scene):
    """Its own rules for colours, pictures and the like; those for whole pages are tested on the page itself."""
    page = chromium.new_page()
    rules = placed(load_rules(LABELS))
    for label in LABELS:
        show(page, f"<main>{html.screen_html(Screen(scene, label), rules, today=12)}</main>")
        options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
        options["rules"] = {name: {"enabled": False} for name in ("document-title", "html-has-lang")}
        found = Axe().run(page, options=options).response["violations"]
        assert [f"{rule['id']} {node['failureSummary']}" for rule in found for node in rule["nodes"]] == []
    page.close()


@pytest.mark.parametrize(("motion", "moves"), [("no-preference", True), ("reduce", False)])
def test_nothing_moves_for_those_who_want_it_so(chromium, motion, moves):
    page = chromium.new_page(reduced_motion=motion)
    screen = html.screen_html(Screen(Scene.ATTRACT), load_rules(LABELS))
    page.set_content(f"<style>{CSS}</style><div class='stApp'>{screen}</div>")
    page.wait_for_timeout(400)  # the screen itself has faded in
    running = page.evaluate("document.getAnimations().filter((a) => a.playState === 'running').length")
    page.close()
    assert (running > 0) == moves

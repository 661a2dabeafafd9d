"""The documentation: links, images and commands that exist, and a README of a length that is read."""

import re
from pathlib import Path

import pytest

from tests.helpers.trashnet import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "deploy").rglob("README.md")),
]
README_LINES = 150


def prose(page: Path) -> str:
    """A page's Markdown without its code, in which brackets are not links."""
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def links(page: Path) -> list[str]:
    """The targets of all links and images of a page, those of HTML tags among them."""
    text = prose(page)
    return re.findall(r"\]\(\s*<?([^)\s>]+)", text) + re.findall(r"\b(?:src|href)=\"([^\"]+)\"", text)


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, as GitHub makes it of them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def problem(page: Path, link: str) -> str:
    """What is wrong with a link of a page; empty if nothing is."""
    if re.match(r"[a-z]+:", link):
        return ""  # an address elsewhere
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if name and not (target.is_relative_to(ROOT) and target.exists()):
        return "is not there"
    return f"has no heading {anchor}" if anchor and anchor not in anchors(target) else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_image_is_there(page):
    found = {link: problem(page, link) for link in links(page)}
    assert not {link: what for link, what in found.items() if what}


def test_links_are_found_and_missing_ones_are_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        '# One, two\n[a](#one-two) [b](#three) ![c](missing.png) [`d`](https://example.org)\n<img src="e.png">\n'
        "`[f](code.md)`\n```\n[g](block.md)\n# Three\n```\n"
    )
    assert links(page) == ["#one-two", "#three", "missing.png", "https://example.org", "e.png"]
    assert [bool(problem(page, link)) for link in links(page)] == [False, True, True, False, True]


# the changelog and the experiments name what there was
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "CHANGELOG.md" and "experiments" not in page.parts],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_command_of_ours_is_there(page):
    for module in re.findall(r"python -m ((?:app|model|training|tests)[\w.]*\w)", page.read_text(encoding="utf-8")):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES

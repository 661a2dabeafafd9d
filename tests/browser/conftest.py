"""One Playwright and one Chromium for all modules that need no more than an empty view before the camera."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.helpers.browser import launch
from tests.helpers.camera import write_clip
from tests.helpers.drawings import empty_scene
from tests.helpers.nginx import NAME

ELSEWHERE = "whichbin.test"  # a name that does not make a page's origin secure, unlike localhost
NAMES = f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1, MAP {NAME} 127.0.0.1"

# Most of these tests are about what comes, not how soon: on two cores with much beside them a page may take its time
expect.set_options(timeout=20_000)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Ends with this folder: while it is there, its event loop keeps others from running in this thread."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def empty_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty view, for a browser's camera."""
    return write_clip(tmp_path_factory.mktemp("empty") / "camera.y4m", [(empty_scene(), 3.0)])


@pytest.fixture(scope="package")
def chromium(playwright: Playwright, empty_clip: Path) -> Iterator[Browser]:
    """Its camera sees an empty view. Close each context and page that you open, so that its stream ends."""
    browser = launch(playwright, empty_clip, flags=[NAMES])
    yield browser
    browser.close()

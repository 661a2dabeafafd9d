"""Finds the Chromium for the browser tests. Run as a script: exits with 0 if there is one."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def chromium_path(playwright: Playwright) -> str | None:
    """The system's Chromium, else Playwright's own, else None."""
    system = shutil.which("chromium")
    if system:
        return system
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def launch(
    playwright: Playwright,
    camera: Path | None = None,
    grant: bool = True,
    flags: Sequence[str] = (),
    program: str | None = None,
) -> Browser:
    """A headless Chromium. camera: of `write_clip`, played as the camera, over and over. grant: allow it unasked.

    program: starts it; else the one that is here.
    """
    path = program or chromium_path(playwright)
    if path is None:
        raise RuntimeError("no Chromium; run tests/helpers/install_browser.sh")
    flags = [*FLAGS, *flags]
    if camera:
        flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    if camera and grant:
        flags.append("--use-fake-ui-for-media-stream")
    return playwright.chromium.launch(executable_path=path, args=flags)


if __name__ == "__main__":
    with sync_playwright() as p:
        sys.exit(0 if chromium_path(p) else 1)

"""Tries deploy/kiosk/policy.json on a real Chromium and prints what it allowed, as one JSON object.

Run it only in name spaces of its own (`unshare --mount --net`; test_deploy.py does): it hides /etc/chromium and listens
on the kiosk's own port. The server and its network link are started with the commands of whichbin.service.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page, sync_playwright

from tests.helpers.browser import FLAGS
from tests.helpers.camera import write_clip
from tests.helpers.drawings import empty_scene
from tests.helpers.trashnet import ROOT

KIOSK = ROOT / "deploy" / "kiosk"
MANAGED = Path("/etc/chromium/policies/managed")
UNDRIVABLE = ("DeveloperToolsAvailability", "IncognitoModeAvailability")  # with these, Playwright cannot drive it
METRICS = 9108

ASK = """(what) => Promise.race([
  navigator.mediaDevices.getUserMedia(what).then((s) => s.getTracks()[0].readyState, (e) => e.name),
  new Promise((done) => setTimeout(done, 3000, "still asking")),
])"""

ELSEWHERE = [
    "http://127.0.0.1:8501/kiosk",
    "http://sub.localhost:8501/kiosk",
    "http://localhost:8501/operator",
    "http://localhost:8502/kiosk",
    "https://example.com/",
    "file:///etc/passwd",
    "chrome://settings/",
    "view-source:http://localhost:8501/kiosk",
]


def command(unit: str, key: str) -> str:
    """The value of a unit's first line that begins with `key=`, continuation lines joined."""
    text = (KIOSK / unit).read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.search(rf"^{key}=(.*)$", text, re.MULTILINE)
    assert found, f"{unit} has no {key}"
    return found[1]


def make_link() -> None:
    """whichbin.service's ExecStartPre; a bridge without ports stands in where the kernel has no dummy links."""
    script = command("whichbin.service", "ExecStartPre").split("'")[1]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if subprocess.run(["sh", "-euc", script], capture_output=True).returncode:
        subprocess.run(["sh", "-euc", script.replace("type dummy", "type bridge")], check=True)


def start_server(log: Path) -> subprocess.Popen[bytes]:
    """whichbin.service's ExecStart, from this checkout."""
    words = command("whichbin.service", "ExecStart").split()
    words[0] = str(Path(sys.executable).parent / Path(words[0]).name)
    settings = {**os.environ, "WHICHBIN_METRICS_PORT": str(METRICS)}
    with log.open("wb") as out:
        return subprocess.Popen(words, cwd=ROOT, env=settings, stdout=out, stderr=subprocess.STDOUT)


def answer(address: str) -> str:
    """What an address answers, or nothing."""
    try:
        with urllib.request.urlopen(address, timeout=2) as reply:
            return str(reply.read().decode())
    except OSError:
        return ""


def frames() -> float:
    """Camera frames that have reached the server."""
    found = re.search(r"^whichbin_frames_total (\S+)", answer(f"http://127.0.0.1:{METRICS}"), re.MULTILINE)
    return float(found[1]) if found else 0.0


def wait_for(what: Any, seconds: float) -> bool:
    """Whether `what()` becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.3)
    return False


def arrival(context: BrowserContext, address: str) -> str:
    """ "shown", or the error with which an address was refused."""
    page = context.new_page()
    try:
        page.goto(address, timeout=10_000)
    except Error as error:
        return re.sub(r".*(net::\S+).*", r"\1", error.message.splitlines()[0])
    finally:
        page.close()
    return "shown"


def asked(page: Page, address: str, **what: bool) -> str:
    """What a page at an address gets when it asks for the camera or the microphone."""
    page.goto(address)
    return str(page.evaluate(ASK, what))


def main() -> None:
    policy = json.loads((KIOSK / "policy.json").read_text(encoding="utf-8"))
    drivable = {key: value for key, value in policy.items() if key not in UNDRIVABLE}
    anywhere = {key: value for key, value in drivable.items() if not key.startswith("URL")}
    kiosk = command("whichbin-kiosk.service", "ExecStart").split()[-1]
    subprocess.run(["mount", "-t", "tmpfs", "none", "/etc/chromium"], check=True)
    MANAGED.mkdir(parents=True)
    make_link()
    chromium = shutil.which("chromium") or ""
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as playwright:
        clip = write_clip(Path(folder) / "wall.mjpeg", [(empty_scene(), 2)])
        camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={clip}"]

        def browser(name: str, with_policy: dict[str, Any]) -> BrowserContext:
            (MANAGED / "whichbin.json").write_text(json.dumps(with_policy))
            return playwright.chromium.launch_persistent_context(
                Path(folder) / name, executable_path=chromium, args=FLAGS + camera
            )

        server = start_server(Path(folder) / "server.txt")
        try:
            assert wait_for(lambda: answer("http://127.0.0.1:8501/_stcore/health"), 60), "the server did not start"
            context = browser("shipped", drivable)
            result["camera"] = asked(context.pages[0], kiosk, video=True)
            result["microphone"] = asked(context.pages[0], kiosk, audio=True)
            result["elsewhere"] = {address: arrival(context, address) for address in ELSEWHERE}
            context.close()
            context = browser("anywhere", anywhere)
            result["camera, other origin"] = asked(context.pages[0], ELSEWHERE[0], video=True)
            context.close()
            context = browser("none", {})
            result["camera, no policy"] = asked(context.pages[0], kiosk, video=True)
            context.close()

            (MANAGED / "whichbin.json").write_text(json.dumps(policy))  # the whole of it: nothing drives this browser
            before = frames()
            words = [chromium, "--headless", f"--user-data-dir={folder}/whole", *FLAGS, *camera, kiosk]
            alone = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            result["frames"] = wait_for(lambda: frames() > before + 30, 40)
            result["alive"] = answer("http://127.0.0.1:8501/kiosk/alive")
            alone.terminate()
            alone.wait(20)
        finally:
            server.terminate()
            server.wait(20)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

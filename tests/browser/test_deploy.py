"""deploy/kiosk: the units are sound, agree with each other and with the app, and the policy does what it says."""

import json
import mmap
import re
import shlex
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from dataclasses import fields
from pathlib import Path

import pytest

from app.advice.languages import languages
from app.settings import Settings, load_settings
from tests.helpers.kiosk_policy import ELSEWHERE, command
from tests.helpers.programs import needs
from tests.helpers.trashnet import ROOT

KIOSK = ROOT / "deploy" / "kiosk"
UNITS = sorted([*KIOSK.glob("*.service"), *KIOSK.glob("*.timer")])
POLICY = json.loads((KIOSK / "policy.json").read_text())
CHROMIUM = Path("/usr/lib/chromium/chromium")  # Debian's


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit):
    done = subprocess.run([needs("systemd-analyze"), "verify", unit], capture_output=True, text=True)
    elsewhere = r"Command (/opt/whichbin/\S+|/usr/bin/(cage|curl)) is not executable: No such file or directory"
    complaints = [line for line in done.stderr.splitlines() if unit.stem in line and not re.search(elsewhere, line)]
    assert not complaints


def test_the_server_is_shut_in():
    """The score of `systemd-analyze security`: 0 is shut in, 10 is not at all. Threshold in tenths."""
    unit = KIOSK / "whichbin.service"
    options = ["security", "--offline=true", "--threshold=20", unit]
    done = subprocess.run([needs("systemd-analyze"), *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def known_to_chromium(words):
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there")
    with CHROMIUM.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as program:
        return {word for word in words if program.find(b"\0" + word.encode() + b"\0") >= 0}


def test_chromium_knows_every_policy():
    assert known_to_chromium([*POLICY, "NoSuchPolicy"]) == set(POLICY)


def test_chromium_knows_every_flag():
    flags = re.findall(r"--([a-z][a-z-]+)", (KIOSK / "browser.sh").read_text().split("wlr-randr")[-1])
    assert len(flags) > 8
    assert known_to_chromium([*flags, "no-such-flag"]) == set(flags)


def test_addresses_agree():
    texts = {path.name: path.read_text() for path in KIOSK.iterdir()}
    for name, text in texts.items():
        for port in re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", text):
            assert port == "8501", name
    server = shlex.split(command("whichbin.service", "ExecStart"))
    assert server[server.index("--server.port") + 1] == "8501"
    assert server[server.index("--server.address") + 1] == "127.0.0.1"
    kiosk = command("whichbin-kiosk.service", "ExecStart").split()[-1]
    assert kiosk == "http://localhost:8501/kiosk"
    assert POLICY["VideoCaptureAllowedUrls"] == [kiosk.removesuffix("/kiosk")]
    assert POLICY["URLAllowlist"][0] == kiosk.replace("//", "//.")  # a dot: this host, and none below it
    link = re.findall(r"198\.51\.100\.1", texts["whichbin.service"] + texts["whichbin-kiosk.service"])
    assert len(link) == 3  # made, allowed to the server, allowed to the browser


def test_paths_agree():
    script = (KIOSK / "install.sh").read_text()
    for unit in UNITS:
        text = unit.read_text()
        for path in re.findall(r"/opt/whichbin/(\S+\.(?:sh|py))", text):
            assert (ROOT / path).exists(), f"{unit.name}: {path}"
        for user in re.findall(r"^User=(\S+)", text, re.MULTILINE):
            assert re.search(rf"for user in .*\b{user}\b", script), unit.name
        if "[Install]" in text:
            assert unit.name in script
    assert (ROOT / command("whichbin.service", "ExecStart").split()[2]).exists()
    assert "WHICHBIN_SETTINGS=/etc/whichbin.toml" in (KIOSK / "whichbin.service").read_text()
    assert "/etc/whichbin.toml" in script


def test_the_health_addresses_are_the_apps(server):
    asked = {address for unit in UNITS for address in re.findall(r"http://127\.0\.0\.1:8501(/\S+)", unit.read_text())}
    assert asked == {"/_stcore/health", "/kiosk/alive"}
    for address in asked:
        try:
            with urllib.request.urlopen(server.url + address) as reply:
                status = reply.status
        except urllib.error.HTTPError as error:
            status = error.code
        assert status in ((200,) if "health" in address else (200, 503)), address


def test_the_settings_file_is_one():
    settings = load_settings({"WHICHBIN_SETTINGS": str(KIOSK / "whichbin.toml")})
    assert settings == Settings()
    text = (KIOSK / "whichbin.toml").read_text()
    assert set(tomllib.loads(text)) <= {field.name for field in fields(Settings)}
    assert " ".join(languages()) in text


def test_the_scripts_are_sound():
    for name in ("install.sh", "browser.sh"):
        subprocess.run(["sh", "-n", KIOSK / name], check=True)
        assert (KIOSK / name).stat().st_mode & 0o111, name


def test_the_policy_gives_the_camera_to_the_kiosk_and_nothing_else():
    """In name spaces of its own: neither another server's port nor another user's Chromium is touched."""
    needs("chromium")
    alone = [needs("unshare"), "--user", "--map-root-user", "--mount", "--net"]
    if subprocess.run([*alone, needs("mount"), "-t", "tmpfs", "none", "/etc/chromium"]).returncode:
        pytest.skip("this machine lets nobody make name spaces, or has no /etc/chromium")
    needs("ip")
    program = [sys.executable, "-m", "tests.helpers.kiosk_policy"]
    done = subprocess.run([*alone, *program], cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["camera"] == "live"
    assert result["microphone"] == "NotAllowedError"
    assert result["elsewhere"] == dict.fromkeys(ELSEWHERE, "net::ERR_BLOCKED_BY_ADMINISTRATOR")
    assert result["camera, other origin"] == "NotAllowedError"
    assert result["camera, no policy"] != "live"  # so it was the policy
    assert result["frames"], "the whole policy: no picture reached the server"
    assert result["alive"] == "a kiosk is there\n"

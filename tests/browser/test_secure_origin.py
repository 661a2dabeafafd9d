"""HTTPS and what a page says without it, in a real Chromium; and the self-signed certificate."""

import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from playwright.sync_api import expect

from app.network.https import RENEW, VALID, addresses, certificate_hosts, machine_hosts, self_signed
from tests.helpers.server import free_port
from tests.helpers.trashnet import ROOT
from tests.helpers.video import wait_for_video

HOSTS = ["192.0.2.7", "bin.local", "localhost", "127.0.0.1", "::1"]


@pytest.fixture(scope="module")
def kiosk(chromium, server):
    """A kiosk without HTTPS, while the other tests go on; its page, when it was asked for, and how often it loaded."""
    page, loads = chromium.new_page(), []
    page.on("load", lambda: loads.append(1))
    page.goto(f"http://whichbin.test:{server.port}/kiosk?lang=de")
    yield page, time.monotonic(), loads
    page.close()


@pytest.mark.usefixtures("kiosk")
def test_without_https_the_live_page_says_why_and_offers_a_photo(chromium, server):
    page = chromium.new_page()
    page.goto(f"http://whichbin.test:{server.port}/")
    said = page.locator(".st-key-insecure")
    expect(said).to_contain_text("No camera at this address", timeout=30_000)
    expect(said).to_contain_text(
        f"only to addresses with https:// and to localhost, not to http://whichbin.test:{server.port}."
    )
    expect(page.locator(".st-key-live")).to_be_hidden()
    said.get_by_role("link", name="Use a photo").click()
    expect(page.locator('input[type="file"]')).to_be_attached(timeout=20_000)
    page.close()


def test_on_localhost_it_says_nothing_of_the_kind(chromium, server):
    page = chromium.new_page()
    page.goto(f"http://localhost:{server.port}/")
    wait_for_video(page)
    expect(page.locator(".st-key-insecure")).to_be_hidden()
    page.close()


@pytest.fixture
def serve(tmp_path):
    """Starts `python -m app.network.https` and gives its port and log."""
    processes = []

    def serve(**environ: str):
        port, log = free_port(), tmp_path / f"log{len(processes)}.txt"
        command = [sys.executable, "-m", "app.network.https", "--port", str(port), "--address", "127.0.0.1"]
        command += ["--folder", str(tmp_path / "https")]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=os.environ | environ
            )
        processes.append(process)
        end = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return port, log
            assert time.monotonic() < end, log.read_text()
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)

    yield serve
    for process in processes:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def healthy(host: str, port: int, trusted: str) -> bool:
    """Whether a client that trusts only this certificate gets an answer from the host by that name."""
    context = ssl.create_default_context(cafile=trusted)
    with urllib.request.urlopen(f"https://{host}:{port}/_stcore/health", timeout=5, context=context) as answer:
        return answer.status == 200


def test_https_gives_a_camera_where_plain_http_does_not(chromium, serve, tmp_path):
    port, log = serve()
    assert healthy("127.0.0.1", port, str(tmp_path / "https" / "certificate.pem"))
    assert healthy("localhost", port, str(tmp_path / "https" / "certificate.pem"))
    page = chromium.new_page(ignore_https_errors=True)
    page.goto(f"https://whichbin.test:{port}/")
    wait_for_video(page)
    expect(page.locator(".st-key-insecure")).to_be_hidden()
    page.close()
    text = log.read_text()
    assert f"https://localhost:{port}" in text  # all it can say of a server at one loopback address
    assert "▄▄▄▄▄ █" in text  # a corner of the QR code
    certificate = x509.load_pem_x509_certificate((tmp_path / "https" / "certificate.pem").read_bytes())
    assert set(machine_hosts()) <= set(certificate_hosts(certificate))


def test_without_https_the_kiosk_says_why_and_offers_a_photo(kiosk):
    page, since, loads = kiosk
    said = page.locator(".k-no-camera")
    expect(said).to_be_visible(timeout=30_000)
    expect(said).to_contain_text("Keine Kamera unter dieser Adresse")
    # longer than a kiosk waits for its camera: a reload cannot help here
    page.wait_for_timeout(max(0.0, since + 22 - time.monotonic()) * 1000)
    assert len(loads) == 1
    expect(said).to_be_visible()
    said.get_by_role("link").click()
    expect(page.locator('input[type="file"]')).to_be_attached(timeout=20_000)


def test_a_certificate_of_ones_own(serve, tmp_path):
    cert, key, _ = self_signed(tmp_path / "own", ["localhost"])
    port, _ = serve(STREAMLIT_SERVER_SSL_CERT_FILE=str(cert), STREAMLIT_SERVER_SSL_KEY_FILE=str(key))
    assert healthy("localhost", port, str(cert))
    assert not (tmp_path / "https").exists()


def test_half_a_certificate_of_ones_own_is_one_line():
    environ = os.environ | {"STREAMLIT_SERVER_SSL_CERT_FILE": "/nowhere/certificate.pem"}
    command = [sys.executable, "-m", "app.network.https"]
    failed = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert failed.returncode == 1
    assert failed.stderr.endswith("go together; one is missing\n")


def test_the_key_is_for_its_owner_only(tmp_path):
    old = os.umask(0)
    try:
        _, key, made = self_signed(tmp_path / "https", HOSTS)
    finally:
        os.umask(old)
    assert made == "there was none"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700


def test_the_certificate_is_kept_until_it_ends_or_the_addresses_change(tmp_path):
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def ask(hosts, after=0.0):
        cert, _, made = self_signed(tmp_path, hosts, now + timedelta(days=after))
        return cert.read_bytes(), made

    first, _ = ask(HOSTS)
    loaded = x509.load_pem_x509_certificate(first)
    assert certificate_hosts(loaded) == HOSTS
    assert loaded.not_valid_after_utc - loaded.not_valid_before_utc <= timedelta(days=398)
    assert ask(HOSTS) == (first, "")
    assert ask(HOSTS[1:]) == (first, "")
    assert ask(HOSTS, (VALID - RENEW).days - 2) == (first, "")
    second, made = ask(HOSTS, (VALID - RENEW).days)
    assert second != first
    assert "ends on 2027-02-01" in made
    third, made = ask([*HOSTS, "192.0.2.8"])
    assert third != second
    assert made == "new here: 192.0.2.8"


@pytest.mark.parametrize("name", ["certificate.pem", "key.pem"])
def test_a_damaged_certificate_is_replaced(tmp_path, name):
    self_signed(tmp_path, HOSTS)
    (tmp_path / name).write_text("nonsense")
    assert "damaged" in self_signed(tmp_path, HOSTS)[2]
    self_signed(tmp_path / "other", HOSTS)
    (tmp_path / name).write_bytes((tmp_path / "other" / name).read_bytes())
    assert "did not fit" in self_signed(tmp_path, HOSTS)[2]
    assert self_signed(tmp_path, HOSTS)[2] == ""


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-m", "app.network.https", "--folder", str(tmp_path / "file" / "https")]
    failed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert failed.returncode == 1
    assert failed.stderr.startswith("whichbin cannot serve HTTPS: ")
    assert len(failed.stderr.splitlines()) == 1


def test_the_addresses_to_type():
    hosts = ["192.0.2.7", "bin", "bin.local", "*.example.org", "bin.example.org", *HOSTS[2:]]
    assert addresses(hosts, 8501) == ["https://192.0.2.7:8501", "https://bin.example.org:8501"]
    assert addresses(["bin.example.org"], 443) == ["https://bin.example.org"]
    assert addresses(["127.0.0.1"], 8501) == ["https://localhost:8501"]

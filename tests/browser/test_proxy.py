"""deploy/proxy: nginx with the shipped configuration before two processes of the app, seen by a real Chromium."""

import http.client
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest
from playwright.sync_api import Page, expect

from app.network.guards import HEADERS, UPLOAD_S, UPLOADS
from app.settings import Settings
from tests.helpers import nginx
from tests.helpers.fakes import png
from tests.helpers.nginx import NAME, Nginx
from tests.helpers.programs import needs
from tests.helpers.server import Server, free_port, metric
from tests.helpers.trashnet import ROOT
from tests.helpers.video import ANNOTATED, PICTURES
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.skipif(nginx.PROGRAM is None, reason="no nginx; run tests/helpers/install_system.sh")

PROCESSES = ("a", "b")
UPLOAD = {"name": "one.png", "mimeType": "image/png", "buffer": png()}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """The two processes, and the ports of their metrics."""
    folder, running, ports = tmp_path_factory.mktemp("processes"), [], []
    for name in PROCESSES:
        ports.append(free_port())
        settings = {"WHICHBIN_METRICS_PORT": str(ports[-1]), "WHICHBIN_MAX_STREAMS": "5"}
        running.append(Server(folder / f"{name}.txt", **settings))
    try:
        yield {n: (s.wait_until_ready(), port) for n, s, port in zip(PROCESSES, running, ports, strict=True)}
    finally:
        for server in running:
            server.stop()


@pytest.fixture(scope="module")
def proxy(servers, tmp_path_factory):
    running = Nginx(tmp_path_factory.mktemp("nginx"), tuple(server.port for server, _ in servers.values()))
    yield running
    running.stop()


def test_nginx_takes_the_shipped_file(tmp_path):
    main = nginx.write_configuration(tmp_path)
    assert (tmp_path / "whichbin.conf").read_text() == nginx.SHIPPED.read_text()
    complaint = nginx.check(main)
    if "Permission denied" in complaint:
        pytest.skip("only root may listen at ports 80 and 443, which nginx -t tries")
    assert complaint == ""
    main.write_text(main.read_text().replace("worker_processes 1;", "worker_procesess 1;"))
    assert "unknown directive" in nginx.check(main)


def test_the_unit_the_proxy_and_the_app_agree():
    unit = nginx.SHIPPED.with_name("whichbin@.service")
    kiosk = (ROOT / "deploy" / "kiosk" / "whichbin.service").read_text()
    for option in kiosk.split("LimitCORE")[1].splitlines()[1:]:
        assert option in unit.read_text()  # as shut in, but for the network
    done = subprocess.run([needs("systemd-analyze"), "verify", unit], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if unit.stem in line and "/opt/whichbin/" not in line]
    assert not complaints
    shipped, readme = nginx.SHIPPED.read_text(), nginx.SHIPPED.with_name("README.md").read_text()
    for text in (shipped, readme):
        assert set(re.findall(r"(?:127\.0\.0\.1:|whichbin@)(\d+)", text)) == {"8511", "8512"}
    largest = int(re.search(r"client_max_body_size (\d+)m;", shipped)[1])
    assert largest == Settings().max_photo_mib + 1
    assert int(re.search(r"proxy_read_timeout (\d+)s;  # the app itself", shipped)[1]) > UPLOAD_S


def ask(proxy: Nginx, path: str, method: str = "GET", size: int = 0, name: str = NAME) -> http.client.HTTPResponse:
    """The answer to a client that trusts the proxy's certificate only. size: bytes that it says it will send."""
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    connection = http.client.HTTPSConnection("127.0.0.1", proxy.port, context=context, timeout=10)
    connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", proxy.port)), server_hostname=name)
    connection.request(method, path, headers={"Host": name, "Content-Length": str(size)})
    return connection.getresponse()


def test_headers_names_and_limits(proxy):
    answer = ask(proxy, "/")
    assert answer.status == 200
    for header, value in HEADERS.items():
        assert answer.headers.get_all(header) == [value]  # once: the app's
    assert answer.headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]
    cookie = next(c for c in answer.headers.get_all("Set-Cookie") if c.startswith("whichbin_process="))
    assert re.fullmatch(r"whichbin_process=[ab]; Path=/; Secure; HttpOnly; SameSite=Lax", cookie)
    assert answer.headers["Server"] == "nginx"
    assert [ask(proxy, "/_stcore/health").status for _ in PROCESSES] == [200, 200]
    assert [ask(proxy, "/kiosk/alive").status for _ in PROCESSES] == [503, 503]
    assert ask(proxy, f"{UPLOADS}session/file", "PUT", size=21 * 2**20 + 1).status == 413
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(proxy, "/", name="evil.example")
    for name, location in ((NAME, f"https://{NAME}/photo"), ("evil.example", None)):
        plain = http.client.HTTPConnection("127.0.0.1", proxy.plain, timeout=10)
        plain.request("GET", "/photo", headers={"Host": name})
        if location:
            assert plain.getresponse().headers["Location"] == location
        else:
            with pytest.raises(http.client.RemoteDisconnected):
                plain.getresponse()


def process_of(page: Page) -> str:
    """The process that the visitor's cookie names."""
    found = [c["value"] for c in page.context.cookies() if c["name"] == "whichbin_process"]
    assert len(found) == 1
    return found[0]


def playing(page: Page) -> None:
    page.wait_for_function(ANNOTATED, polling=50, timeout=30_000)


def streams(servers) -> dict[str, float]:
    return {name: metric(port, "whichbin_streams") for name, (_, port) in servers.items()}


def test_visitors_stay_with_their_process_until_it_dies(chromium, proxy, servers):
    contexts = [chromium.new_context(ignore_https_errors=True) for _ in PROCESSES]
    try:
        first, second = (context.new_page() for context in contexts)
        first.goto(proxy.url)
        first.locator(".wb-beat").wait_for(state="attached", timeout=30_000)
        second.goto(proxy.url)
        playing(first)
        playing(second)
        lost, kept = process_of(first), process_of(second)
        assert {lost, kept} == set(PROCESSES)  # the second went where fewer are
        assert streams(servers) == {"a": 1, "b": 1}

        first.goto(f"{proxy.url}/photo")
        first.locator('input[type="file"]').set_input_files(UPLOAD)
        expect(first.locator(".wb-photo")).to_have_count(1, timeout=30_000)
        assert first.locator(".wb-photo img.shot").evaluate("(image) => image.naturalWidth") > 0
        first.goto(f"{proxy.url}/kiosk")
        first.locator(".k-beat").wait_for(state="attached", timeout=30_000)
        assert [ask(proxy, "/kiosk/alive").status for _ in range(4)] == [200] * 4  # whichever process is asked first
        first.goto(proxy.url)
        playing(first)
        assert process_of(first) == lost

        addresses = {name: f"127.0.0.1:{server.port}" for name, (server, _) in servers.items()}
        sticky = [line for line in proxy.requests() if line[0] in PROCESSES]
        assert len(sticky) > 50
        assert [line for line in sticky if line[1] != addresses[line[0]]] == []
        assert {line[3] for line in sticky if line[2] == "101"} == {"GET /_stcore/stream"}
        assert not [line for line in sticky if line[2] == "429" or line[2] >= "500"]

        servers[lost][0].process.send_signal(signal.SIGKILL)
        servers[lost][0].process.wait()
        died = time.monotonic()
        before = second.evaluate(PICTURES)
        # the last picture stays until the page connects anew
        first.wait_for_function(f"() => !({ANNOTATED})()", polling=50, timeout=30_000)
        playing(first)
        print(f"back on the other process after {time.monotonic() - died:.1f} s")
        assert process_of(first) == kept
        # on a busy machine a page connects anew now and then
        wait_until(lambda: streams({kept: servers[kept]}) == {kept: 2}, 20, every=0.2)
        assert second.evaluate(PICTURES) - before > 5 * (time.monotonic() - died)  # it went on meanwhile
        assert ask(proxy, "/_stcore/health").status == 200
    finally:
        for context in contexts:
            context.close()

"""Through a real TURN server: a browser that has no other way gets annotated video, over UDP and over TCP."""

import shutil

import pytest
from playwright.sync_api import expect

from tests.helpers.coturn import PAIR, RELAY_ONLY, SECRET, Coturn, asked
from tests.helpers.server import Server
from tests.helpers.video import ANNOTATED

pytestmark = pytest.mark.skipif(
    not shutil.which("turnserver"), reason="no turnserver; run tests/helpers/install_system.sh"
)


@pytest.fixture
def coturn(request, tmp_path):
    running = Coturn(tmp_path, request.param)
    yield running
    running.stop()


@pytest.mark.parametrize("coturn", ["udp", "tcp"], indirect=True)
def test_a_browser_with_no_other_way_gets_annotated_video(chromium, coturn, tmp_path):
    settings = {"WHICHBIN_ICE_SERVERS": coturn.address, "WHICHBIN_TURN_SECRET": SECRET}
    server = Server(tmp_path / "log.txt", **settings).wait_until_ready()
    context = chromium.new_context()
    try:
        context.add_init_script(RELAY_ONLY)
        page = context.new_page()
        page.goto(server.url)
        page.wait_for_function(ANNOTATED, polling=50, timeout=30_000)
        kind, protocol, configuration = page.evaluate(PAIR)
        assert (kind, protocol) == ("relay", coturn.address.rpartition("=")[2])
        assert SECRET not in configuration
        assert SECRET not in page.content()
    finally:
        context.close()
        server.stop()
    assert SECRET not in server.log.read_text()


def test_without_the_turn_server_that_browser_alone_gets_no_video_and_is_told_so_within_ten_seconds(chromium, server):
    """Also what makes the tests above mean something."""
    beside, context = chromium.new_page(), chromium.new_context()
    beside.goto(server.url)
    context.add_init_script(RELAY_ONLY)
    page = context.new_page()
    page.goto(server.url)
    connecting = """() => document.querySelector('iframe[title*="webrtc"]')?.contentWindow.connections?.at(-1)
        ?.remoteDescription != null"""
    page.wait_for_function(connecting, polling=50, timeout=30_000)
    expect(page.get_by_text("The video does not get through")).to_be_visible(timeout=10_000)
    page.wait_for_timeout(10_000)
    expect(page.get_by_text("The video does not get through")).to_be_visible()
    assert not page.evaluate(ANNOTATED)
    assert beside.evaluate(ANNOTATED)
    expect(beside.get_by_text("The video does not get through")).to_have_count(0)
    context.close()
    beside.close()


@pytest.mark.parametrize("coturn", ["udp", "tcp"], indirect=True)
def test_the_doctor_asks_for_an_allocation(coturn):
    assert asked(coturn.address, coturn.credentials()) == ("", "relays from 127.0.0.1")
    assert "refuses the credentials" in asked(coturn.address, coturn.credentials(secret="south"))[0]
    assert "refuses the credentials" in asked(coturn.address, coturn.credentials(lifetime=-600))[0]
    if coturn.address.endswith("udp"):
        assert asked(f"stun:127.0.0.1:{coturn.port}", {})[1] == "sees this machine as 127.0.0.1"

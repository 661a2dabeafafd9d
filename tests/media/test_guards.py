"""Headers, foreign pages and uploads without end, against the running server and in part without it."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app.network import guards
from app.network.guards import HEADERS, UPLOADS, UploadLimit


@pytest.mark.parametrize("path", ["/", "/photo", "/kiosk/alive", "/_stcore/health", "/no-such-page"])
def test_every_answer_has_the_headers(server, path):
    try:
        answer = urllib.request.urlopen(server.url + path, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost:9999",
        "https://127.0.0.1.evil.example",
        "null",
        "http://[",
        "http://127.0.0.1@evil.example",
    ],
)
def test_a_foreign_pages_websocket_is_refused(server, origin):
    with pytest.raises(InvalidStatus) as caught:
        connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", origin=origin, open_timeout=20).close()
    assert caught.value.response.status_code == 403


def test_our_own_pages_websocket_is_accepted(server):
    url = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    with connect(url, origin=server.url, subprotocols=["streamlit"], open_timeout=20):
        pass


def test_an_upload_without_the_cookies_token_is_refused(server):
    """Streamlit's own XSRF protection; a page elsewhere can send the cookie, but does not know the token in it."""
    request = urllib.request.Request(f"{server.url}{UPLOADS}session/file", b"x", method="PUT")
    request.add_header("Cookie", "_streamlit_xsrf=2|00000000|00|0")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 403


def test_the_interface_for_programs_is_off(server):
    request = urllib.request.Request(
        f"{server.url}/_stcore/agent/interact", json.dumps({}).encode(), {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code in (403, 404)


class Uploads:
    """UploadLimit before an application that takes its time."""

    def __init__(self, files: int = 0, taken: int = 0) -> None:
        self.passed = 0
        self.go_on = asyncio.Event()
        self.limit = UploadLimit(self.app, lambda session: (files if session == "me" else 0, taken), 3, 1000, 400)

    async def app(self, scope, receive, send) -> None:
        self.passed += 1
        await self.go_on.wait()

    async def put(self, session: str = "me", length: bytes | None = b"100", method: str = "PUT") -> int | None:
        """The status that the limit answers with; None where it lets the request through."""
        sent = []

        async def send(message) -> None:
            sent.append(message)

        headers = [] if length is None else [(b"content-length", length)]
        scope = {"type": "http", "method": method, "path": f"{UPLOADS}{session}/file", "headers": headers}
        await self.limit(scope, None, send)
        return sent[0]["status"] if sent else None


def test_one_visitors_files_are_limited_and_anothers_are_not():
    async def run() -> None:
        uploads = Uploads(files=3)
        uploads.go_on.set()
        assert await uploads.put() == 429
        assert await uploads.put(session="you") is None
        assert await uploads.put(method="DELETE") is None

    asyncio.run(run())


def test_everybodys_bytes_are_limited_with_those_under_way():
    async def run() -> None:
        uploads = Uploads(taken=500)
        coming = [asyncio.ensure_future(uploads.put(length=b"200")) for _ in range(2)]
        await asyncio.sleep(0)
        assert uploads.passed == 2
        assert await uploads.put(length=b"101") == 503
        assert await uploads.put(length=None) == 503  # who does not say is taken to send the most
        assert await uploads.put(length=b"-5") == 503
        uploads.go_on.set()
        assert await asyncio.gather(*coming) == [None, None]
        assert await uploads.put(length=b"500") is None  # the room is free again

    asyncio.run(run())


def test_an_upload_that_never_ends_is_ended(monkeypatch):
    monkeypatch.setattr(guards, "UPLOAD_S", 0.05)

    async def run() -> None:
        uploads = Uploads(taken=800)
        assert await uploads.put(length=b"200") == 408
        uploads.go_on.set()
        assert await uploads.put(length=b"200") is None

    asyncio.run(run())

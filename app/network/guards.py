"""What stands before Streamlit's own handlers: security headers, no foreign pages, and bounds on uploads.

ASGI middleware (https://asgi.readthedocs.io/en/stable/specs/main.html) for `st.App(middleware=...)`.
"""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

# Streamlit and the camera component are scripts of this server; 'unsafe-inline' is for Streamlit's own index.html and
# the kiosk's script. The operator page's charts work without 'unsafe-eval'.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data:",  # the camera input reads the picture that it took from a data: address
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
}
UPLOADS = "/_stcore/upload_file/"  # followed by session and file
UPLOAD_S = 120.0  # seconds that one upload may take: 20 MiB at 1.4 Mbit/s; a slow sender must not hold the room forever


class SecurityHeaders:
    """Adds HEADERS to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)


class SameOrigin:
    """Refuses websockets that a page of another host opens, before Streamlit looks at them.

    Streamlit refuses them too, but asks a server on the internet for its own address first (1.67, `get_external_ip`),
    on the event loop: any page could so hold up every stream. It also lets in whatever is served on localhost.
    """

    def __init__(self, app: ASGIApp, allowed: Callable[[], set[str]]) -> None:
        """allowed: other origins that may, such as "https://example.org"."""
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or close with 1008 before the websocket is accepted, which the client sees as 403."""
        if scope["type"] == "websocket":
            headers = Headers(scope=scope)
            origin = headers.get("Origin")  # browsers always send one; programs need none
            if origin is not None and not self._is_ours(origin, headers.get("Host", "")):
                await WebSocketClose(1008)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_ours(self, origin: str, host: str) -> bool:
        if origin in self._allowed():
            return True
        try:
            theirs = urlsplit(origin).hostname
            # by name only: a proxy may drop the port from Host
            return theirs is not None and theirs == urlsplit(f"//{host}").hostname
        except ValueError:  # brackets without an address
            return False


class UploadLimit:
    """Bounds the memory that uploads take: files of one visitor, bytes of all, and the time of one.

    Streamlit keeps every uploaded file in memory until its visitor leaves, and bounds only the size of one.
    """

    def __init__(
        self, app: ASGIApp, held: Callable[[str], tuple[int, int]], max_files: int, max_bytes: int, largest: int
    ) -> None:
        """held: gives a session's number of files, and the bytes of all sessions' files.

        max_files: of one session. max_bytes: of all. largest: bytes to reserve where the sender does not say.
        """
        self._app = app
        self._held = held
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._largest = largest
        self._coming = 0  # bytes of uploads under way; touched on the event loop only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 429 (this visitor's limit), 503 (everybody's) or 408 (too slow)."""
        if scope["type"] != "http" or scope["method"] != "PUT" or UPLOADS not in scope["path"]:
            await self._app(scope, receive, send)
            return
        session = scope["path"].split(UPLOADS, 1)[1].split("/")[0]
        files, taken = self._held(session)
        length = Headers(scope=scope).get("Content-Length", "")
        size = int(length) if length.isascii() and length.isdigit() else self._largest
        if files >= self._max_files:
            await PlainTextResponse("Too many files: reload the page.\n", 429)(scope, receive, send)
            return
        if taken + self._coming + size > self._max_bytes:
            await PlainTextResponse("No room for more files: try again later.\n", 503)(scope, receive, send)
            return
        self._coming += size
        try:
            async with asyncio.timeout(UPLOAD_S):
                await self._app(scope, receive, send)
        except TimeoutError:
            await PlainTextResponse("Too slow.\n", 408)(scope, receive, send)
        finally:
            self._coming -= size

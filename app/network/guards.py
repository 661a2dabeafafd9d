"""Middleware in front of Streamlit's own handlers: security headers, no foreign pages, and bounds on uploads.

Each class is ASGI middleware (https://asgi.readthedocs.io/en/stable/specs/main.html) for `st.App(middleware=...)`:
called with a request's scope and the two channels of its connection, it either passes them on or answers itself.
"""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

# All scripts come from this server, those of Streamlit and of the camera component included. 'unsafe-inline' is needed
# by Streamlit's own index.html and by the kiosk's script. The operator page's charts work without 'unsafe-eval'.
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
UPLOADS = "/_stcore/upload_file/"  # the path of every upload begins so; the session and the file follow
UPLOAD_S = 120.0  # how long one upload may take: 20 MiB at 1.4 Mbit/s. A slow sender must not hold memory for ever


class SecurityHeaders:
    """Adds HEADERS to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to whatever answer comes back."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)


class SameOrigin:
    """Refuses WebSockets that a page of another host opens, before Streamlit looks at them.

    Streamlit refuses them too, but first asks a server on the internet for its own address (1.67, `get_external_ip`).
    It does so on the event loop, so that any website could hold up every stream. It also admits every page that is
    served on localhost, whoever serves it.
    """

    def __init__(self, app: ASGIApp, allowed: Callable[[], set[str]]) -> None:
        """Stand in front of `app`.

        Args:
            app: The application that gets what is not refused.
            allowed: Gives the origins of other hosts that may connect all the same, such as "https://example.org".
        """
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or close with 1008 before the WebSocket is accepted, which the client sees as status 403."""
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
            # the names alone are compared, because a proxy may leave the port out of Host
            return theirs is not None and theirs == urlsplit(f"//{host}").hostname
        except ValueError:  # an origin with brackets and no IPv6 address in them
            return False


class UploadLimit:
    """Bounds the memory that uploads take, by each visitor's files, everybody's bytes, and each upload's time.

    Streamlit keeps every uploaded file in memory until its visitor leaves, and bounds nothing but the size of each.
    """

    def __init__(
        self, app: ASGIApp, held: Callable[[str], tuple[int, int]], max_files: int, max_bytes: int, largest: int
    ) -> None:
        """Stand in front of `app`.

        Args:
            app: The application that takes the uploads.
            held: Gives, for a session's id, that session's number of files, and the bytes of all sessions' files.
            max_files: How many files one session may have.
            max_bytes: How many bytes the files of all sessions may have, together with the uploads under way.
            largest: How many bytes to reserve for an upload whose sender does not say how large it is.
        """
        self._app = app
        self._held = held
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._largest = largest
        self._coming = 0  # bytes of the uploads under way; used on the event loop only, and so without a lock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 429 (too many files of this visitor), 503 (no room for anybody) or 408 (too slow)."""
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

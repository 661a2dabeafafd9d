"""The server: Streamlit's ASGI application, with the model loaded before the first visitor and the engine stopped last.

Start with `streamlit run app/main.py` from any folder.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# `streamlit run` puts app/ on the path, not the project's folder
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# Loaded now, for the first visitor would wait for it before half a page. Not streamlit_webrtc: its component is only
# found if it is declared while Streamlit's runtime is there.
import aiortc  # noqa: F401
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit import config, runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from app import door
from app.advice.bins import RulesError
from app.advice.languages import LanguageError
from app.answers.counts import CountsError
from app.network.guards import SameOrigin, SecurityHeaders, UploadLimit
from app.services import services
from app.settings import SettingsError
from app.views import unexpected
from model import ArtifactError

KIOSK_SILENT_S = 15.0  # without a sign of life after which a kiosk's page is gone; it gives one each second


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Runs around the server's life."""
    yield
    shared = services()
    shared.engine.stop()
    shared.photos.close()
    if shared.counts:
        shared.counts.close()


door.readable_output()
try:
    settings = services().settings
except (ArtifactError, CountsError, LanguageError, RulesError, SettingsError) as error:
    sys.exit(f"whichbin cannot start: {error}")
except Exception as error:  # noqa: BLE001 (whatever nobody foresaw)
    sys.exit(door.unexpected("the server's start", error))


def alive(_: Request) -> Response:
    """200 while a kiosk's page shows signs of life, else 503: for whatever restarts its browser."""
    awake = services().kiosk.silence < KIOSK_SILENT_S
    return PlainTextResponse("a kiosk is there\n" if awake else "no kiosk\n", 200 if awake else 503)


def held(session: str) -> tuple[int, int]:
    """How many uploaded files of a session Streamlit holds, and how many bytes of all sessions' files."""
    manager = runtime.get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    everybodys = list(manager.file_storage.values())
    return len(manager.file_storage.get(session, ())), sum(len(f.data) for s in everybodys for f in list(s.values()))


# Under a sub-path Streamlit answers every address that it does not know with its page. A proxy may also take the
# sub-path away before it passes a request on, so the address is answered with and without it.
below = f"/{config.get_option('server.baseUrlPath').strip('/')}".rstrip("/")
addresses = dict.fromkeys(("/kiosk/alive", f"{below}/kiosk/alive"))
config.set_option("server.maxUploadSize", settings.max_photo_mib)  # else its own limit holds too, whatever ours is
app = st.App(
    "navigation.py",
    lifespan=lifespan,
    routes=[Route(address, alive) for address in addresses],
    on_script_error=unexpected.show,
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(SameOrigin, allowed=lambda: set(config.get_option("server.corsAllowedOrigins"))),
        Middleware(
            UploadLimit,
            held=held,
            max_files=2 * settings.max_photos,  # the page looks at half of them, and says so
            max_bytes=settings.max_uploads_mib * 2**20,
            largest=settings.max_photo_mib * 2**20,
        ),
    ],
)

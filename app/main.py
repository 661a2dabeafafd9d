"""The server: Streamlit's ASGI application, with the model loaded before the first visitor and the engine stopped last.

Start with `streamlit run app/main.py` from any folder.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# `streamlit run` puts app/ on the path, not the project's folder
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import streamlit as st

from app.bins import RulesError
from app.counts import CountsError
from app.services import services
from app.settings import SettingsError
from model import ArtifactError


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Runs around the server's life."""
    yield
    shared = services()
    shared.engine.stop()
    if shared.counts:
        shared.counts.close()


try:
    services()
except (ArtifactError, CountsError, RulesError, SettingsError) as error:
    sys.exit(f"whichbin cannot start: {error}")

app = st.App("navigation.py", lifespan=lifespan)

"""The door of every page: what a visitor sees instead of an exception."""

from urllib.parse import urlsplit

import streamlit as st

from app.kiosk.screens import Scene
from app.views import kiosk_html, ui, visitor


def show(_: Exception) -> bool:
    """Say that something went wrong and what to do, in the page's language; Streamlit has logged the exception.

    Streamlit calls this in the middle of a page's run, of a fragment's, or of a callback's, and not for `st.stop` and
    `st.rerun`. A kiosk, where nobody can do anything, says what it says when the classifier fails; its script loads the
    page again when it gets no more signs of life.

    Returns:
        True, so that Streamlit shows nothing of its own.
    """
    if urlsplit(st.context.url or "").path.rstrip("/").endswith("/kiosk"):
        words = visitor.kiosk_words()
        st.html(kiosk_html.trouble_html(*kiosk_html.TROUBLE[Scene.UNAVAILABLE], words))
    else:
        words = visitor.words()
        st.html(ui.alarm(words("unexpected_title"), words("unexpected_detail"), words))
    return True

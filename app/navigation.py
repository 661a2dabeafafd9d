"""What each visitor's session runs: page configuration, the header and navigation."""

from pathlib import Path

import streamlit as st

from app.look.icons import favicon
from app.views import ui

st.set_page_config(page_title="Whichbin", page_icon=favicon("frame", "#0B7A4B"), layout="wide")
# Not in a folder called pages: Streamlit would run a script from there by itself, without this one, for a visitor who
# opens its address first.
live = st.Page("views/live.py", title="Live", icon=":material/videocam:", default=True)
photo = st.Page("views/photo.py", title="Photo", icon=":material/photo_camera:")
kiosk = st.Page("views/kiosk.py", title="Kiosk", icon=":material/tv:")
# Without a link to it. No file of ours is called operator: it would stand in for Python's module of that name.
operator = st.Page("views/operator_page.py", title="Operator", icon=":material/bar_chart:", url_path="operator")
page = st.navigation([live, photo, kiosk, operator], position="hidden")  # Streamlit's own menu hides on phones

if page != kiosk:  # which fills the screen
    st.html(ui.STYLE)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="header"):
        st.html(ui.WORDMARK)
        st.page_link(live)
        st.page_link(photo)
        st.html(ui.script(Path(__file__).parent / "views" / "static" / "links.js"), unsafe_allow_javascript=True)
page.run()

"""What each visitor's session runs: page configuration, the header and navigation."""

import streamlit as st

from app.look.icons import favicon
from app.views import ui, visitor

words = visitor.words()
# Before the navigation: without an icon of ours, browsers fetch the page's from a server on the internet
st.set_page_config(page_icon=favicon("frame", "#0B7A4B"), layout="wide")
# Not in a folder called pages: Streamlit would run a script from there by itself, without this one, for a visitor who
# opens its address first.
live = st.Page("views/live.py", title=words("page_live"), icon=":material/videocam:", default=True)
photo = st.Page("views/photo.py", title=words("page_photo"), icon=":material/photo_camera:")
kiosk = st.Page("views/kiosk.py", title=words("page_kiosk"), icon=":material/tv:")
# Without a link to it. No file of ours is called operator: it would stand in for Python's module of that name.
operator = st.Page(
    "views/operator_page.py", title=words("page_operator"), icon=":material/bar_chart:", url_path="operator"
)
page = st.navigation([live, photo, kiosk, operator], position="hidden")  # Streamlit's own menu hides on phones
st.set_page_config(page_title=f"{page.title} · Whichbin")

if page != kiosk:  # which fills the screen
    st.html(ui.STYLE)
    st.html(ui.page_html(words), unsafe_allow_javascript=True)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="header"):
        st.html(ui.render("header.html", title=page.title))
        st.page_link(live)
        st.page_link(photo)
        with st.container(key="language"):
            visitor.choose_language()
page.run()

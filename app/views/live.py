"""Live: the camera's video, annotated, and beside it what it says and where that goes."""

import functools
import time

import streamlit as st

from app.advice.caption import caption
from app.services import services
from app.stream.processor import StreamProcessor
from app.views import correction, ui, visitor
from app.views.camera import TROUBLES, VideoError, camera

REFRESH_S = 0.25  # between looks at the verdict
CAMERAS = {"Front": "camera_front", "Rear": "camera_rear"}  # as they are called in the page's address
NO_WAY_S = 8.0  # of connecting, after which it is said that nothing comes through; most need less than two

shared = services()
state = st.session_state
me = visitor.visitor()
words = visitor.words()
rules = visitor.rules()


@st.fragment(run_every=1.0)
def wait_for_a_place() -> None:
    """Keeps the visitor in the line, and lets them in when it is their turn."""
    number = shared.places.ask(me)
    if number == 0:
        st.rerun()
    detail = words("live_next") if number == 1 else words("live_in_line", number=number)
    st.html(ui.notice(words("busy_title"), detail, words))


# Each fragment stands alone in a container. What Streamlit (1.67.0) has not yet sent of a fragment it drops when the
# fragment runs again; what follows it in the same container would then come first, and be "Bad delta path index" to the
# browser, which leaves a white page. Seen with first visitors to a busy server.
if shared.places.ask(me):
    with st.container():
        wait_for_a_place()
    st.page_link("views/photo.py", label=words("use_photo_meanwhile"), icon=":material/photo_camera:")
    st.stop()

# a phone is pointed at a thing on a table, a laptop's camera sees its owner
usual = "Rear" if "Mobi" in st.context.headers.get("User-Agent", "") else "Front"
# The choice's widget is further down the page; a page that begins anew has it from its address
facing = state.get("camera") or st.query_params.get("camera")
facing = facing if facing in CAMERAS else usual

# Each camera has a component of its own: streamlit-webrtc remembers the opened device per key and would return to it.
key = f"live-{facing.lower()}"
if f"{key}-processor" not in state:
    state[f"{key}-processor"] = shared.new_processor()
processor: StreamProcessor = state[f"{key}-processor"]
processor.describe = functools.partial(caption, rules=rules)
processor.mirrored = facing == "Front"
processor.shows_heat = state.get("heat", False)
processor.set_threshold(state.get("threshold", round(100 * shared.settings.threshold)) / 100)

video, answer = st.container(key="live").columns([3, 2], gap="medium")
with video:
    streamer, problem = None, ""
    try:
        streamer = camera(
            key,
            processor,
            words,
            facing="user" if facing == "Front" else "environment",
            style={"width": "100%", "borderRadius": "12px", "display": "block"},
        )
    except VideoError as error:
        problem = str(error)
    st.html(
        ui.render("live.html", start=words("camera_start"), stop=words("camera_stop")), unsafe_allow_javascript=True
    )
if streamer and streamer.state.signalling:
    state.setdefault(f"{key}-connecting", time.monotonic())
if streamer is None or streamer.state.playing:
    state.pop(f"{key}-connecting", None)


@st.fragment(run_every=REFRESH_S)
def show_answer() -> None:
    """Redraws itself while the page is open; the rest of the page stays as it is."""
    if shared.places.ask(me):  # away for too long, and somebody else came in
        st.rerun()
    st.html(ui.render("beat.html", beat=f"{time.monotonic():.0f}"))  # a sign of life, for live.js
    if problem:
        st.html(ui.notice(words(f"{problem}_title"), words(f"{problem}_detail"), words))
        return
    if time.monotonic() - state.get(f"{key}-connecting", float("inf")) > NO_WAY_S:
        st.html(ui.notice(words("no_way_title"), words("no_way_detail"), words))
        return
    verdict = processor.shown
    said = caption(verdict, rules)
    st.html(ui.spoken(said))
    st.html(ui.verdict_card(said) + ui.probability_bars(verdict.probabilities, rules))
    with st.expander(words("details_label")):
        st.html(ui.figures_line(processor.figures(), words))


def last_answer() -> correction.Given | None:
    """What the stream said last, to be corrected."""
    said = processor.said
    if said is None:
        return None
    return correction.Given(said.verdict.label or "", said.verdict.probabilities, lambda: said.picture)


with answer:
    with st.container(key="verdict"):
        with st.container():
            show_answer()
        correction.offer(shared, key, last_answer)
    with st.container(key="trouble"):  # in its place where the browser knows better, see live.js
        st.html(ui.troubles(TROUBLES, words))
        st.page_link("views/photo.py", label=words("use_photo"), icon=":material/photo_camera:")
    below = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom")
    below.segmented_control(
        words("camera_label"),
        list(CAMERAS),
        format_func=lambda name: words(CAMERAS[name]),
        default=usual,
        key="camera",
        required=True,
        bind="query-params",
    )
    with below.popover(words("settings_label")):
        st.slider(
            words("settings_threshold"),
            min_value=40,
            max_value=95,
            value=round(100 * shared.settings.threshold),
            format="%d %%",
            key="threshold",
            bind="query-params",
        )
        st.toggle(words("settings_heat"), key="heat", bind="query-params")
    st.caption(words("live_privacy"))
    correction.privacy(shared)
    with st.container(key="use-photo"):
        st.page_link("views/photo.py", label=words("use_photo"), icon=":material/photo_camera:")
    st.html(ui.render("kiosk_link.html", words=words))

with st.container(key="insecure"):  # seen only where it is so, and the rest is not
    st.html(ui.notice(words("insecure_title"), ui.no_camera_here(words), words))
    st.page_link("views/photo.py", label=words("insecure_photo"), icon=":material/photo_camera:")

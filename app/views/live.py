"""Live: the camera's video, annotated, and beside it what it says and where that goes."""

import time
import uuid
from pathlib import Path

import streamlit as st

from app.advice.caption import caption
from app.services import services
from app.stream.processor import StreamProcessor
from app.views import ui
from app.views.camera import START, camera

STOP = "Stop camera"  # on the component's button
REFRESH = 0.25  # seconds between looks at the verdict
CAMERAS = ["Front", "Rear"]
NO_WAY = 8.0  # seconds of connecting after which it is said that nothing comes through; most need less than two

shared = services()
state = st.session_state
me: str = state.setdefault("visitor", uuid.uuid4().hex)


@st.fragment(run_every=1.0)
def wait_for_a_place() -> None:
    """Keeps the visitor in the line, and lets them in when it is their turn."""
    number = shared.places.ask(me)
    if number == 0:
        st.rerun()
    words = "you are next" if number == 1 else f"you are number {number} in line"
    st.html(ui.notice("All places are taken", f"{words[0].upper()}{words[1:]}; the camera starts by itself."))


if shared.places.ask(me):
    wait_for_a_place()
    st.page_link("views/photo.py", label="Use a photo meanwhile", icon=":material/photo_camera:")
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
processor.mirrored = facing == "Front"
processor.shows_heat = state.get("heat", False)
processor.set_threshold(state.get("threshold", round(100 * shared.settings.threshold)) / 100)

video, answer = st.container(key="live").columns([3, 2], gap="medium")
with video:
    streamer = camera(
        key,
        processor,
        facing="user" if facing == "Front" else "environment",
        style={"width": "100%", "borderRadius": "12px", "display": "block"},
        stop=STOP,
        select_device="Choose camera",
    )
    st.html(
        f'<span class="wb-live" data-start="{START}" data-stop="{STOP}"></span>'
        f"{ui.script(Path(__file__).parent / 'static' / 'live.js')}",
        unsafe_allow_javascript=True,
    )
if streamer.state.signalling:
    state.setdefault(f"{key}-connecting", time.monotonic())
if streamer.state.playing:
    state.pop(f"{key}-connecting", None)


@st.fragment(run_every=REFRESH)
def show_answer() -> None:
    """Redraws itself while the page is open; the rest of the page stays as it is."""
    if shared.places.ask(me):  # away for too long, and somebody else came in
        st.rerun()
    st.html(f'<span class="wb-beat" data-beat="{time.monotonic():.0f}"></span>')  # a sign of life, for live.js
    if time.monotonic() - state.get(f"{key}-connecting", float("inf")) > NO_WAY:
        st.html(
            ui.notice(
                "The video does not get through",
                "This page reaches the server, but its video finds no way there: a firewall is between them. "
                "Try another network. Whoever runs this server can give it a TURN server. Photos work.",
            )
        )
        return
    verdict = processor.verdict
    words = caption(verdict, shared.rules)
    st.html(ui.spoken(words))
    st.html(
        ui.verdict_card(words)
        + ui.probability_bars(verdict.probabilities, shared.rules)
        + ui.figures_line(processor.figures())
    )


with answer:
    show_answer()
    choice, settings = st.columns([2, 1], vertical_alignment="bottom")
    choice.segmented_control("Camera", CAMERAS, default=usual, key="camera", required=True, bind="query-params")
    with settings.popover("Settings", use_container_width=True):
        st.slider(
            "Say a label from this confidence on",
            min_value=40,
            max_value=95,
            value=round(100 * shared.settings.threshold),
            format="%d %%",
            key="threshold",
            bind="query-params",
        )
        st.toggle("Show where it looks", key="heat", bind="query-params")
    st.caption("Video is looked at on this server and not stored. No camera? Take or upload a photo instead.")
    st.page_link("views/photo.py", label="Use a photo", icon=":material/photo_camera:")

with st.container(key="insecure"):  # seen only where it is so, and the rest is not
    st.html(ui.insecure(), unsafe_allow_javascript=True)
    st.page_link("views/photo.py", label="Use a photo", icon=":material/photo_camera:")

"""Kiosk: a screen at a bin that nobody has to touch. /kiosk?lang=de&bins=germany"""

import time
from pathlib import Path

import streamlit as st

from app import kiosk
from app.advice.bins import rules_files
from app.advice.languages import languages
from app.kiosk.screens import Scene, Screen, Screens, Sight
from app.services import services
from app.stream.processor import StreamProcessor
from app.views import kiosk_html as html
from app.views import ui, visitor
from app.views.camera import TROUBLES, VideoError, camera

LOOK_S = 0.2  # between looks at what the camera sees
IDLE_S = 30.0  # without anybody, after which a visitor's choice of language is forgotten

shared = services()
state = st.session_state
me = visitor.visitor()
if "kiosk-processor" not in state:
    state["kiosk-processor"] = shared.new_kiosk_processor()
    state["kiosk-screens"] = Screens(time.monotonic(), shared.settings.threshold)
processor: StreamProcessor = state["kiosk-processor"]
screens: Screens = state["kiosk-screens"]

words = visitor.kiosk_words()
rules = shared.rules_in(words, st.query_params.get("bins"))
aloud = shared.settings.kiosk_speech or st.query_params.get("speech") == "1"
sound = shared.settings.kiosk_sound or st.query_params.get("sound") == "1"

if (named := st.query_params.get("bins")) and named not in rules_files():
    st.html(html.no_rules_html(named, rules_files(), words))

folder = Path(kiosk.__file__).parent
st.html(folder / "kiosk.css")
st.html(
    html.page_html(words, sound, TROUBLES)
    + ui.page_html(words)
    + ui.script("reached.js", "camera.js", str(folder / "kiosk.js")),
    unsafe_allow_javascript=True,
)


def beat() -> None:
    """A sign of life, for the page's script and for whatever restarts the browser."""
    shared.kiosk.beat()
    st.html(ui.render("kiosk/beat.html", beat=f"{time.monotonic():.0f}"))


@st.fragment(run_every=1.0)
def wait_for_a_place() -> None:
    if shared.places.ask(me) == 0:
        st.rerun()
    st.html(html.trouble_html("busy", "question", words))
    beat()


if shared.places.ask(me):
    with st.container():  # of its own, as for every fragment; see app/views/live.py
        wait_for_a_place()
    st.stop()


@st.fragment(run_every=1.0)
def show_problem(name: str) -> None:
    st.html(html.trouble_html(name, "camera-off", words))
    beat()


with st.container(key="kiosk-camera"):
    problem = ""
    try:
        camera("kiosk", processor, words)
    except VideoError as error:
        problem = str(error)
if problem:
    with st.container():
        show_problem(problem)
    st.stop()

with st.container(key="kiosk-languages", horizontal=True):
    for code, other in languages().items():
        st.button(
            other.name,
            key=f"kiosk-language-{code}",
            on_click=state.update,
            args=({visitor.KIOSK_LANGUAGE: code},),
            type="primary" if code == words.code else "secondary",
        )


def count(screen: Screen) -> None:
    """Remember an answer that somebody could read, and how many there were today, which the thanks say."""
    if shared.counts is not None and screen.label is not None:
        bins = [bin.key for bin in rules.category(screen.label).bins]
        shared.counts.add(screen.label, bins, screen.confidence)
        state["kiosk-today"] = shared.counts.today()


@st.fragment(run_every=LOOK_S)
def show_screen() -> None:
    """Redraws itself while the page is open; what has not changed stays as it is in the browser."""
    now = time.monotonic()
    if shared.places.ask(me):  # away for too long, and somebody else came in
        st.rerun()
    screen = screens.update(Sight(processor.verdict, processor.in_view, processor.silence), now)
    if answer := screens.to_count(now):
        count(answer)
    if screen.scene is Scene.ATTRACT and now - screen.since > IDLE_S and state.pop(visitor.KIOSK_LANGUAGE, None):
        st.rerun()
    st.html(html.screen_html(screen, rules, state.get("kiosk-today")))
    st.html(html.sure_html(screen, words))
    st.html(html.spoken_html(screen, rules, aloud))
    beat()


with st.container():
    show_screen()

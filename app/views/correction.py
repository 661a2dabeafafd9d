"""The button "That was wrong": one touch offers the labels, and the next one gives the right label."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.services import Services
from app.views import ui, visitor
from model import PhotoError, Prediction
from model.preprocessing import preprocess

log = logging.getLogger(__name__)

NONE = ""  # in the place of a label: none of those that there are


@dataclass(frozen=True)
class Given:
    """An answer that was given.

    Attributes:
        label: The label that was said; empty for "not sure".
        probabilities: By label, 0 to 1.
        picture: Gives what was classified, where that is to be kept: uint8, shape (height, width, 3), RGB.
    """

    label: str
    probabilities: dict[str, float]
    picture: Callable[[], NDArray[np.uint8] | None]


def privacy(shared: Services) -> None:
    """Says that pictures of corrected answers are kept, where they are."""
    if shared.doubtful is not None:
        st.caption(visitor.words()("wrong_kept"))


def offer(shared: Services, key: str, answer: Callable[[], Given | None], once: bool = False) -> None:
    """Draw the button, or what it has led to.

    Args:
        shared: The services of this process.
        key: Unlike that of any other answer on the page.
        answer: Gives the answer that is corrected, at the moment when the button is pressed; None if there was none.
        once: Whether the answer is still the same after it has been corrected.
    """
    with st.container():  # of its own, as for every fragment; see app/views/live.py
        _offer(shared, key, answer, once)


@st.fragment
def _offer(shared: Services, key: str, answer: Callable[[], Given | None], once: bool) -> None:
    state = st.session_state
    words, rules = visitor.words(), visitor.rules()
    asking, said = f"{key}-asking", f"{key}-said"
    given: Given | None = state.get(asking)

    def ask() -> None:
        state[asking] = answer()
        state[said] = "" if state[asking] else "wrong_nothing"

    def cancel() -> None:
        state[asking] = None

    def take() -> None:
        right = state[f"{key}-right"]
        assert given is not None
        if right is not None:
            _take(shared, given, right)
            state[asking], state[said] = None, "wrong_thanks"

    with st.container(key=f"{key}-correction"):
        if given is None:
            if not (once and state.get(said) == "wrong_thanks"):
                st.button(words("wrong_button"), key=f"{key}-wrong", icon=":material/flag:", on_click=ask)
        else:
            labels = [label for label in rules.categories if label != given.label]
            st.pills(
                words("wrong_question"),
                [*labels, NONE],
                format_func=lambda label: rules.category(label).name if label else words("wrong_none"),
                key=f"{key}-right",
                on_change=take,
            )
            st.button(words("wrong_cancel"), key=f"{key}-cancel", on_click=cancel)
        spoken = words(state[said]) if state.get(said) else ""
        st.html(ui.render("corrected.html", text=spoken))


def offer_for_photo(shared: Services, upload: UploadedFile, prediction: Prediction, sure: bool) -> None:
    """The same for a photo, which can be corrected once.

    Args:
        shared: The services of this process.
        upload: The photo.
        prediction: The answer to it.
        sure: Whether its label was said.
    """

    def picture() -> NDArray[np.uint8] | None:
        try:
            rgb = shared.photos.read(upload.getvalue())
        except PhotoError as error:  # it could be read before, so the decoder is being stopped, or lacks memory now
            log.warning("The photo of a correction is not kept: %s", error)
            return None
        return preprocess(rgb, shared.classifier.metadata.input_size)

    answer = Given(prediction.label if sure else "", prediction.probabilities, picture)
    offer(shared, f"photo-{upload.file_id}", lambda: answer, once=True)


def _take(shared: Services, given: Given, right: str) -> None:
    if shared.counts is not None:
        shared.counts.correct(given.label, right)
    if shared.doubtful is not None and (picture := given.picture()) is not None:
        shared.doubtful.keep(picture, given.label, right, given.probabilities)

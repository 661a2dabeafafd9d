"""Sample photos for visitors who have none at hand. `python -m tests.helpers.sample_photos` draws them."""

import functools
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from markupsafe import Markup

from app.advice.bins import Rules
from app.look.data_uri import data_uri
from app.views import ui

FOLDER = ui.STATIC / "samples"
CHOSEN = "photo-sample"  # in the session: the stem of the file that was chosen last
WIDTH_PX = 120


@dataclass(frozen=True)
class Sample:
    """A sample in the place of an upload: what the page needs of Streamlit's `UploadedFile`."""

    file: Path

    @property
    def file_id(self) -> str:
        """Unlike the id of any upload."""
        return f"sample-{self.file.stem}"

    @property
    def name(self) -> str:
        """Of the file."""
        return self.file.name

    def getvalue(self) -> bytes:
        """The content of the file."""
        return self.file.read_bytes()


@functools.cache
def _picture(file: Path) -> Markup:
    return ui.render("sample.html", address=data_uri("image/jpeg", file.read_bytes()))


def chosen() -> list[Sample]:
    """The sample that the visitor has chosen, if any."""
    name = st.session_state.get(CHOSEN)
    return [Sample(FOLDER / f"{name}.jpg")] if name else []


def offer(rules: Rules) -> None:
    """Show the samples, each with a button below that chooses it."""
    words = rules.words
    with st.container(key="samples"):
        st.caption(words("photo_samples"))
        with st.container(horizontal=True, gap="small"):
            for number, file in enumerate(sorted(FOLDER.glob("*.jpg")), start=1):
                with st.container(width=WIDTH_PX, gap="xsmall"):
                    st.html(_picture(file))
                    st.button(
                        words("photo_sample", number=number),
                        key=f"sample-{file.stem}",
                        width="stretch",
                        on_click=st.session_state.__setitem__,
                        args=(CHOSEN, file.stem),
                    )

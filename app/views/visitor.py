"""What a page knows of its visitor: who it is, the language, and the rules in that language."""

import uuid

import streamlit as st

from app.advice.bins import Rules
from app.advice.languages import Language, language, languages
from app.services import services

LANGUAGE = "lang"  # in the session, and in the address of every page
CHOICE = "language-choice"  # the switch
KIOSK_LANGUAGE = "kiosk-language"  # in a kiosk's session


def visitor() -> str:
    """A name for this session, so that places can be given to it."""
    name: str = st.session_state.setdefault("visitor", uuid.uuid4().hex)
    return name


def words() -> Language:
    """The visitor's language: the one chosen, else that of the address, of the browser, or of the server's kiosk.

    A language that was chosen or asked for in the address stays for the session: links do not carry it on.
    """
    state, asked = st.session_state, st.query_params.get(LANGUAGE)
    if asked and LANGUAGE not in state:
        state[LANGUAGE] = asked
    return language(state.get(LANGUAGE), st.context.locale, services().settings.kiosk_language)


def kiosk_words() -> Language:
    """The kiosk's language: the one chosen on its screen, else that of its address, or of the setting.

    It is not the browser's, which is the language of the operator who set the kiosk up.
    """
    asked = st.query_params.get(LANGUAGE), services().settings.kiosk_language
    return language(st.session_state.get(KIOSK_LANGUAGE), *asked)


def choose_language() -> None:
    """The switch between the languages. The choice is in the page's address, too, for a page that begins anew."""
    codes = list(languages())
    now = words().code

    def chosen() -> None:
        st.session_state[LANGUAGE] = st.query_params[LANGUAGE] = st.session_state[CHOICE]

    st.selectbox(
        words()("language_label"),
        codes,
        index=codes.index(now),
        format_func=lambda code: languages()[code].name,
        key=CHOICE,
        on_change=chosen,
        label_visibility="collapsed",
        required=True,
        filter_mode=None,
    )
    if LANGUAGE in st.session_state and st.query_params.get(LANGUAGE) != now:
        st.query_params[LANGUAGE] = now


def rules() -> Rules:
    """The rules in force, in the visitor's language.

    Raises:
        RulesError: The file has been spoilt since the server started.
    """
    return services().rules_in(words())

"""Operator: the answers counted, behind a password or a sign-in with OpenID Connect."""

import math
import time
from datetime import date, datetime

import streamlit as st
from streamlit.errors import StreamlitAuthError

from app.answers import report as report
from app.answers.access import TooSoonError, is_operator
from app.answers.counts import Counts, CountsError, midnight
from app.services import services

WIDTH = 420  # pixels, of the form and what it answers
ROW = 35  # pixels, of the table's rows, so that the chart beside it is as high
SIGNED_IN = "operator"  # in the session, so until the tab is closed
RANGES = {"Today": 0, "7 days": 6, "30 days": 29, "All": None}  # whole days before today
OFF = """Answers are not counted. To count them, put this into `whichbin.toml` and start the server again:

```toml
count_answers = true
```"""
NO_WAY_IN = """This page is closed until it has a password. Put one into `whichbin.toml` and start the server again:

```toml
operator_password = "a long one of your own"
```

Or let operators sign in with OpenID Connect; the README's *Counting answers* says how."""

shared = services()
settings = shared.settings
state = st.session_state


def ask_password() -> None:
    """A form with one field."""
    with st.form("sign in", width=WIDTH):
        given = st.text_input("Password", type="password", autocomplete="current-password")
        sent = st.form_submit_button("Sign in", type="primary")
    if not sent:
        return
    try:
        if shared.gate.check(given, settings.operator_password):
            state[SIGNED_IN] = True
            st.rerun()
        st.error("Wrong password.", width=WIDTH)
    except TooSoonError as wait:
        seconds = math.ceil(wait.seconds)
        st.error(f"A wrong password was given just before. Try again in {seconds} s.", width=WIDTH)


def ask_provider() -> None:
    """The button to the OpenID Connect provider, or who came back from there and may not come in."""
    if not settings.operators:
        st.warning("Nobody is an operator yet: the setting `operators` names their e-mail addresses.")
    elif not st.user.is_logged_in:
        if st.button("Sign in with your account", icon=":material/login:"):
            try:
                st.login()
            except StreamlitAuthError as error:
                st.error(str(error))
    else:
        st.error(f"{st.user.get('email') or 'This account'} is not an operator's verified address.")
        st.button("Use another account", on_click=st.logout)


def sign_out() -> None:
    """Forget this session's password, and the provider's account."""
    state.pop(SIGNED_IN, None)
    if st.user.get("is_logged_in"):
        st.logout()


def show(counts: Counts) -> None:
    """Totals, and for the chosen time classes, hours, days and the CSV. Raises CountsError."""
    now = time.time()
    with st.container(horizontal=True):
        st.metric("Today", f"{counts.total(midnight(now)):,}", border=True)
        st.metric("7 days", f"{counts.total(midnight(now, 6)):,}", border=True)
        st.metric("All", f"{counts.total():,}", border=True)
    if counts.lost:
        st.warning(f"Answers that could not be stored since the server's start: {counts.lost:,}. Its log says why.")

    chosen = st.segmented_control("Time", list(RANGES), default="7 days", required=True, key="range")
    days = RANGES[chosen]
    since = 0.0 if days is None else midnight(now, days)
    summary = counts.summary(since)
    if not summary.per_class:
        st.info("No answers in this time.")
        return

    st.markdown("#### By class")
    chart, table = st.columns([3, 2], gap="medium")
    chart.altair_chart(
        report.class_chart(summary, shared.rules),
        height=ROW * (len(summary.per_class) + 1),
        alt="Answers by class; the table says the same",
    )
    percent = st.column_config.NumberColumn(format="%.1f %%")
    table.dataframe(
        report.class_table(summary, shared.rules),
        hide_index=True,
        column_config={
            "Answers": st.column_config.NumberColumn(format="localized"),
            "Share": percent,
            "Mean confidence": percent,
        },
    )
    st.markdown("#### By hour of day")
    st.altair_chart(report.hour_chart(summary, shared.rules), height=280, alt="Answers by hour of day and class")
    if chosen != "Today":
        first = min(date.fromisoformat(day) for day, _ in summary.per_day) if days is None else day_of(since)
        unit, by_day = report.day_chart(summary, shared.rules, first, day_of(now))
        st.markdown(f"#### By {unit}")
        st.altair_chart(by_day, height=280, alt=f"Answers by {unit} and class")
    st.download_button(
        "Download answers (CSV)",
        lambda: report.to_csv(counts.rows(since)),  # made when it is asked for
        f"whichbin-answers-{day_of(now)}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def day_of(moment: float) -> date:
    """The server's date at a time in Unix seconds."""
    return datetime.fromtimestamp(moment).date()


with_provider = "is_logged_in" in st.user  # Streamlit sets it if secrets.toml has a section [auth]
if not state.get(SIGNED_IN) and not is_operator(st.user.to_dict(), settings.operators):
    st.subheader("Operator")
    if settings.operator_password:
        ask_password()
    if with_provider:
        ask_provider()
    if not settings.operator_password and not with_provider:
        st.info(NO_WAY_IN)
    st.stop()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.subheader("Answers counted")
    st.button("Sign out", icon=":material/logout:", on_click=sign_out)
if shared.counts is None:
    if shared.counts_problem:
        st.error(f"Answers are not counted: {shared.counts_problem}. Mend it and start the server again.")
    else:
        st.info(OFF)
    st.stop()
try:
    show(shared.counts)
except CountsError as error:
    st.error(str(error))
st.caption(
    f"Stored on this server, in `{shared.counts.file.name}`: class, bin, time and confidence of each answer, for "
    f"{settings.counts_days} days. No picture, and nothing about who was there. Hours and days are the server's "
    f"({datetime.now().astimezone():%Z, UTC%z})."
)

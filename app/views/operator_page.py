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
from app.views import visitor
from app.views.ui import printable

WIDTH_PX = 420  # of the form and what it answers
ROW_PX = 35  # of the table's rows, so that the chart beside it is as high
SIGNED_IN = "operator"  # in the session, so until the tab is closed
RANGES = {"today": 0, "week": 6, "month": 29, "all": None}  # whole days before today


def sample(line: str) -> str:
    """A line of the settings file, as Markdown."""
    return f"\n\n```toml\n{line}\n```"


shared = services()
settings = shared.settings
state = st.session_state
words = visitor.words()
rules = visitor.rules()


def ask_password() -> None:
    """A form with one field."""
    with st.form("sign in", width=WIDTH_PX):
        given = st.text_input(words("operator_password"), type="password", autocomplete="current-password")
        sent = st.form_submit_button(words("operator_sign_in"), type="primary")
    if not sent:
        return
    try:
        if shared.gate.check(given, settings.operator_password):
            state[SIGNED_IN] = True
            st.rerun()
        st.error(words("operator_wrong"), width=WIDTH_PX)
    except TooSoonError as wait:
        seconds = math.ceil(wait.seconds)
        st.error(words("operator_too_soon", seconds=seconds), width=WIDTH_PX)


def ask_provider() -> None:
    """The button to the OpenID Connect provider, or who came back from there and may not come in."""
    if not settings.operators:
        st.warning(words("operator_nobody"))
    elif not st.user.is_logged_in:
        if st.button(words("operator_account"), icon=":material/login:"):
            try:
                st.login()
            except StreamlitAuthError as error:
                st.error(str(error))
    else:
        who = st.user.get("email") or words("operator_this_account")
        st.error(words("operator_not_one", who=who))
        st.button(words("operator_other_account"), on_click=st.logout)


def sign_out() -> None:
    """Forget this session's password, and the provider's account."""
    state.pop(SIGNED_IN, None)
    if st.user.get("is_logged_in"):
        st.logout()


def show(counts: Counts) -> None:
    """Totals, and for the chosen time classes, hours, days and the CSV. Raises CountsError."""
    now = time.time()
    with st.container(horizontal=True):
        st.metric(words("operator_today"), words.number(counts.total(midnight(now))), border=True)
        st.metric(words("operator_week"), words.number(counts.total(midnight(now, 6))), border=True)
        st.metric(words("operator_all"), words.number(counts.total()), border=True)
    if counts.lost:
        st.warning(words("operator_lost", number=words.number(counts.lost)))

    chosen = st.segmented_control(
        words("operator_time"),
        list(RANGES),
        format_func=lambda name: words(f"operator_{name}"),
        default="week",
        required=True,
        key="range",
    )
    days = RANGES[chosen]
    since = 0.0 if days is None else midnight(now, days)
    if corrections := counts.corrections(since):
        st.markdown(f"### {words('operator_corrections')}")
        st.dataframe(report.correction_table(corrections, rules), hide_index=True)
    summary = counts.summary(since)
    if not summary.per_class:
        st.info(words("operator_none"))
        return

    st.markdown(f"### {words('operator_by_class')}")
    chart, table = st.columns([3, 2], gap="medium")
    chart.altair_chart(
        report.class_chart(summary, rules),
        height=ROW_PX * (len(summary.per_class) + 1),
        alt=words("operator_class_alt"),
    )
    percent = st.column_config.NumberColumn(format="%.1f %%")
    table.dataframe(
        report.class_table(summary, rules),
        hide_index=True,
        column_config={
            words("column_answers"): st.column_config.NumberColumn(format="localized"),
            words("column_share"): percent,
            words("column_mean"): percent,
        },
    )
    st.markdown(f"### {words('operator_by_hour')}")
    st.altair_chart(report.hour_chart(summary, rules), height=280, alt=words("operator_hour_alt"))
    if chosen != "today":
        first = min(date.fromisoformat(day) for day, _ in summary.per_day) if days is None else day_of(since)
        unit, by_day = report.day_chart(summary, rules, first, day_of(now))
        st.markdown(f"### {words(f'operator_by_{unit}')}")
        st.altair_chart(by_day, height=280, alt=words("operator_day_alt"))
    st.download_button(
        words("operator_csv"),
        lambda: report.to_csv(counts.rows(since), words),  # made when it is asked for
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
    st.header(words("page_operator"))
    if settings.operator_password:
        ask_password()
    if with_provider:
        ask_provider()
    if not settings.operator_password and not with_provider:
        example = sample('operator_password = "..."')
        st.info(f"{words('operator_closed')}{example}\n\n{words('operator_or_account')}")
    st.stop()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.header(words("operator_title"))
    st.button(words("operator_sign_out"), icon=":material/logout:", on_click=sign_out)
if shared.counts is None:
    if shared.counts_problem:
        st.error(words("operator_failed", problem=printable(shared.counts_problem)))
    else:
        st.info(words("operator_off") + sample("count_answers = true"))
    st.stop()
try:
    show(shared.counts)
except CountsError as error:
    st.error(printable(str(error)))
st.caption(
    words(
        "operator_stored",
        file=printable(shared.counts.file.name),
        days=words.number(settings.counts_days),
        zone=f"{datetime.now().astimezone():%Z, UTC%z}",
    )
)

"""The operator page: who gets in, and what it shows of the answers counted."""

import csv
import io
import logging
import time
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import app.services
from app.advice.bins import load_rules
from app.answers import report as report
from app.answers.access import LONGEST_WAIT_S, PasswordGate, TooSoonError, is_operator
from app.answers.counts import Answer, Counts, Summary, midnight
from app.services import services
from app.settings import Settings
from tests.helpers.fakes import LABELS, Clock
from tests.helpers.trashnet import ROOT

PAGE = str(ROOT / "app" / "views" / "operator_page.py")
RULES = load_rules(LABELS)
PASSWORD = "Öffne dich"


@pytest.fixture
def counts(tmp_path):
    """Three cans and one glass today, one glass ten days ago."""
    counts = Counts(tmp_path / "counts.sqlite3", 30)
    today = midnight(time.time())
    for _ in range(3):
        counts.add("metal", ["packaging"], 0.9, today)
    counts.add("glass", ["glass"], 0.6, today)
    counts.add("glass", ["glass"], 0.8, midnight(time.time(), 10))
    yield counts
    counts.close()


@pytest.fixture
def open_page(monkeypatch):
    """Opens the page with settings of its own; what it offers to download is in `page.downloads`."""

    def open_it(counts: Counts | None = None, user: dict | None = None, **settings: object) -> AppTest:
        settings = Settings(counts_days=30, **settings)
        shared = replace(services(), settings=settings, counts=counts, gate=PasswordGate(Clock()))
        monkeypatch.setattr(app.services, "services", lambda: shared)
        downloads = []
        monkeypatch.setattr(st, "download_button", lambda *values, **options: downloads.append(values))
        page = AppTest.from_file(PAGE, default_timeout=30)
        if user is not None:
            page.user = user
        page.run()
        assert not page.exception
        page.downloads = downloads
        page.gate = shared.gate
        return page

    return open_it


def sign_in(page: AppTest, password: str) -> AppTest:
    page.text_input[0].set_value(password)
    button(page, "Sign in").click().run()
    assert not page.exception
    return page


def button(page: AppTest, label: str):
    return next(button for button in page.button if button.label == label)


def shown(page: AppTest) -> str:
    elements = [*page.header, *page.markdown, *page.info, *page.warning, *page.error, *page.caption]
    return "\n".join(element.value for element in elements)


def charts(page: AppTest) -> int:
    return len(page.get("vega_lite_chart"))


def values(chart) -> list[dict]:
    (dataset,) = chart.to_dict()["datasets"].values()
    return dataset


def assert_closed(page: AppTest) -> None:
    assert "Answers counted" not in shown(page)
    assert not page.metric
    assert not page.dataframe
    assert charts(page) == 0
    assert page.downloads == []


def test_without_any_way_in_it_is_closed_and_says_how_to_open_it(open_page, counts):
    page = open_page(counts)
    assert_closed(page)
    assert "operator_password" in page.info[0].value
    assert not page.text_input


def test_a_wrong_password_shows_nothing_and_costs_a_wait(open_page, counts):
    page = sign_in(open_page(counts, operator_password=PASSWORD), "open")
    assert "Wrong password" in page.error[0].value
    assert_closed(page)
    sign_in(page, PASSWORD)  # right, but too soon
    assert "Try again in 1 s" in page.error[0].value
    assert_closed(page)
    page.gate._clock.now += 1
    assert "Answers counted" in shown(sign_in(page, PASSWORD))


def test_an_empty_password_is_wrong(open_page, counts):
    assert_closed(sign_in(open_page(counts, operator_password=PASSWORD), ""))


def test_the_right_password_lasts_for_the_session_and_until_signing_out(open_page, counts):
    page = sign_in(open_page(counts, operator_password=PASSWORD), PASSWORD)
    assert "Answers counted" in shown(page)
    page.run()
    assert "Answers counted" in shown(page)
    page.downloads.clear()
    button(page, "Sign out").click().run()
    assert not page.exception
    assert_closed(page)
    assert len(page.text_input) == 1


def test_counting_off_says_how_to_switch_it_on(open_page):
    page = sign_in(open_page(None, operator_password=PASSWORD), PASSWORD)
    assert "count_answers = true" in shown(page)
    assert charts(page) == 0


def test_totals_classes_charts_and_what_is_stored(open_page, counts):
    page = sign_in(open_page(counts, operator_password=PASSWORD), PASSWORD)
    assert [(metric.label, metric.value) for metric in page.metric] == [("Today", "4"), ("7 days", "4"), ("All", "5")]
    table = page.dataframe[0].value
    assert list(table["Class"]) == ["Metal", "Glass"]
    assert list(table["Answers"]) == [3, 1]
    assert list(table["Share"]) == [75, 25]
    assert list(table["Mean confidence"]) == pytest.approx([90, 60])
    assert charts(page) == 3
    text = shown(page)
    assert "class, bin, time and confidence of each answer, for 30 days" in text
    assert "could not be stored" not in text

    page.segmented_control(key="range").set_value("All").run()
    assert not page.exception
    assert list(page.dataframe[0].value["Answers"]) == [3, 2]
    assert list(page.dataframe[0].value["Mean confidence"]) == pytest.approx([90, 70])
    page.segmented_control(key="range").set_value("Today").run()
    assert charts(page) == 2  # one day needs no chart of days


def test_the_csv_is_of_the_chosen_time(open_page, counts):
    page = sign_in(open_page(counts, operator_password=PASSWORD), PASSWORD)
    _, make, name, kind = page.downloads[-1]
    read = list(csv.DictReader(io.StringIO(make())))
    assert [row["label"] for row in read] == ["metal"] * 3 + ["glass"]
    assert read[-1]["bin"] == "glass"
    assert float(read[-1]["confidence"]) == 0.6
    moment = datetime.fromisoformat(read[-1]["time"])
    assert moment.utcoffset() is not None
    assert moment.timestamp() == midnight(time.time())
    assert (name, kind) == (f"whichbin-answers-{date.today()}.csv", "text/csv")
    page.segmented_control(key="range").set_value("All").run()
    assert len(page.downloads[-1][1]().splitlines()) == 6


def test_no_answers_yet(open_page, tmp_path):
    counts = Counts(tmp_path / "empty.sqlite3", 30)
    page = sign_in(open_page(counts, operator_password=PASSWORD), PASSWORD)
    assert "No answers in this time" in shown(page)
    assert charts(page) == 0
    counts.close()


def test_lost_answers_are_said(open_page, counts, caplog):
    caplog.set_level(logging.CRITICAL)
    counts._connection.execute("PRAGMA query_only = ON")
    counts.add("glass", ["glass"], 0.9)
    page = sign_in(open_page(counts, operator_password=PASSWORD), PASSWORD)
    assert "could not be stored since the server's start: 1" in page.warning[0].value


def test_a_file_that_is_gone_is_an_error_on_the_page(open_page, counts):
    counts.file.unlink()
    page = sign_in(open_page(counts, operator_password=PASSWORD), PASSWORD)
    assert "cannot be read" in page.error[0].value
    assert charts(page) == 0


OPERATOR = {"is_logged_in": True, "email": "Olga@example.org", "email_verified": True}


def test_somebody_signed_out_is_offered_the_provider(open_page, counts, monkeypatch):
    asked = []
    monkeypatch.setattr(st, "login", lambda: asked.append(True))
    page = open_page(counts, {"is_logged_in": False}, operators=("olga@example.org",))
    assert_closed(page)
    assert not page.text_input
    button(page, "Sign in with your account").click().run()
    assert not page.exception
    assert asked == [True]
    assert_closed(page)


def test_a_provider_that_is_not_set_up_is_said(open_page, counts):
    page = open_page(counts, {"is_logged_in": False}, operators=("olga@example.org",))
    button(page, "Sign in with your account").click().run()
    assert not page.exception
    assert "uth" in page.error[0].value  # Authlib or [auth], whichever is missing


def test_an_operator_signed_in_at_the_provider_sees_the_counts(open_page, counts):
    page = open_page(counts, OPERATOR, operators=("olga@example.org",))
    assert charts(page) == 3
    page.downloads.clear()
    button(page, "Sign out").click().run()
    assert not page.exception
    assert_closed(page)


def test_anybody_else_with_an_account_does_not(open_page, counts):
    page = open_page(counts, {**OPERATOR, "email": "eve@example.org"}, operators=("olga@example.org",))
    assert_closed(page)
    assert "eve@example.org is not an operator" in page.error[0].value


def test_with_a_provider_operators_must_be_named(open_page, counts):
    page = open_page(counts, OPERATOR)
    assert_closed(page)
    assert "Nobody is an operator yet" in page.warning[0].value


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({}, True),
        ({"email": "OLGA@EXAMPLE.ORG", "email_verified": "true"}, True),
        ({"email_verified": False}, False),
        ({"email_verified": None}, False),
        ({"is_logged_in": False}, False),
        ({"email": None}, False),
        ({"email": ""}, False),
        ({"email": "olga@example.org.evil"}, False),
    ],
)
def test_only_a_verified_address_of_the_list_is_an_operators(claims, good):
    assert is_operator({**OPERATOR, **claims}, ("olga@example.org",)) is good


def test_each_wrong_password_doubles_the_wait_up_to_a_minute():
    clock = Clock()
    gate = PasswordGate(clock)
    waits = []
    for _ in range(9):
        assert gate.check("no", "yes") is False
        with pytest.raises(TooSoonError) as caught:
            gate.check("yes", "yes")
        waits.append(caught.value.seconds)
        clock.now += caught.value.seconds
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, LONGEST_WAIT_S]
    assert gate.check("yes", "yes") is True
    assert gate.check("no", "yes") is False  # forgotten: a second again
    clock.now += 1
    assert gate.check("yes", "yes") is True


def test_no_password_opens_nothing():
    assert PasswordGate(Clock()).check("", "") is False


def test_formulas_in_class_names_are_text_in_the_csv():
    text = report.to_csv([Answer(0.0, "=1+1", "@bin", 0.5)], RULES.words)
    assert next(csv.reader(io.StringIO(text.splitlines()[1])))[1:3] == ["'=1+1", "'@bin"]


def test_a_class_of_an_earlier_model_keeps_its_place_in_table_and_charts():
    summary = Summary({"old_tin": 2}, {"old_tin": 0.5}, {(3, "old_tin"): 2}, {("2026-01-31", "old_tin"): 2})
    assert report.class_table(summary, RULES)[0]["Class"] == "Old tin"
    for chart in (report.class_chart(summary, RULES), report.hour_chart(summary, RULES)):
        assert values(chart)[0]["class"] == "Old tin"


def test_class_colors_are_the_rules():
    summary = Summary({"metal": 1, "glass": 2}, {"metal": 1, "glass": 1}, {}, {})
    scale = report.class_chart(summary, RULES).to_dict()["encoding"]["color"]["scale"]
    assert scale["domain"] == ["Glass", "Metal"]
    assert scale["range"] == [RULES.category("glass").color, RULES.category("metal").color]


def test_days_without_answers_have_their_place_and_many_days_become_months():
    first, last = date(2026, 3, 28), date(2026, 3, 31)
    summary = Summary({"glass": 3}, {"glass": 1}, {}, {("2026-03-28", "glass"): 1, ("2026-03-31", "glass"): 2})
    unit, chart = report.day_chart(summary, RULES, first, last)
    axis = chart.to_dict()["encoding"]["x"]["scale"]["domain"]
    assert (unit, axis) == ("day", ["28 Mar", "29 Mar", "30 Mar", "31 Mar"])
    unit, chart = report.day_chart(summary, RULES, first - timedelta(days=200), last)
    assert unit == "month"
    assert chart.to_dict()["encoding"]["x"]["scale"]["domain"][-2:] == ["Feb 2026", "Mar 2026"]
    assert values(chart) == [{"month": "Mar 2026", "class": "Glass", "answers": 3}]

"""Counting answers in SQLite: what is stored, for how long, and what happens when it cannot be."""

import logging
import sqlite3
import threading
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from app.answers.counts import BUSY_S, DAY_S, SCHEMA, TIDY_S, Answer, Counts, CountsError, DiskError, Summary, midnight
from tests.helpers.fakes import Clock

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"  # POSIX, so that the tests need no time zone files


@pytest.fixture
def clock():
    clock = Clock()
    clock.now = 1_790_000_000.0
    return clock


@pytest.fixture
def counts(tmp_path, clock):
    counts = Counts(tmp_path / "counts.sqlite3", 30, clock)
    yield counts
    counts.close()


@pytest.fixture
def zone(monkeypatch):
    """Sets the process's time zone, and sets it back."""

    def use(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield use
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> float:
    """A moment with its offset from UTC as Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


def test_only_class_bin_time_and_confidence_are_stored_and_outlive_a_restart(counts, clock):
    counts.add("glass", ["glass"], 0.9)
    counts.add("can", ["packaging", "shop"], 0.75, time=clock.now + 5)
    counts.close()
    again = Counts(counts.file, 30, clock)
    assert list(again.rows()) == [
        Answer(clock.now, "glass", "glass", 0.9),
        Answer(clock.now + 5, "can", "packaging+shop", 0.75),
    ]
    assert list(again.rows(clock.now + 5)) == [Answer(clock.now + 5, "can", "packaging+shop", 0.75)]
    assert again.total() == 2
    assert again.total(clock.now + 1) == 1
    again.close()
    with closing(sqlite3.connect(counts.file)) as file:
        assert [row[1] for row in file.execute("PRAGMA table_info(answers)")] == ["time", "label", "bin", "confidence"]
    assert [path.name for path in counts.file.parent.iterdir()] == ["counts.sqlite3"]  # closing leaves one file


def test_an_empty_file_is_empty(counts):
    assert (counts.total(), list(counts.rows())) == (0, [])
    assert counts.summary() == Summary({}, {}, {}, {})


def test_many_threads_add_while_others_look(counts):
    def add(label: str) -> None:
        for _ in range(200):
            counts.add(label, ["b"], 0.8)

    def look() -> None:
        for _ in range(20):
            counts.summary()

    threads = [threading.Thread(target=add, args=(f"class {n}",)) for n in range(6)]
    threads += [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.summary().per_class == {f"class {n}": 200 for n in range(6)}
    assert counts.lost == 0


def test_mean_confidence_is_of_all_answers_not_of_hours(counts, clock):
    for hours, confidence in [(0, 0.6), (0, 0.6), (0, 0.6), (5, 1.0)]:
        counts.add("glass", ["glass"], confidence, clock.now + 3600 * hours)
    assert counts.summary().confidence["glass"] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("name", "moment", "day", "hour"),
    [
        (BERLIN, "2026-01-10T00:30:00+01:00", "2026-01-10", 0),
        (BERLIN, "2026-01-09T23:59:59+01:00", "2026-01-09", 23),
        (BERLIN, "2026-03-29T00:00:00+01:00", "2026-03-29", 0),  # 23 hours long
        (BERLIN, "2026-03-29T01:59:59+01:00", "2026-03-29", 1),
        (BERLIN, "2026-03-29T03:00:00+02:00", "2026-03-29", 3),
        (BERLIN, "2026-03-29T23:59:59+02:00", "2026-03-29", 23),
        (BERLIN, "2026-10-25T02:30:00+02:00", "2026-10-25", 2),  # twice on this day
        (BERLIN, "2026-10-25T02:30:00+01:00", "2026-10-25", 2),
        (BERLIN, "2026-10-25T23:59:59+01:00", "2026-10-25", 23),
        ("<+0545>-5:45", "2026-01-09T18:14:59+00:00", "2026-01-09", 23),  # Kathmandu
        ("<+0545>-5:45", "2026-01-09T18:15:00+00:00", "2026-01-10", 0),
        ("PST8PDT,M3.2.0,M11.1.0", "2026-07-01T06:59:59+00:00", "2026-06-30", 23),
    ],
)
def test_hours_and_days_are_those_of_the_servers_time_zone(tmp_path, zone, name, moment, day, hour):
    zone(name)
    counts = Counts(tmp_path / "c.sqlite3", 3650, lambda: at(moment))
    counts.add("glass", ["glass"], 0.9)
    summary = counts.summary()
    counts.close()
    assert summary.per_day == {(day, "glass"): 1}
    assert summary.per_hour == {(hour, "glass"): 1}


def test_days_begin_at_the_servers_midnight_also_where_the_clocks_change(zone):
    zone(BERLIN)
    assert midnight(at("2026-03-29T12:00:00+02:00")) == at("2026-03-29T00:00:00+01:00")
    assert midnight(at("2026-03-31T12:00:00+02:00"), 6) == at("2026-03-25T00:00:00+01:00")
    assert midnight(at("2026-10-25T12:00:00+01:00")) == at("2026-10-25T00:00:00+02:00")


def test_what_is_too_old_is_forgotten_at_the_start(counts, clock):
    for days in (0, 29.9, 30.1, 400):
        counts.add(f"{days}", ["b"], 0.9, clock.now - days * DAY_S)
    counts.close()
    again = Counts(counts.file, 30, clock)
    assert [row.label for row in again.rows()] == ["29.9", "0"]
    again.close()


def test_what_is_too_old_is_forgotten_while_running_once_an_hour(counts, clock):
    counts.add("old", ["b"], 0.9)
    clock.now += 30 * DAY_S - 1
    counts.add("young", ["b"], 0.9)  # tidies: nothing is too old yet
    clock.now += TIDY_S - 1
    counts.add("young", ["b"], 0.9)
    assert counts.summary().per_class == {"old": 1, "young": 2}
    clock.now += 1
    counts.add("young", ["b"], 0.9)
    assert counts.summary().per_class == {"young": 3}


def test_a_full_disk_is_logged_once_and_counting_goes_on_when_there_is_room(counts, caplog):
    pages = counts._pragma("page_count")
    counts._connection.execute(f"PRAGMA max_page_count = {pages}")
    caplog.set_level(logging.INFO)
    for _ in range(400):
        counts.add("glass", ["glass"], 0.9)
    kept = counts.total()
    assert counts.lost == 400 - kept > 100
    (record,) = caplog.records
    assert "full" in record.message
    assert str(counts.file) in record.message
    counts._connection.execute("PRAGMA max_page_count = 10000")
    counts.add("glass", ["glass"], 0.9)
    assert counts.total() == kept + 1
    assert f"lost since the start: {400 - kept}" in caplog.records[1].message
    counts._connection.execute("PRAGMA query_only = ON")
    counts.add("glass", ["glass"], 0.9)
    counts.add("glass", ["glass"], 0.9)
    assert len(caplog.records) == 3  # again, since it had worked
    assert "readonly" in caplog.records[2].message


def test_another_programs_lock_costs_a_moment_and_the_answer(counts, caplog):
    with closing(sqlite3.connect(counts.file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        begin = time.monotonic()
        counts.add("glass", ["glass"], 0.9)
        assert time.monotonic() - begin < BUSY_S + 1
        assert counts.lost == 1
        assert "locked" in caplog.records[0].message
        other.execute("ROLLBACK")
    counts.add("glass", ["glass"], 0.9)
    assert counts.total() == 1


def test_who_looks_does_not_keep_who_adds_waiting(counts):
    for _ in range(10):
        counts.add("glass", ["glass"], 0.9)
    looking = counts.rows()
    next(looking)
    counts.add("metal", ["packaging"], 0.9)
    assert counts.lost == 0
    assert {row.label for row in looking} == {"glass"}  # as it was when the look began
    assert counts.total() == 11


def test_what_comes_after_the_end_is_lost_and_raises_nothing(counts):
    counts.close()
    counts.add("glass", ["glass"], 0.9)
    assert counts.lost == 1


def test_a_file_that_is_gone_is_named(counts):
    counts.add("glass", ["glass"], 0.9)
    counts.file.unlink()
    with pytest.raises(CountsError, match=r"counts\.sqlite3: cannot be read \(unable to open"):
        counts.total()


def test_todays_count_begins_at_midnight_and_is_unknown_without_the_file(counts, clock, caplog):
    counts.add("glass", ["glass"], 0.9, midnight(clock.now) - 1)
    assert counts.today() == 0
    counts.add("glass", ["glass"], 0.9, midnight(clock.now))
    counts.add("metal", ["packaging"], 0.9)
    assert counts.today() == 2
    counts.file.unlink()
    assert counts.today() is None
    assert "cannot be read" in caplog.text


def foreign(file):
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE answers (question TEXT)")
        other.commit()


def newer(file):
    Counts(file, 30).close()
    with closing(sqlite3.connect(file)) as other:
        other.execute(f"PRAGMA user_version = {SCHEMA + 1}")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (foreign, "another program's database"),
        (newer, "newer Whichbin"),
        (lambda file: file.write_bytes(b"time,label\n" * 500), "not a database"),
        (lambda file: file.mkdir(), "unable to open"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(tmp_path, make, words):
    file = tmp_path / "c.sqlite3"
    make(file)
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(CountsError, match=words) as caught:
        Counts(file, 30)
    assert str(file) in str(caught.value)
    assert (file.read_bytes() if file.is_file() else None) == before
    assert [path.name for path in tmp_path.iterdir()] == ["c.sqlite3"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CountsError, match="nowhere"):
        Counts(tmp_path / "nowhere" / "c.sqlite3", 30)


def test_a_full_or_a_read_only_disk_at_the_start_is_told_from_a_mistake(tmp_path, monkeypatch):
    with pytest.raises(DiskError, match="full"):
        Counts(Path("/dev/full"), 30)  # has no room for a byte, for root either
    with pytest.raises(CountsError) as caught:
        Counts(tmp_path / "nowhere" / "c.sqlite3", 30)
    assert not isinstance(caught.value, DiskError)
    monkeypatch.setattr("os.access", lambda path, mode: False)  # as on a disk that is mounted read-only
    with pytest.raises(DiskError, match="unable to open"):
        Counts(Path("/proc/c.sqlite3"), 30)

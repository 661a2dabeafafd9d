"""Counting answers: class, bin, time and confidence in one SQLite file, kept for a number of days; nothing else."""

import logging
import os
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

APPLICATION_ID = 0x57424E31  # "WBN1"; tells our files from other programs' (https://www.sqlite.org/fileformat.html)
SCHEMA = 1  # PRAGMA user_version
BUSY_S = 0.25  # how long a write waits for another process's; the visitor's page waits with it
TIDY_S = 3600.0  # between removals of what is too old
DAY_S = 86400.0
DISK = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR")  # https://www.sqlite.org/rescode.html

CREATE = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS answers (
  time REAL NOT NULL, label TEXT NOT NULL, bin TEXT NOT NULL, confidence REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_by_time ON answers (time);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA};
COMMIT;
"""

# Every time zone's offset is a whole number of quarters of an hour, so that it is enough to find the local time of
# each quarter instead of each answer's: three times as fast with 500 000 answers in 90 days.
PER_LOCAL_HOUR = """
SELECT strftime('%Y-%m-%d %H', quarter * 900, 'unixepoch', 'localtime') AS local_hour, label, SUM(answers), SUM(sure)
FROM (SELECT CAST(time / 900 AS INTEGER) AS quarter, label, COUNT(*) AS answers, SUM(confidence) AS sure
      FROM answers WHERE time >= ? GROUP BY quarter, label)
GROUP BY local_hour, label
"""


class CountsError(RuntimeError):
    """The file of counts cannot be used. The message names the file and the reason."""


class DiskError(CountsError):
    """The disk is full or read-only, which may pass without the settings being wrong."""


@dataclass(frozen=True)
class Answer:
    """One answer that was shown. time: Unix seconds. bin: the keys of its bins, joined with "+". confidence: 0 to 1."""

    time: float
    label: str
    bin: str
    confidence: float


@dataclass(frozen=True)
class Summary:
    """How many answers there were, and how sure they were on average, 0 to 1. Where there are none, there is no key.

    Days are like 2026-03-29 and hours 0 to 23, in the server's time zone.
    """

    per_class: dict[str, int]
    confidence: dict[str, float]
    per_hour: dict[tuple[int, str], int]
    per_day: dict[tuple[str, str], int]


class Counts:
    """The answers of one file.

    One connection writes, under a lock; each look has a connection of its own, so that adding never waits for it.
    Hours and days are those of the server's time zone. `since` is always in Unix seconds, inclusive.
    """

    def __init__(self, file: Path, days: int, clock: Callable[[], float] = time.time) -> None:
        """Open the file, or create it, and forget what is older than `days`.

        Raises DiskError if the disk is full or read-only, CountsError if it does not work for another reason, if the
        file is not one of ours, or of a newer version.
        """
        self.file = file
        self.days = days
        self._clock = clock
        self._lock = threading.Lock()
        self._tidied = 0.0
        self._lost = 0
        self._failing = False
        try:
            self._connection = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise _kind(error, file)(f"{file}: cannot be opened ({error})") from error
        try:
            self._prepare()
            self._tidy()
        except sqlite3.Error as error:
            self._connection.close()
            raise _kind(error, file)(f"{file}: cannot be used for counts ({error})") from error
        except CountsError:
            self._connection.close()
            raise

    @property
    def lost(self) -> int:
        """Answers that could not be written since the start."""
        return self._lost

    def add(self, label: str, bins: Sequence[str], confidence: float, time: float | None = None) -> None:
        """Count one answer, shown now unless told otherwise. From any thread.

        A disk that is full, locked or read-only never raises: the answer is dropped and counted in `lost`, and the
        log says so once until it has worked again.
        """
        row = (self._clock() if time is None else float(time), label, "+".join(bins), float(confidence))
        with self._lock:
            try:
                if not 0 <= self._clock() - self._tidied < TIDY_S:  # also after the clock was set back
                    self._tidy()
                self._connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?)", row)
            except sqlite3.Error as error:
                self._lost += 1
                if not self._failing:
                    log.warning("%s: answers are not counted until this is mended (%s)", self.file, error)
                self._failing = True
                return
            if self._failing:
                log.warning("%s: answers are counted again; lost since the start: %d", self.file, self._lost)
            self._failing = False

    def total(self, since: float = 0.0) -> int:
        """How many answers there are. Raises CountsError."""
        ((answers,),) = self._read("SELECT COUNT(*) FROM answers WHERE time >= ?", (since,))
        return int(answers)

    def summary(self, since: float = 0.0) -> Summary:
        """The answers by label, by hour of day and label, and by day and label. Raises CountsError."""
        classes, sums = Counter[str](), defaultdict[str, float](float)
        hours, days = Counter[tuple[int, str]](), Counter[tuple[str, str]]()
        for local_hour, label, answers, confidence in self._read(PER_LOCAL_HOUR, (since,)):
            day, hour = local_hour.split()
            classes[label] += answers
            sums[label] += confidence
            hours[int(hour), label] += answers
            days[day, label] += answers
        return Summary(classes, {label: sums[label] / n for label, n in classes.items()}, hours, days)

    def rows(self, since: float = 0.0) -> Iterator[Answer]:
        """Every answer, oldest first, read as it is asked for. Raises CountsError."""
        ask = "SELECT time, label, bin, confidence FROM answers WHERE time >= ? ORDER BY time"
        for row in self._read(ask, (since,)):
            yield Answer(*row)

    def close(self) -> None:
        """Write everything into the one file. What is added afterwards is lost, and counted so."""
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        """Create the table in an empty file; refuse another program's."""
        if not self._pragma("schema_version"):  # 0 only in a file without anything in it
            self._connection.executescript(CREATE)
        if self._pragma("application_id") != APPLICATION_ID:
            raise CountsError(f"{self.file}: is another program's database; name another file in counts_file")
        found = self._pragma("user_version")
        if found != SCHEMA:
            raise CountsError(
                f"{self.file}: was made by a newer Whichbin (version {found} of the table, known is {SCHEMA}); "
                "update, or name another file in counts_file"
            )
        self._connection.execute("PRAGMA journal_mode = WAL")  # who looks never keeps who writes waiting
        self._connection.execute("PRAGMA synchronous = NORMAL")  # no flush an answer: kinder to memory cards

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def _tidy(self) -> None:
        now = self._clock()
        self._connection.execute("DELETE FROM answers WHERE time < ?", (now - self.days * DAY_S,))
        self._tidied = now

    def _read(self, ask: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"{self.file.resolve().as_uri()}?mode=ro", uri=True)) as reader:
                yield from reader.execute(ask, values)
        except sqlite3.Error as error:
            raise CountsError(f"{self.file}: cannot be read ({error})") from error


def _kind(error: sqlite3.Error, file: Path) -> type[CountsError]:
    """Whether it is the disk's fault. SQLite says of a file that a read-only disk has no room for: cannot open."""
    read_only = file.parent.is_dir() and not os.access(file.parent, os.W_OK)
    return DiskError if read_only or getattr(error, "sqlite_errorname", "").startswith(DISK) else CountsError


def midnight(now: float, days_ago: int = 0) -> float:
    """When a day of the server's time zone began, in Unix seconds: today, or `days_ago`."""
    day = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day - timedelta(days=days_ago)).timestamp()

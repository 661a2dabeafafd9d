"""Counts answers in one SQLite file: class, bin, time and confidence, for a number of days, and nothing else."""

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

# "WBN1": tells our files from those of other programs (https://www.sqlite.org/fileformat.html#application_id)
APPLICATION_ID = 0x57424E31
SCHEMA = 1  # the version of the table, kept in the file as `PRAGMA user_version`
BUSY_S = 0.25  # how long a write waits for one of another process; the visitor's page waits with it
TIDY_S = 3600.0  # from one removal of answers that are too old to the next
DAY_S = 86400.0
DISK = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR")  # faults of the disk: https://www.sqlite.org/rescode.html

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

# Beside the answers, since files of before there were corrections are used on, also by an earlier Whichbin
CREATE_CORRECTIONS = """
CREATE TABLE IF NOT EXISTS corrections (time REAL NOT NULL, said TEXT NOT NULL, "right" TEXT NOT NULL)
"""
MOST_CORRECTIONS = 100_000  # everybody may correct, and a file must not grow without bounds

# The offset of every time zone is a whole number of quarter-hours. So it is enough to find the local time of each
# quarter-hour instead of each answer, which is three times as fast with 500,000 answers in 90 days.
PER_LOCAL_HOUR = """
SELECT strftime('%Y-%m-%d %H', quarter * 900, 'unixepoch', 'localtime') AS local_hour, label, SUM(answers), SUM(sure)
FROM (SELECT CAST(time / 900 AS INTEGER) AS quarter, label, COUNT(*) AS answers, SUM(confidence) AS sure
      FROM answers WHERE time >= ? GROUP BY quarter, label)
GROUP BY local_hour, label
"""


class CountsError(RuntimeError):
    """The file of counts cannot be used. The message names the file and the reason."""


class DiskError(CountsError):
    """The disk is full or read-only. That may pass, and no setting has to be wrong."""


@dataclass(frozen=True)
class Answer:
    """One answer that was shown.

    Attributes:
        time: When, in Unix seconds.
        label: The model's label.
        bin: The keys of its bins, joined with "+".
        confidence: 0 to 1.
    """

    time: float
    label: str
    bin: str
    confidence: float


@dataclass(frozen=True)
class Summary:
    """How many answers there were, and how confident they were. Where there are no answers, there is no key.

    Attributes:
        per_class: Answers by label.
        confidence: Mean confidence by label, 0 to 1.
        per_hour: Answers by hour of the day, 0 to 23 in the server's time zone, and label.
        per_day: Answers by day, such as "2026-03-29" in the server's time zone, and label.
    """

    per_class: dict[str, int]
    confidence: dict[str, float]
    per_hour: dict[tuple[int, str], int]
    per_day: dict[tuple[str, str], int]


class Counts:
    """The answers in one file. Thread-safe.

    One connection writes, under a lock. Each reading has a connection of its own, so that adding an answer never waits
    for somebody who looks at them.
    """

    def __init__(self, file: Path, days: int, clock: Callable[[], float] = time.time) -> None:
        """Open the file, or create it, and remove the answers that are too old.

        Args:
            file: The SQLite file; its folder has to exist.
            days: For how many days an answer is kept.
            clock: Gives Unix seconds.

        Raises:
            DiskError: The disk is full or read-only.
            CountsError: The file belongs to another program or to a newer Whichbin, or cannot be used for another
                reason.
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
        """How many answers could not be written since the start."""
        return self._lost

    def add(self, label: str, bins: Sequence[str], confidence: float, time: float | None = None) -> None:
        """Count one answer.

        If the disk is full or read-only, or another process holds the file for too long, nothing is raised: the answer
        is dropped and counted in `lost`. The log says so once, and once more when it works again.

        Args:
            label: The model's label.
            bins: The keys of the bins that were shown.
            confidence: 0 to 1.
            time: When it was shown, in Unix seconds; None for now.
        """
        row = (self._clock() if time is None else float(time), label, "+".join(bins), float(confidence))
        self._write("INSERT INTO answers VALUES (?, ?, ?, ?)", row)

    def correct(self, said: str, right: str) -> None:
        """Count one correction. Where it cannot be written, it is treated as an answer is by `add`.

        Args:
            said: The label that was said; empty for "not sure".
            right: The label that the visitor gave; empty for "none of these".
        """
        ask = "INSERT INTO corrections SELECT ?, ?, ? WHERE (SELECT COUNT(*) FROM corrections) < ?"
        self._write(ask, (self._clock(), said, right, MOST_CORRECTIONS))

    def corrections(self, since: float = 0.0) -> list[tuple[str, str, int]]:
        """What was said, what visitors said instead, and how often; the most frequent first.

        Args:
            since: The first moment that counts, in Unix seconds.

        Raises:
            CountsError: The file cannot be read.
        """
        ask = 'SELECT said, "right", COUNT(*) FROM corrections WHERE time >= ? GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2'
        return [(said, right, int(times)) for said, right, times in self._read(ask, (since,))]

    def _write(self, ask: str, row: tuple[object, ...]) -> None:
        with self._lock:
            try:
                if not 0 <= self._clock() - self._tidied < TIDY_S:  # also after the clock was set back
                    self._tidy()
                self._connection.execute(ask, row)
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
        """How many answers there are.

        Args:
            since: The first moment that counts, in Unix seconds.

        Raises:
            CountsError: The file cannot be read.
        """
        ((answers,),) = self._read("SELECT COUNT(*) FROM answers WHERE time >= ?", (since,))
        return int(answers)

    def today(self) -> int | None:
        """How many answers there are of this day in the server's time zone; None if the file cannot be read."""
        try:
            return self.total(midnight(self._clock()))
        except CountsError as error:
            log.warning("%s", error)
            return None

    def summary(self, since: float = 0.0) -> Summary:
        """The answers by label, by hour of the day, and by day.

        Args:
            since: The first moment that counts, in Unix seconds.

        Raises:
            CountsError: The file cannot be read.
        """
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
        """Every answer, oldest first, each read when it is asked for.

        Args:
            since: The first moment that counts, in Unix seconds.

        Raises:
            CountsError: The file cannot be read.
        """
        ask = "SELECT time, label, bin, confidence FROM answers WHERE time >= ? ORDER BY time"
        for row in self._read(ask, (since,)):
            yield Answer(*row)

    def close(self) -> None:
        """Write everything into the one file. Answers that are added later are lost, and counted in `lost`."""
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        """Create the table in an empty file, and refuse a file of another program."""
        if not self._pragma("schema_version"):  # it is 0 in an empty file only
            self._connection.executescript(CREATE)
        if self._pragma("application_id") != APPLICATION_ID:
            raise CountsError(f"{self.file}: is another program's database; name another file in counts_file")
        found = self._pragma("user_version")
        if found != SCHEMA:
            raise CountsError(
                f"{self.file}: was made by a newer Whichbin (version {found} of the table, known is {SCHEMA}); "
                "update, or name another file in counts_file"
            )
        self._connection.execute(CREATE_CORRECTIONS)
        self._connection.execute("PRAGMA journal_mode = WAL")  # reading never makes writing wait
        self._connection.execute("PRAGMA synchronous = NORMAL")  # no flush for each answer, which spares memory cards

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def _tidy(self) -> None:
        now = self._clock()
        self._connection.execute("DELETE FROM answers WHERE time < ?", (now - self.days * DAY_S,))
        self._connection.execute("DELETE FROM corrections WHERE time < ?", (now - self.days * DAY_S,))
        self._tidied = now

    def _read(self, ask: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"{self.file.resolve().as_uri()}?mode=ro", uri=True)) as reader:
                yield from reader.execute(ask, values)
        except sqlite3.Error as error:
            raise CountsError(f"{self.file}: cannot be read ({error})") from error


def _kind(error: sqlite3.Error, file: Path) -> type[CountsError]:
    """Which error it is: DiskError if the disk is to blame. On a read-only disk SQLite only says "cannot open"."""
    read_only = file.parent.is_dir() and not os.access(file.parent, os.W_OK)
    return DiskError if read_only or getattr(error, "sqlite_errorname", "").startswith(DISK) else CountsError


def midnight(now: float, days_ago: int = 0) -> float:
    """When a day began in the server's time zone.

    Args:
        now: The present, in Unix seconds.
        days_ago: Which day: 0 for today, 1 for yesterday.

    Returns:
        Unix seconds.
    """
    day = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day - timedelta(days=days_ago)).timestamp()

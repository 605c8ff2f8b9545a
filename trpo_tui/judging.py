"""A run being read and judged: where rows come from, and where the cause changes."""

import os
import time
from collections.abc import Callable
from typing import Protocol

from analyzer.diagnosis import Diagnosis
from runlog.run import Run
from trpo_tui.frame import Change


class Source(Protocol):
    """What `runlog.tail.follow` returns."""

    @property
    def run(self) -> Run: ...
    def poll(self) -> Run | None: ...
    def close(self) -> None: ...


def open_source(path: str) -> Source:
    """The real one. pyarrow is imported here, in the reading thread, after the first paint."""
    from runlog.tail import follow

    return follow(path)


def open_pipe(descriptor: int) -> Source:
    """Log text from an open pipe, such as standard input moved out of the way of the keys."""
    from runlog.importers import follow_log

    return follow_log(os.fdopen(descriptor, "rb"))


class Judged(Protocol):
    """What `analyzer.answers.answers` returns, as far as the screen asks it."""

    def at(self, row: int) -> Diagnosis: ...
    def extend(self, run: Run) -> "Judged": ...


def judge_run(run: Run) -> Judged:
    """The real one, imported in the reading thread."""
    from analyzer.answers import answers

    return answers(run)


class Judge:
    """The answers of the run read so far, and the rows at which the cause changes."""

    def __init__(self, judging: Callable[[Run], Judged] = judge_run) -> None:
        self._judging = judging
        self._answers: Judged | None = None
        self._rows = 0
        self._attempt = 0
        self._scanned = 0
        self._changes: list[Change] = []
        self._last: str | None = None

    def read(self, run: Run) -> None:
        """Take in more of the run; a new attempt starts afresh."""
        if not len(run):
            return
        if self._answers is None or run.attempt != self._attempt or len(run) < self._rows:
            self._answers = self._judging(run)
            self._scanned, self._changes, self._last = 0, [], None
        else:
            self._answers = self._answers.extend(run)
        self._rows, self._attempt = len(run), run.attempt

    def at(self, row: int) -> Diagnosis | None:
        """The diagnosis as of a row, None before there are rows."""
        if self._answers is None or not self._rows:
            return None
        return self._answers.at(max(0, min(row, self._rows - 1)))

    def scan(self, seconds: float) -> bool:
        """Look for changes of the cause for that long; whether any row was looked at."""
        end = time.monotonic() + seconds
        start = self._scanned
        while self._answers is not None and self._scanned < self._rows:
            cause = self._answers.at(self._scanned).cause
            code = None if cause is None else cause.code
            if self._scanned == 0 or code != self._last:
                self._changes.append(Change(row=self._scanned, code=code))
            self._last = code
            self._scanned += 1
            if time.monotonic() > end:
                break
        return self._scanned > start

    @property
    def finished(self) -> bool:
        """Whether every row has been looked at for a change."""
        return self._scanned >= self._rows

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(self._changes)

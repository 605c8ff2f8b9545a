"""A run being read and judged: where rows come from, and where the cause changes."""

import os
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analyzer.diagnosis import Diagnosis
from runlog.run import Run
from trpo_tui.frame import Change

if TYPE_CHECKING:
    from analyzer.answers import Answers
    from analyzer.long_run import LongAnswers


class Source(Protocol):
    """What `runlog.tail.follow` returns."""

    @property
    def run(self) -> Run: ...
    def poll(self) -> Run | None: ...
    def close(self) -> None: ...


def open_source(
    path: str, *, mapping: Mapping[str, str] | None = None, from_format: str | None = None
) -> Source:
    """The real one. pyarrow is imported here, in the reading thread, after the first paint.

    `mapping`: a log's key → our column. `from_format`: the log's format, None recognises it.
    """
    from runlog.reader import follow

    return follow(path, mapping=mapping, from_format=from_format)


def open_pipe(
    descriptor: int, *, mapping: Mapping[str, str] | None = None, from_format: str | None = None
) -> Source:
    """Log text from an open pipe, such as standard input moved out of the way of the keys."""
    from runlog.importers import follow_log

    return follow_log(os.fdopen(descriptor, "rb"), mapping=mapping, from_format=from_format)


class Noted:
    """A source whose run says some sentences more: what trpo-tui.toml asked for."""

    def __init__(self, source: Source, notes: tuple[str, ...]) -> None:
        self._source, self._notes = source, notes

    @property
    def run(self) -> Run:
        return self._with_notes(self._source.run)

    def poll(self) -> Run | None:
        run = self._source.poll()
        return None if run is None else self._with_notes(run)

    def close(self) -> None:
        self._source.close()

    def _with_notes(self, run: Run) -> Run:
        return replace(run, notes=(*self._notes, *run.notes))


class Judged(Protocol):
    """A judged run, as far as the screen asks it."""

    def at(self, row: int) -> Diagnosis: ...
    def cause(self, row: int) -> str | None:
        """The code of the cause `at` names, None where it names none."""

    def extend(self, run: Run) -> "Judged": ...
    def turns(self) -> Sequence[int]:
        """The rows, rising from 0, at which some rule begins or ceases to fire."""


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """The analyzer's answers."""

    answers: "Answers | LongAnswers"

    def at(self, row: int) -> Diagnosis:
        return self.answers.at(row)

    def cause(self, row: int) -> str | None:
        return self.answers.cause(row)

    def extend(self, run: Run) -> "Judged":
        return judge_run(run, ignore=self.answers.ignored)

    def turns(self) -> Sequence[int]:
        from analyzer.condition import YES

        turning = np.zeros(len(self.answers.run), dtype=bool)
        turning[:1] = True
        for judged in self.answers.judged:
            for outcome in judged.outcomes:
                fires = np.asarray(outcome.answer == YES)
                turning[1:] |= fires[1:] != fires[:-1]
        rows: list[int] = np.flatnonzero(turning).tolist()
        return rows


def judge_run(run: Run, *, ignore: Mapping[str, str] | None = None, long: int = 200_000) -> Judged:
    """The real one, imported in the reading thread. `ignore`: code → the user's reason. From `long`
    rows on what the answers were made of is not kept: that would be gigabytes."""
    from analyzer.answers import answers

    if len(run) >= long:
        from analyzer.long_run import can_be_long, long_answers

        if can_be_long(run):
            return JudgedRun(long_answers(run, ignore=ignore))
    return JudgedRun(answers(run, ignore=ignore))


class Judge:
    """The answers of the run read so far, and the rows at which the cause changes."""

    def __init__(self, judging: Callable[[Run], Judged] = judge_run) -> None:
        self._judging = judging
        self._answers: Judged | None = None
        self._rows = 0
        self._which: tuple[int, object] | None = None  # attempt, and whose
        self._turns: Sequence[int] = ()
        self._scanned = 0  # rows below this have been looked at
        self._changes: list[Change] = []
        self._last: str | None = None

    def read(self, run: Run) -> None:
        """Take in more of the run; a new attempt, or another run in its place, starts afresh."""
        which = run.attempt, run.metadata.get("run_id")
        if which != self._which or len(run) < self._rows:
            self._answers, self._scanned, self._changes, self._last = None, 0, [], None
            self._turns = ()
        self._rows, self._which = len(run), which
        if not len(run):
            return
        answers = self._answers
        self._answers = self._judging(run) if answers is None else answers.extend(run)
        turns = self._answers.turns()
        self._turns = turns[bisect_left(turns, self._scanned) :]

    def at(self, row: int) -> Diagnosis | None:
        """The diagnosis as of a row, None before there are rows."""
        if self._answers is None or not self._rows:
            return None
        return self._answers.at(max(0, min(row, self._rows - 1)))

    def scan(self, seconds: float) -> None:
        """Look for changes of the cause for about that long; the cause is causal, so a row never needs a second look."""
        end = time.monotonic() + seconds
        if self._answers is None:
            return
        for place, row in enumerate(self._turns):
            if time.monotonic() > end:
                self._turns, self._scanned = self._turns[place:], row
                return
            code = self._answers.cause(row)
            if row == 0 or code != self._last:
                self._changes.append(Change(row=row, code=code))
            self._last = code
        self._turns, self._scanned = (), self._rows

    @property
    def finished(self) -> bool:
        """Whether every row has been looked at for a change."""
        return self._scanned >= self._rows

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(self._changes)

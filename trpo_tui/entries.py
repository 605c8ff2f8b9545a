"""The runs below a folder, one entry each: is it alive, how far, how good, is it sick."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from runlog.errors import UserError
from runlog.run import Run, State
from trpo_tui.frame import LIVE
from trpo_tui.judging import Judged, judge_run
from trpo_tui.places import Readings, Stamp, name_of, stamp_of

CURVE = 8
"""Numbers an entry keeps of a run's returns: one a cell of its curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One run. `problem` says why it could not be read, else it is empty."""

    path: str
    name: str
    state: State | None
    iterations: int
    last_return: float | None
    verdict: str
    """Code and name of the cause, else the verdict."""
    problem: str = ""
    returns: tuple[float, ...] = ()
    """Medians of the mean returns of up to CURVE stretches of the run."""
    headline: str = ""
    """The diagnosis in a sentence."""

    @property
    def code(self) -> str:
        """The cause's code, empty where there is none."""
        return self.verdict.partition(" ")[0] if self.verdict.startswith("TRPO") else ""


def entry_of(
    path: str, folder: str, readings: Readings, judging: Callable[[Run], Judged] = judge_run
) -> Entry:
    """One run, read and judged at its last row."""
    name = name_of(path, folder)
    try:
        run = readings.read(path)
    except UserError as error:
        return Entry(
            path=path, name=name, state=None, iterations=0, last_return=None, verdict="",
            problem=str(error),
        )  # fmt: skip
    verdict = headline = "no rows yet"
    if len(run):
        diagnosis = judging(run).at(len(run) - 1)
        verdict, headline = diagnosis.verdict, diagnosis.headline
        if diagnosis.cause is not None:
            verdict = f"{diagnosis.cause.code} {diagnosis.cause.name}"
    return Entry(
        path=path, name=name, state=run.state, iterations=len(run), verdict=verdict,
        last_return=last_return(run), returns=returns_of(run), headline=headline,
    )  # fmt: skip


def last_return(run: Run) -> float | None:
    """The newest mean episode return that was logged."""
    column = run.column("episode_return_mean")
    known = column.values[column.present]
    return float(known[-1]) if len(known) else None


def returns_of(run: Run) -> tuple[float, ...]:
    """Medians of the mean returns of as many stretches of the run as its curve has cells."""
    column = run.column("episode_return_mean")
    known = column.values[column.present].astype(np.float64)
    known = known[np.isfinite(known)]
    parts = np.array_split(known, min(CURVE, max(1, len(known))))
    return tuple(float(np.median(part)) for part in parts if len(part))


@dataclass(slots=True)
class Shelf:
    """Entries of runs that are over, kept until something in their folder changes."""

    judging: Callable[[Run], Judged] = judge_run
    readings: Readings = field(default_factory=Readings)
    kept: dict[str, tuple[Stamp, Entry]] = field(default_factory=dict)

    def entry(self, path: str, folder: str) -> Entry:
        """The run as it is now."""
        stamp = stamp_of(path)
        before = self.kept.get(path)
        if before is not None and before[0] == stamp:
            return before[1]
        found = entry_of(path, folder, self.readings, self.judging)
        if stamp is not None and found.state is not None and found.state.name not in LIVE:
            self.kept[path] = (stamp, found)
        return found


ORDERS = ("name", "state", "iterations", "return", "verdict")
_ALIVE_FIRST = (*LIVE, "crashed", "killed", "lost", "preempted", "stopped", "finished")


def ordered(entries: Iterable[Entry], order: str, *, backwards: bool) -> list[Entry]:
    """Sorted by one of ORDERS: living first, most iterations, highest return, faults first; what is
    not known stays last either way."""
    keys: Mapping[str, Callable[[Entry], Any]] = {
        "name": lambda e: e.name,
        "state": lambda e: None if e.state is None else _ALIVE_FIRST.index(e.state.name),
        "iterations": lambda e: None if e.state is None else -e.iterations,
        "return": lambda e: None if e.last_return is None else -e.last_return,
        "verdict": lambda e: (not e.code, e.verdict) if e.verdict else None,
    }
    key = keys[order]
    listed = sorted(entries, key=lambda e: e.name)
    known = [e for e in listed if key(e) is not None]
    return sorted(known, key=key, reverse=backwards) + [e for e in listed if key(e) is None]


def chosen_entries(entries: Iterable[Entry], letters: str) -> list[Entry]:
    """Those whose name, state or verdict holds the letters; with `!` in front, does not."""
    wanted, inverted = letters.removeprefix("!").lower(), letters.startswith("!")

    def holds(e: Entry) -> bool:
        state = e.state.name if e.state is not None else e.problem
        return wanted in f"{e.name} {state} {e.verdict}".lower()

    return [e for e in entries if not wanted or holds(e) != inverted]

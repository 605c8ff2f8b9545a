"""What the analyzer says of the fault bench's runs: every prefix of each, and what importers leave of it."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import beside  # noqa: F401
import numpy as np
from bench_case import Case

from analyzer.answers import answers
from analyzer.diagnosis import Diagnosis
from runlog import open_run
from runlog.importers.formats import FORMATS
from runlog.run import ImportInfo, RecordChunk, Run
from runlog.schema import BY_NAME

LAST = 10
"""Iterations whose mean return is what came of a run."""
DIGITS = 3
"""Significant digits that a trainer's table prints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A finding at the last iteration. `explained`: whether another one explains it."""

    code: str
    level: str
    explained: bool
    first_bad: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the analyzer said of one run."""

    case: Case
    path: Path
    iterations: int
    verdict: str
    cause: str | None
    confidence: float | None
    first_bad: int | None
    """First bad iteration of the cause, as said at the last iteration."""
    alarms: tuple[int, ...]
    """Iterations whose prefix was called a fault."""
    alarm_codes: tuple[str, ...]
    first_right: int | None
    """First iteration whose prefix named a cause of the label."""
    findings: tuple[Said, ...]
    returns: tuple[float, ...]
    """Mean return of each iteration's episodes, NaN where none ended."""
    guide: int | None
    """Section at which the guide's own tree stops in the last row."""
    recursion_error: float
    """Largest error of A_t = δ_t + γλ(1 − end_t)A_{t+1} in a faulty row's window, over std(A)."""
    printed: tuple[tuple[str, str, str | None, float | None], ...] = ()
    """By importer: verdict, cause and its confidence from what it would have understood."""

    @property
    def final(self) -> float:
        """What came of the run."""
        known = [value for value in self.returns[-LAST:] if not math.isnan(value)]
        return float(np.mean(known)) if known else math.nan


def judge(work: Sequence[tuple[Case, Path]], jobs: int, *, printed: bool) -> Iterator[Score]:
    """Judge the runs that are there, in `jobs` processes. `printed`: also as importers read them."""
    there = [(case, path, printed) for case, path in work if (path / "run.json").exists()]
    with get_context("spawn").Pool(jobs, _begin) as pool:
        yield from pool.imap(_judged, there, 4)


def _begin() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


def _judged(given: tuple[Case, Path, bool]) -> Score:
    case, path, printed = given
    run = open_run(path)
    judged = answers(run)
    diagnoses = [judged.at(row) for row in range(len(run))]
    last = diagnoses[-1]
    returns = run.column("episode_return_mean")
    alarms = [d for d in diagnoses if d.verdict == "fault"]
    right = [d.iteration for d in diagnoses if d.cause and d.cause.code in case.label]
    return Score(
        case=case,
        path=path,
        iterations=len(run),
        verdict=last.verdict,
        cause=last.cause.code if last.cause else None,
        confidence=last.cause.confidence if last.cause else None,
        first_bad=last.cause.first_bad_iteration if last.cause else None,
        alarms=tuple(d.iteration or 0 for d in alarms),
        alarm_codes=tuple(dict.fromkeys(d.cause.code for d in alarms if d.cause)),
        first_right=right[0] if right else None,
        findings=_said(last),
        returns=tuple(np.where(returns.present, returns.values, np.nan).tolist()),
        guide=last.guide.section,
        recursion_error=recursion_error(run, case.onset),
        printed=tuple(_as_printed(run)) if printed else (),
    )


def recursion_error(run: Run, first: int) -> float:
    """What the windows from iteration `first` on show of the advantages' recursion being broken."""
    names = ("reward", "value", "next_value", "advantage", "terminated", "truncated")
    columns = [run.lists(f"window_{name}") for name in names]
    gamma, lam = run.column("gamma").values, run.column("lam").values
    spread = run.column("advantage_raw_std").values
    worst = 0.0
    for i in range(max(0, first - 1), len(run)):
        if not all(column.present[i] for column in columns):
            continue
        reward, value, following, advantage, terminated, truncated = (c[i] for c in columns)
        delta = reward + gamma[i] * (1 - terminated) * following - value
        carried = gamma[i] * lam[i] * (1 - np.maximum(terminated, truncated))
        error = np.abs(advantage[:-1] - delta[:-1] - carried[:-1] * advantage[1:])
        if len(error) and spread[i] > 0:
            worst = max(worst, float(error.max() / spread[i]))
    return worst


def _said(diagnosis: Diagnosis) -> tuple[Said, ...]:
    return tuple(
        Said(
            code=finding.code,
            level=finding.level,
            explained=finding.explained_by is not None,
            first_bad=finding.first_bad_iteration,
        )
        for finding in diagnosis.findings
    )


@cache
def printed_columns() -> dict[str, tuple[str, ...]]:
    """By importer: declared numbers that a table of that trainer holds, where they are five or more."""
    found = {}
    for format_ in FORMATS:
        lines = " ".join((format_.header or "", *format_.lines))
        named = [key.column for key in format_.keys.values()]
        named += [name for name in BY_NAME if "{" + name + "}" in lines]
        numbers = [n for n in dict.fromkeys(named) if n in BY_NAME and BY_NAME[n].type != "string"]
        if len(numbers) >= 5:
            found[format_.name] = tuple(numbers)
    return found


def reduced(run: Run, name: str, columns: Sequence[str]) -> Run:
    """The run as a table of three significant digits with these columns, read back by an importer."""
    cells = {each: run.column(each) for each in columns if each in run.types}
    rows, halves = [], []
    for i in range(len(run)):
        row: dict[str, float] = {}
        half: dict[str, float] = {}
        for each, column in cells.items():
            if not column.present[i]:
                continue
            value = float(column.values[i])
            if not math.isfinite(value) or each in ("iteration", "timesteps", "episodes"):
                row[each], half[each] = value, 0.0
                continue
            digits = DIGITS - 1 - (math.floor(math.log10(abs(value))) if value else 0)
            row[each], half[each] = round(value, digits), 0.5 * 10.0**-digits
        rows.append(row)
        halves.append(half)
    source = ImportInfo(
        format=name, attempts=1, understood=tuple(columns), not_understood=(), assumptions=()
    )
    known = {key: run.metadata.get(key) for key in ("algorithm", "env_id")}
    table = Run(chunks=(RecordChunk(tuple(rows), tuple(halves)),), metadata=known, state=run.state)
    return replace(table, source=source)


def _as_printed(run: Run) -> Iterator[tuple[str, str, str | None, float | None]]:
    for name, columns in printed_columns().items():
        last = answers(reduced(run, name, columns)).last()
        cause = last.cause
        yield name, last.verdict, cause.code if cause else None, cause.confidence if cause else None

"""Watching in sentences: one line when something changes, no boxes, no redraws."""

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TextIO

from analyzer.diagnosis import Diagnosis
from runlog.errors import UserError
from runlog.reader import Still
from runlog.run import Run
from trpo_tui.frame import LIVE, lost_line
from trpo_tui.judging import Judge, Judged, Source, judge_run, open_source
from trpo_tui.places import runs_below
from trpo_tui.text import compared, number
from trpo_tui.themes import encoded

POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What has been said so far, so that nothing is said twice."""

    state: str = ""
    cause: str | None = None
    judged: bool = False
    best: float = -math.inf
    lost: str = ""


def news(run: Run, diagnosis: Diagnosis | None, said: Said) -> tuple[list[str], Said]:
    """The sentences that are new since `said`, and what has been said after them."""
    sentences = []
    if run.state.name != said.state:
        sentences.append(state_sentence(run))
    if (lost := lost_line(run)) != said.lost:
        sentences.append(f"{lost[:1].upper()}{lost[1:]}." if lost else "The connection is back.")
    cause = None if diagnosis is None or diagnosis.cause is None else diagnosis.cause.code
    if diagnosis is not None and (not said.judged or cause != said.cause):
        sentences += diagnosis_sentences(diagnosis)
    best = best_return(run)
    if best is not None and best > said.best + 0.05 * max(1.0, abs(said.best)):
        sentences.append(f"Best return so far: {number(best)}.")
    else:
        best = said.best
    return sentences, Said(
        state=run.state.name,
        cause=cause,
        judged=said.judged or diagnosis is not None,
        best=best,
        lost=lost,
    )


def state_sentence(run: Run) -> str:
    """Whether the process is alive, and since which iteration not."""
    state = run.state
    where = (
        "before the first iteration"
        if state.last_iteration is None
        else f"at iteration {state.last_iteration}"
    )
    words = {
        "running": "The run is live",
        "slow": "The run is slow",
        "quiet": "The run is quiet: no new row for long",
        "finished": "The run has finished",
        "stopped": "The run was stopped",
        "preempted": "The run was preempted",
        "crashed": "The run crashed",
        "killed": "The run was killed",
        "lost": "The run is lost: its process no longer answers",
    }
    reason = f": {state.reason.rstrip('.')}" if state.reason else ""
    return f"{words[state.name]}, {where}{reason}."


def diagnosis_sentences(diagnosis: Diagnosis) -> list[str]:
    """The headline; with a cause its evidence and fixes too, one sentence a line."""
    where = "" if diagnosis.iteration is None else f"Iteration {diagnosis.iteration}: "
    sentences = [f"{where}{diagnosis.headline}"]
    cause = diagnosis.cause
    if cause is not None:
        sentences += [f"Evidence: {compared(evidence)}." for evidence in cause.evidence]
        sentences += [f"Fix ({fix.origin}): {fix.text}" for fix in cause.fixes]
    return sentences


def best_return(run: Run) -> float | None:
    """Highest mean return of an iteration, None where none was logged."""
    column = run.column("episode_return_mean")
    values = [v for v in column.values[column.present].tolist() if math.isfinite(v)]
    return max(values) if values else None


def progress_sentence(run: Run) -> str:
    """Where the run is: iteration, return, KL."""
    said = [f"Iteration {run.state.last_iteration if run.state.last_iteration is not None else 0}"]
    for name, label in (("episode_return_mean", "return"), ("reward_mean", "reward"), ("kl", "KL")):
        column = run.column(name)
        if len(column) and column.present[-1]:
            said.append(f"{label} {number(float(column.values[-1]))}")
    return ", ".join(said) + "."


def watch_plain(
    source: str | Path,
    *,
    every: float = 30.0,
    stream: TextIO | None = None,
    mapping: Mapping[str, str] | None = None,
    from_format: str | None = None,
    ignore: Mapping[str, str] | None = None,
    notes: tuple[str, ...] = (),
    command: Sequence[str] = (),
) -> int:
    """Say what changes in the run at `source` until it has ended; returns 0.

    `mapping`: a log's key → our column. `from_format`: the log's format, None recognises it.
    `ignore`: code → the user's reason. `notes`: sentences to say first.

    In a folder of runs, every run's changes are said with its name in front, and `command` is
    called for each, until one leaves.
    """
    from trpo_tui.app import check_source, pick
    from trpo_tui.folder_plain import watch_folder

    path, out = str(source), stream or sys.stdout
    check_source(path)
    if path != "-":
        picked, _ = pick(path)
        if picked is None and not command and not runs_below(path):
            raise UserError(
                f"{path}: no run in this folder yet; with --notify-cmd one can wait for it"
            )
        if picked is None or command:
            judging = partial(judge_run, ignore=ignore)
            watch_folder(path, every=every, command=command, stream=out, judging=judging)
            return 0
        path = picked
    tail = open_source(path, mapping=mapping, from_format=from_format)
    try:
        judging = partial(judge_run, ignore=ignore)
        for sentence in chain(notes, sentences(tail, every=every, judging=judging)):
            out.write(encoded(sentence, out) + "\n")
            out.flush()
    finally:
        tail.close()
    return 0


def sentences(
    tail: Source,
    *,
    every: float,
    judging: Callable[[Run], Judged] = judge_run,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Everything there is to say, as it happens, until the run has ended."""
    judge, run, said, last_said = Judge(judging), tail.run, Said(), clock()
    while True:
        judge.read(run)
        diagnosis = judge.at(len(run) - 1)
        found, said = news(run, diagnosis, said)
        for sentence in found:
            yield sentence
            last_said = clock()
        if run.state.name not in LIVE or isinstance(tail, Still):
            if diagnosis is not None:
                yield f"At the end: {diagnosis.headline}"
            return
        new = None
        while new is None:
            sleep(POLL_SECONDS)
            new = tail.poll()
            if clock() - last_said >= every:
                yield progress_sentence(run if new is None else new)
                last_said = clock()
        run = new

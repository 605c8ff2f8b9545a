"""From a path to a diagnosis: what `analyze` does, without its options and its printing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from analyzer.answers import answers
from analyzer.reports.tables import Judged
from runlog.errors import UserError
from runlog.reader import open_run

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How paths are read and judged.

    `attempt`: which start of a run, None the newest. `mapping`: their key → our column.
    `from_format`: name of a log's format, None recognises it. `ignore`: code → the user's reason.
    `notes`: sentences that every report must say beside what it says of the run.
    """

    attempt: int | None = None
    mapping: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    from_format: str | None = None
    ignore: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    notes: tuple[str, ...] = ()


def analyze_run(path: str, reading: Reading | None = None) -> Judged:
    """Read the run or log at `path` (`-`: standard input) and judge it as of its last row."""
    how = reading or Reading()
    run = open_run(path, attempt=how.attempt, mapping=how.mapping, from_format=how.from_format)
    run = replace(run, notes=(*how.notes, *run.notes))
    return Judged(path=path, run=run, diagnosis=answers(run, ignore=how.ignore).last())


def analyze_runs(paths: Sequence[str], reading: Reading, *, several: bool) -> tuple[Judged, ...]:
    """The same for each path. One of `several` that cannot be read does not stop the others."""
    one = _one_of_several if several else analyze_run
    return tuple(one(path, reading) for path in paths)


def _one_of_several(path: str, reading: Reading) -> Judged:
    try:
        return analyze_run(path, reading)
    except UserError as mistake:
        return Judged(path=path, error=str(mistake))


def exit_code(found: Sequence[Judged], fail_on: Sequence[str] = ()) -> int:
    """2 if a path could not be read, else 1 if one has a fault (or what `fail_on` names), else 0."""
    if any(judged.diagnosis is None for judged in found):
        return 2
    return int(any(_fails(judged, fail_on) for judged in found))


def _fails(judged: Judged, fail_on: Sequence[str]) -> bool:
    if judged.diagnosis is None or judged.run is None:
        return False
    if not fail_on:
        return judged.diagnosis.verdict == "fault"
    codes = [f.code for f in judged.diagnosis.findings if f.answer == "yes"]
    words = (judged.run.state.name, judged.diagnosis.verdict)
    return any(
        wanted in words or (wanted.startswith("TRPO") and any(c.startswith(wanted) for c in codes))
        for wanted in fail_on
    )

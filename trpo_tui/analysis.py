"""From a path to a diagnosis: the one function behind `analyze`, and what several paths mean together."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from runlog.errors import UserError

if TYPE_CHECKING:
    from analyzer.diagnosis import Diagnosis
    from runlog.run import Run

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How paths are read and judged.

    `mapping`: their name → our column. `ignore`: code → reason.
    """

    attempt: int | None = None
    mapping: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    from_format: str | None = None
    ignore: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzed:
    """One path as read and judged."""

    path: str
    run: "Run"
    diagnosis: "Diagnosis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """One path among several that could not be read, and why."""

    path: str
    error: str


Result = Analyzed | Unreadable


def analyze_run(path: str, options: Options = Options()) -> Analyzed:
    """Read the run or log at `path` (`-`: standard input) and judge it at its last row."""
    from analyzer.answers import answers

    run = read(path, options)
    if not len(run):
        raise UserError(f"{path}: no iteration in it yet; train on, then try again")
    return Analyzed(path=path, run=run, diagnosis=answers(run, ignore=dict(options.ignore)).last())


def analyze_runs(paths: Sequence[str], options: Options) -> tuple[Result, ...]:
    """The same for each of several paths; one that cannot be read does not stop the others."""
    return tuple(_one_of_several(path, options) for path in paths)


def _one_of_several(path: str, options: Options) -> Result:
    try:
        return analyze_run(path, options)
    except UserError as mistake:
        return Unreadable(path=path, error=str(mistake))


def read(path: str, options: Options) -> "Run":
    """The run at `path`, or the log on standard input for `-`."""
    if path == "-":
        from runlog.importers import read_log

        return read_log(
            sys.stdin.buffer.read(),
            name="-",
            mapping=options.mapping,
            from_format=options.from_format,
        )
    from runlog.reader import open_run

    return open_run(
        Path(path),
        attempt=options.attempt,
        mapping=options.mapping,
        from_format=options.from_format,
    )


def exit_code(results: Sequence[Result], fail_on: Sequence[str] = ()) -> int:
    """2 if a path could not be read, else 1 if one has a fault (or what `fail_on` names), else 0."""
    if any(isinstance(result, Unreadable) for result in results):
        return 2
    return int(any(_fails(result, fail_on) for result in results if isinstance(result, Analyzed)))


def _fails(result: Analyzed, fail_on: Sequence[str]) -> bool:
    if not fail_on:
        return result.diagnosis.verdict == "fault"
    ignored = {code for code, _ in result.diagnosis.ignored}
    found = {f.code for f in result.diagnosis.findings if f.answer == "yes"} - ignored
    words = {result.run.state.name, result.diagnosis.verdict}
    return any(
        name in words or (name.startswith("TRPO") and any(code.startswith(name) for code in found))
        for name in fail_on
    )

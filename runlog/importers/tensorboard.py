"""TensorBoard's event files as a log: one, or all of a folder, finished or growing."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runlog.importers.counting import Counting
from runlog.importers.decode import Line
from runlog.importers.event_series import EventSeries, Series
from runlog.importers.formats.format import Format, Key
from runlog.importers.joining import Joined, joined
from runlog.importers.meanings import algorithm_of, best_format, finish, is_silent, key_of
from runlog.importers.parser import Findings
from runlog.importers.printed import Printed, type_of_column
from runlog.schema import Type

FORMAT = "tensorboard"
MARK = "events.out.tfevents."
"""What the names of event files begin with; the seconds at which they were begun follow."""


def event_files(folder: Path) -> tuple[Path, ...]:
    """The event files of a folder in the order of their time."""
    found = [path for path in folder.glob(f"{MARK}*") if path.is_file()]
    return tuple(sorted(found, key=lambda path: (_begun(path), path.name)))


def _begun(path: Path) -> int:
    word = path.name.removeprefix(MARK).partition(".")[0]
    return int(word) if word.isdecimal() else 0


class EventLog:
    """Reads event files as the parsers of other formats read lines; feed it by `feed_file`."""

    delimited = True

    def __init__(self, mapping: Mapping[str, str], wanted: str | None = None) -> None:
        self._mapping = mapping
        self._wanted = wanted
        self._events = EventSeries()
        self._made: tuple[tuple[object, ...], Findings] = (), Findings()

    def feed_file(self, name: str, piece: bytes) -> int | None:
        """More bytes of the event file of that name; where to read it again if it was not sound."""
        return self._events.feed(name, piece)

    def feed(self, line: Line) -> None:
        """Event files have no lines."""

    @property
    def format(self) -> str:
        framework = self.framework
        return FORMAT if framework is None else f"{framework.name} {FORMAT}"

    @property
    def framework(self) -> Format | None:
        """Who wrote the files, told by their tags."""
        return best_format(self._events.series, self._wanted)

    @property
    def algorithm(self) -> str | None:
        return algorithm_of(self.framework, self._events.series)

    @property
    def assumptions(self) -> tuple[str, ...]:
        return () if self.framework is None else self.framework.assumptions

    @property
    def metadata(self) -> Mapping[str, str | float]:
        return {} if self.framework is None else self.framework.metadata

    @property
    def recognised(self) -> bool:
        return len(self.findings.rows) > 0

    @property
    def findings(self) -> Findings:
        """The rows so far, made anew when scalars came."""
        if self._made[0] != self.met:
            self._made = self.met, self._find()
        return self._made[1]

    @property
    def met(self) -> tuple[object, ...]:
        """What changes when anything was read."""
        return self._events.count, self._events.damaged, self._events.stuck

    def _find(self) -> Findings:
        findings, framework = Findings(), self.framework
        keys: dict[str, Key] = {}
        series: dict[str, Series] = {}
        for tag, found in self._events.series.items():
            key = key_of(tag, framework, self._mapping)
            if key is None or key.column in keys:
                if not is_silent(tag, framework):
                    findings.unknown(tag)
                continue
            findings.understood.setdefault(tag)
            keys[key.column], series[key.column] = key, found
        findings.notes += [
            f"{name}: a record is damaged and hides all that follows; the rest before it is kept"
            for name in self._events.stuck
        ]
        if self._events.damaged:
            one = self._events.damaged == 1
            findings.notes.append(
                f"{self._events.damaged} damaged record{' was' if one else 's were'} left out."
            )
        counting = Counting()
        for part in joined(series):
            _put_rows(findings, part, keys, series, counting, framework)
        return findings


def _put_rows(
    findings: Findings,
    part: Joined,
    keys: Mapping[str, Key],
    series: Mapping[str, Series],
    counting: Counting,
    framework: Format | None,
) -> None:
    counted = _step_counts(part.steps, framework)
    rows: list[dict[str, Printed]] = [{} for _ in part.steps]
    for column, (where, values) in part.cells.items():
        halves = _halves(values) if series[column].single else np.zeros(len(values))
        found = _printed(values.tolist(), halves.tolist(), type_of_column(column))
        key = keys[column]
        if key != Key(column):
            found = (None if cell is None else key.of(cell) for cell in found)
        for at, cell in zip(where.tolist(), found, strict=True):
            if cell is not None:
                rows[at][column] = cell
    for cells, step, when in zip(rows, part.steps.tolist(), part.times.tolist(), strict=True):
        if counted == "timesteps":
            cells.setdefault("timesteps", Printed(step, 0.0))
        if math.isfinite(when):
            cells.setdefault("time", Printed(when, 0.0))
        number = cells.pop("iteration", None)
        if number is not None:
            iteration = int(number.number)
        elif counted == "iteration":
            iteration = step
        else:
            iteration = counting.number(step)
        finish(framework, cells)
        row = findings.rows.open(iteration)
        for column, printed in cells.items():
            row.put(column, printed)


def _step_counts(steps: NDArray[np.int64], framework: Format | None) -> str:
    """What the steps count: iterations, where the framework says so or they rise one by one."""
    if framework is not None and framework.step is not None:
        return framework.step
    return "iteration" if len(steps) < 2 or np.median(np.diff(steps)) == 1 else "timesteps"


def _halves(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the distance to the next number of single precision."""
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = np.spacing(np.abs(values).astype(np.float32)).astype(np.float64) / 2
    return np.where(np.isfinite(gaps), gaps, 0.0)


def _printed(values: list[float], halves: list[float], type_: Type) -> Iterable[Printed | None]:
    """Numbers as cells of that type; None for one that cannot be one."""
    if type_ == "float64":
        return map(Printed, values, halves)
    if type_ == "bool":
        return (Printed(bool(value), 0.0) if value in (0, 1) else None for value in values)
    if type_ == "int64":
        return (Printed(int(v), 0.0) if v.is_integer() and abs(v) < 2**53 else None for v in values)
    return (None for _ in values)

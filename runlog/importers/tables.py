"""Tables: rows of cells under names, whoever wrote them; one row an iteration."""

import math
import re
from collections.abc import Mapping

from runlog.importers.counting import Counting
from runlog.importers.formats.format import Format, Key
from runlog.importers.meanings import (
    FILES,
    algorithm_of,
    best_format,
    finish,
    is_silent,
    key_of,
    tells,
)
from runlog.importers.pairs import normalised
from runlog.importers.parser import Findings
from runlog.importers.precision import Precision
from runlog.importers.printed import NUMBER, Printed, read, type_of_column

CELL = re.compile(NUMBER)
_LONG = 16
"""Digits from which a whole number may not be a double."""


class Table:
    """What CSV and JSON lines share: cells to values.

    The cells are kept as they came. What they mean is told by all names met so far, and how
    precise they are by all numbers of a column: when a new row changes that, all are read again.
    """

    format_of_file = ""

    def __init__(self, mapping: Mapping[str, str], wanted: str | None = None) -> None:
        self.framework: Format | None = None
        self._mapping = mapping
        self._wanted = wanted
        self._entries: list[Mapping[str, str] | str] = []  # rows, and lines between them
        self._names: dict[str, None] = {}
        self._precision: dict[str, Precision] = {}
        self._exact = False
        self._stale = True
        self._reader = _Cells({}, {}, exact=False)

    def row(self, cells: Mapping[str, str]) -> None:
        """One more row."""
        self._entries.append(cells)
        for name, word in cells.items():
            precision = self._precision.get(name)
            if precision is None:
                precision = self._precision[name] = Precision()
                self._names[name] = None
                self._stale = True
            if not precision.full and precision.meet(word):
                self._stale = True

    def between(self, line: str) -> None:
        """A line that is no row."""
        self._entries.append(line)

    @property
    def format(self) -> str:
        name = "" if self.framework is None else f"{self.framework.name} "
        return name + self.format_of_file

    @property
    def algorithm(self) -> str | None:
        return algorithm_of(self.framework, self._names)

    @property
    def assumptions(self) -> tuple[str, ...]:
        return () if self.framework is None else self.framework.assumptions

    @property
    def metadata(self) -> Mapping[str, str | float]:
        return {} if self.framework is None else self.framework.metadata

    @property
    def recognised(self) -> bool:
        findings = self.findings
        return len(findings.rows) > 0 and any(
            key is not None and tells(key.column) for key in map(self.key, findings.understood)
        )

    def key(self, name: str) -> Key | None:
        """What a name stands for."""
        if self.framework is None and self._wanted not in (None, *FILES) and not self._mapping:
            return None  # the one asked for does not know this table
        return key_of(name, self.framework, self._mapping)

    @property
    def findings(self) -> Findings:
        """What the rows so far say."""
        if self._stale:
            self._stale = False
            self.framework = self._told_by(self._names)
            exact = any(precision.full for precision in self._precision.values())
            keys = {name: self.key(name) for name in self._names}
            self._reader = _Cells(keys, self._precision, exact=exact, framework=self.framework)
        self._reader.read(self._entries)
        return self._reader.findings

    def _told_by(self, names: Mapping[str, None]) -> Format | None:
        return best_format(names, self._wanted)


class _Cells:
    """Reads entries with one understanding of their names and precisions."""

    def __init__(
        self,
        keys: Mapping[str, Key | None],
        precision: Mapping[str, Precision],
        *,
        exact: bool,
        framework: Format | None = None,
    ) -> None:
        self.findings = Findings()
        self._columns: list[_Column] = []
        for name, key in keys.items():
            if key is not None:
                rounded = None if framework is None else framework.rounded.get(normalised(name))
                self._columns.append(_Column(name, key, precision[name], rounded, exact=exact))
                self.findings.understood.setdefault(name)
            elif not is_silent(name, framework):
                self.findings.unknown(name)
        self._framework = framework
        self._counting = Counting()
        self._numbered = False
        self._done = 0

    def read(self, entries: list[Mapping[str, str] | str]) -> None:
        """The entries not read yet."""
        for entry in entries[self._done :]:
            if isinstance(entry, str):
                self.findings.between(entry)
            else:
                self._row(entry)
        self._done = len(entries)

    def _row(self, cells: Mapping[str, str]) -> None:
        found: dict[str, Printed] = {}
        for column in self._columns:
            word = cells.get(column.name)
            if word and column.key.column not in found:
                value = column.read(word, self.findings)
                if value is not None:
                    found[column.key.column] = value
        if not found:
            return
        finish(self._framework, found)
        row = self.findings.rows.open(self._number(found))
        for name, printed in found.items():
            row.put(name, printed)
        self.findings.block()

    def _number(self, found: dict[str, Printed]) -> int | None:
        """The row's iteration: as it says, else counted by its steps, else counted at the end."""
        number = found.pop("iteration", None)
        if number is not None:
            self._numbered = True
            return int(number.number)
        steps = found.get("timesteps")
        if steps is None or self._numbered:
            return None
        return self._counting.number(steps.number)


class _Column:
    """One name of a table and how its cells are read."""

    def __init__(
        self, name: str, key: Key, precision: Precision, rounded: int | None, *, exact: bool
    ) -> None:
        self.name = name
        self.key = key
        self._type = type_of_column(key.column)
        self._plain = key == Key(key.column)
        self._precision = precision
        self._half = None if rounded is None else 0.5 * 10.0**-rounded
        self._exact = exact

    def read(self, word: str, findings: Findings) -> Printed | None:
        """The column's value in a cell; None for a null or for nonsense."""
        printed = self._printed(word, findings)
        return printed if self._plain or printed is None else self.key.of(printed)

    def _printed(self, word: str, findings: Findings) -> Printed | None:
        if self._type == "string":
            findings.fitting.add(self.name)
            return read(word, self._type)
        if self._type == "int64" and word.isdecimal() and len(word) < _LONG:
            findings.fitting.add(self.name)
            return Printed(int(word), 0.0)
        word = word.lower()
        if self._type == "float64":
            value = _float(word)
            if math.isfinite(value):
                findings.fitting.add(self.name)
                return Printed(value, self._half_unit(word, value))
        if self._type != "bool" and CELL.fullmatch(word) is None:
            if any(map(str.isalnum, word)):  # a dash is no number yet, a word never will be
                findings.misfits.setdefault(self.name, word)
            return None
        findings.fitting.add(self.name)
        printed = read(word, self._type)
        if self._type == "int64" and printed is not None and not math.isfinite(printed.number):
            return None  # no count is NaN: there was none
        return printed

    def _half_unit(self, word: str, value: float) -> float:
        if self._half is not None:
            return self._half
        return self._precision.half(word, value, exact=self._exact)


def _float(word: str) -> float:
    """A plain number; NaN for whatever needs a closer look."""
    try:
        return float(word) if "_" not in word else math.nan
    except ValueError:
        return math.nan

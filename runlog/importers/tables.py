"""Tables: rows of cells under names, whoever wrote them; one row an iteration."""

import math
import re
from collections.abc import Mapping

from runlog.importers.counting import Counting
from runlog.importers.formats.format import Format, Key
from runlog.importers.meanings import algorithm_of, best_format, finish, is_silent, key_of, tells
from runlog.importers.parser import Findings
from runlog.importers.precision import Precision
from runlog.importers.printed import NUMBER, Printed, read, type_of_column
from runlog.schema import Type

CELL = re.compile(NUMBER)


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
        self._known: dict[str, tuple[Key, Type]] = {}
        for name, key in keys.items():
            if key is None:
                if not is_silent(name, framework):
                    self.findings.unknown(name)
            else:
                self._known[name] = key, type_of_column(key.column)
                self.findings.understood.setdefault(name)
        self._precision = precision
        self._exact = exact
        self._framework = framework
        self._rounded = {} if framework is None else framework.rounded
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
        for name, word in cells.items():
            known = self._known.get(name)
            if known is None or known[0].column in found:
                continue
            key, type_ = known
            printed = self._printed(name, word, type_)
            value = None if printed is None else key.of(printed)
            if value is not None:
                found[key.column] = value
        if not found:
            return
        finish(self._framework, found)
        row = self.findings.rows.open(self._number(found))
        for column, printed in found.items():
            row.put(column, printed)
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

    def _printed(self, name: str, word: str, type_: Type) -> Printed | None:
        if type_ == "string":
            self.findings.fitting.add(name)
            return read(word, type_)
        word = word.lower()
        if type_ == "float64":
            try:
                value = float(word) if "_" not in word else math.nan
            except ValueError:
                value = math.nan
            if math.isfinite(value):
                self.findings.fitting.add(name)
                return Printed(value, self._half(name, word, value))
        if type_ != "bool" and CELL.fullmatch(word) is None:
            if any(map(str.isalnum, word)):  # a dash is no number yet, a word never will be
                self.findings.misfits.setdefault(name, word)
            return None
        self.findings.fitting.add(name)
        return read(word, type_)

    def _half(self, name: str, word: str, value: float) -> float:
        rounded = self._rounded.get(name)
        if rounded is not None:
            return 0.5 * 10.0**-rounded
        return self._precision[name].half(word, value, exact=self._exact)

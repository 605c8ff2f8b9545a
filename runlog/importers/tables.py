"""Tables: CSV or tab-separated text, and JSON lines, one row an iteration."""

import csv
import json
import re
from collections.abc import Mapping

from runlog.importers.decode import Line
from runlog.importers.pairs import normalised
from runlog.importers.parser import Findings
from runlog.importers.printed import NUMBER, Printed, read, type_of_column
from runlog.schema import BY_NAME

_CELL = re.compile(NUMBER)
_FULL_PRECISION = 12
"""Significant digits from which a number must come from a program that prints all it has."""
_DEPTH = 6


class _Number(str):
    """The digits of a JSON number."""


class _Table:
    """What CSV and JSON lines share: names to columns, cells to values."""

    algorithm: str | None = None
    assumptions: tuple[str, ...] = ()

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self.findings = Findings()
        self._mapping = mapping

    @property
    def recognised(self) -> bool:
        columns = {self._column(key) for key in self.findings.understood}
        return len(self.findings.rows) > 0 and any(
            column not in BY_NAME or BY_NAME[column].group != "progress"
            for column in columns
            if column is not None
        )

    def _column(self, name: str) -> str | None:
        """The column a name stands for: the user's word, else a declared name itself."""
        mapped = self._mapping.get(normalised(name))
        if mapped is not None:
            return mapped
        declared = BY_NAME.get(name.strip())
        return declared.name if declared is not None and not declared.is_list else None

    def _row(self, cells: Mapping[str, str]) -> None:
        found: dict[str, Printed] = {}
        full = False
        for name, text in cells.items():
            column = self._column(name)
            if column is None:
                self.findings.unknown(name)
                continue
            self.findings.understood.setdefault(name)
            word = text.strip().lower()
            full = full or sum(map(str.isdigit, word.partition("e")[0])) >= _FULL_PRECISION
            type_ = type_of_column(column)
            if type_ not in ("bool", "string") and _CELL.fullmatch(word) is None:
                if any(map(str.isalnum, word)):  # a dash is no number yet, a word never will be
                    self.findings.misfits.setdefault(name, text.strip())
                continue
            self.findings.fitting.add(name)
            printed = read(word if type_ != "string" else text.strip(), type_)
            if printed is not None:
                found[column] = printed
        if not found:
            return
        number = found.pop("iteration", None)
        row = self.findings.rows.open(None if number is None else int(number.value))
        for column, printed in found.items():
            # a program that prints all digits drops trailing zeros: 0.5 is then exact
            row.put(column, Printed(printed.value, 0.0) if full else printed)
        self.findings.block()


class CsvLog(_Table):
    """A header of names and rows of numbers between commas, tabs or semicolons."""

    format = "csv"
    delimited = False

    def __init__(self, mapping: Mapping[str, str]) -> None:
        super().__init__(mapping)
        self._names: list[str] | None = None
        self._delimiter = ","
        self._dead = False
        self._foreign = False

    def _cells(self, raw: str) -> list[str]:
        try:
            return next(csv.reader([raw.replace("\x00", "")], delimiter=self._delimiter), [])
        except csv.Error:
            return []

    def feed(self, line: Line) -> None:
        raw = line.raw
        if self._dead or not line.text or raw.startswith("#"):
            return
        if self._names is None:
            self._delimiter = max(",\t;", key=raw.count)
            self._names = [name.strip().lstrip("\ufeff") for name in self._cells(raw)]
            known = any(self._column(name) for name in self._names)
            self._foreign = not known
            self._dead = len(self._names) < 2 or not all(self._names)
            return
        cells = self._cells(raw)
        if self._foreign:
            # Nobody knows these names; they are worth telling if this is a table of numbers.
            if len(cells) == len(self._names) and any(_CELL.fullmatch(c.lower()) for c in cells):
                for name in self._names:
                    self.findings.unknown(name)
            self._dead = True
            return
        if [cell.strip() for cell in cells] == self._names:
            return
        if 1 < len(cells) <= len(self._names):
            self._row(dict(zip(self._names, cells, strict=False)))
        else:
            self.findings.between(line.text)


class JsonLog(_Table):
    """One JSON object a line; nested names are joined by a slash."""

    format = "jsonl"
    delimited = True

    def __init__(self, mapping: Mapping[str, str]) -> None:
        super().__init__(mapping)
        self._dead: bool | None = None

    def feed(self, line: Line) -> None:
        text = line.text
        if self._dead or not text:
            return
        if self._dead is None:
            self._dead = not text.startswith("{")
        cells = self._cells(text) if text.startswith("{") else None
        if cells is None:
            self.findings.between(text)
        else:
            self._row(cells)

    @staticmethod
    def _cells(line: str) -> dict[str, str] | None:
        try:
            record = json.loads(
                line, parse_float=_Number, parse_int=_Number, parse_constant=_Number
            )
        except (ValueError, RecursionError):
            return None
        cells: dict[str, str] = {}
        waiting: list[tuple[str, object, int]] = [("", record, 0)]
        while waiting:
            name, value, depth = waiting.pop()
            if isinstance(value, dict) and depth < _DEPTH:
                prefix = f"{name}/" if name else ""
                waiting += [(prefix + key, inner, depth + 1) for key, inner in value.items()]
            elif isinstance(value, bool):
                cells[name] = str(value)
            elif isinstance(value, str):
                cells[name] = value
        return cells

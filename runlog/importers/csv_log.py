"""CSV: a header of names, and rows of cells between commas, tabs or semicolons."""

import csv
import json
from collections.abc import Mapping

from runlog.importers.decode import Line
from runlog.importers.formats.format import Format, Key, keys
from runlog.importers.meanings import best_format
from runlog.importers.tables import CELL, Table

_MONITOR = "t_start"


def _monitor(begun: float) -> Format:
    """Stable-Baselines' Monitor: an episode a row. `begun`: Unix seconds its times count from."""
    return Format(
        name="monitor",
        keys=keys(
            {
                "r": "episode_return_mean",
                "l": "episode_length_mean",
                "t": Key("time", offset=begun),
            }
        ),
        assumptions=("A row is one episode, not an iteration: nothing is said of updates.",),
    )


class CsvLog(Table):
    """Reads CSV line by line."""

    format_of_file = "csv"
    delimited = False

    def __init__(self, mapping: Mapping[str, str], wanted: str | None = None) -> None:
        super().__init__(mapping, wanted)
        self._header: list[str] | None = None
        self._delimiter = ","
        self._dead = False
        self._foreign = False
        self._monitor: Format | None = None

    def feed(self, line: Line) -> None:
        """One line."""
        raw = line.raw
        if self._dead or not line.text:
            return
        if raw.startswith("#"):
            self._comment(raw)
        elif self._header is None:
            self._begin(raw)
        else:
            self._cells_of(raw, line.text, self._header)

    def _begin(self, raw: str) -> None:
        self._delimiter = max(",\t;", key=raw.count)
        self._header = names = [name.strip().lstrip("\ufeff") for name in self._cells(raw)]
        self._dead = len(names) < 2 or names.count("") > 1
        self._foreign = not self._knows(names)

    def _knows(self, names: list[str]) -> bool:
        self.framework = self._told_by(dict.fromkeys(names))
        return any(map(self.key, names))

    def _told_by(self, names: Mapping[str, None]) -> Format | None:
        return self._monitor or best_format(names, self._wanted)

    def _cells_of(self, raw: str, text: str, names: list[str]) -> None:
        cells = [cell.strip() for cell in self._cells(raw)]
        if self._foreign:
            # Nobody knows these names; they are worth telling if this is a table of numbers.
            if len(cells) == len(names) and any(CELL.fullmatch(c.lower()) for c in cells):
                self.row(dict(zip(names, cells, strict=True)))
            self._dead = True
        elif self._is_header(cells):
            self._header = cells
        elif 1 < len(cells) <= len(names):
            self.row({n: cell for n, cell in zip(names, cells, strict=False) if n and cell})
        else:
            self.between(text)

    def _is_header(self, cells: list[str]) -> bool:
        """Names again: another training wrote to the same file."""
        if cells == self._header:
            return True
        unlike = not any(CELL.fullmatch(cell.lower()) for cell in cells)
        return unlike and len(cells) > 1 and all(cells) and any(map(self.key, cells))

    def _cells(self, raw: str) -> list[str]:
        try:
            return next(csv.reader([raw.replace("\x00", "")], delimiter=self._delimiter), [])
        except csv.Error:
            return []

    def _comment(self, raw: str) -> None:
        """Monitor's first line tells when it began."""
        if _MONITOR not in raw or self._header is not None:
            return
        try:
            told = json.loads(raw[1:])
        except (ValueError, RecursionError):
            return
        begun = told.get(_MONITOR) if isinstance(told, dict) else None
        if isinstance(begun, int | float):
            self._monitor = _monitor(float(begun))

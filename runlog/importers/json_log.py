"""JSON objects or Python's dictionaries, one a line, also behind a progress bar."""

import json
import re
from collections.abc import Mapping

from runlog.importers.decode import Line
from runlog.importers.tables import Table

_DEPTH = 6
_LONGEST = 1 << 16
"""Characters of a dictionary; a longer one is no row of a log."""
_MOST = 2000
"""Keys of a row."""
_PAIR = re.compile(
    r"""(['"])([^'"{}\n]{1,200})\1:\s?(?:(['"])([^'"\n]{0,200})\3|([-+.\w]{1,60}))\s?(?=[,}])"""
)


class _Number(str):
    """The digits of a JSON number."""

    __slots__ = ()


class JsonLog(Table):
    """Reads them line by line; nested names are joined by a slash."""

    format_of_file = "jsonl"
    delimited = True

    def __init__(self, mapping: Mapping[str, str], wanted: str | None = None) -> None:
        super().__init__(mapping, wanted)
        self._rows = False

    def feed(self, line: Line) -> None:
        """One line."""
        if not line.text:
            return
        cells = _cells(line.text) if "{" in line.text else None
        if cells:
            self._rows = True
            self.row(cells)
        elif self._rows:
            self.between(line.text)


def _cells(line: str) -> dict[str, str] | None:
    if line.startswith("{"):
        try:
            record = json.loads(
                line, parse_float=_Number, parse_int=_Number, parse_constant=_Number
            )
        except (ValueError, RecursionError):
            return _pairs(line)
        return _flat(record)
    return _pairs(line)


def _pairs(line: str) -> dict[str, str] | None:
    """The pairs of the dictionary in a line, if there is one, flat, and its end is there."""
    begin, end = line.find("{"), line.rfind("}")
    if not 0 <= begin < end < begin + _LONGEST or line.find("{", begin + 1) >= 0:
        return None
    return {m[2]: m[4] if m[3] else m[5] for m in _PAIR.finditer(line, begin, end + 1)} or None


def _flat(record: object) -> dict[str, str]:
    cells: dict[str, str] = {}
    waiting: list[tuple[str, object, int]] = [("", record, 0)]
    while waiting and len(cells) < _MOST:
        name, value, depth = waiting.pop()
        if isinstance(value, dict) and depth < _DEPTH:
            prefix = f"{name}/" if name else ""
            inner = [(prefix + key, cell, depth + 1) for key, cell in value.items()]
            waiting += reversed(inner)
        elif isinstance(value, bool):
            cells[name] = str(value)
        elif isinstance(value, str) and value:
            cells[name] = value
    return cells

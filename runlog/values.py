"""What a cell may hold: a number, a flag, text or a list of numbers, of the column's one type."""

import difflib
import numbers
from collections.abc import Callable, Mapping
from typing import Any

from runlog.errors import UserError
from runlog.run import type_of
from runlog.schema import BY_NAME, Type

_CLASSES: Mapping[Type, type] = {"float64": float, "int64": int, "bool": bool}
_INT64 = range(-(2**63), 2**63)
Cell = float | int | bool | str | list[float | None]


class Cells:
    """The types of one run's columns, and the way of a caller's values into them.

    Declared columns have their declared type; the first value of an undeclared one fixes its
    type. `say` is told, once for each column, of a likely misspelling and of a dropped value.
    """

    def __init__(self, extras: Mapping[str, Type], say: Callable[[str], None]) -> None:
        self._types: dict[str, Type] = {spec.name: spec.type for spec in BY_NAME.values()}
        self._exact = {
            name: _CLASSES[type_] for name, type_ in self._types.items() if type_ in _CLASSES
        }
        self._say = say
        self._dropped: set[str] = set()
        for name, type_ in extras.items():
            self._declare(name, type_)

    def accept(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """The cells of one row; null columns are left out. Raises UserError for what no cell holds."""
        row: dict[str, Any] = {}
        exact = self._exact
        for name, value in columns.items():
            if exact.get(name) is type(value) and (type(value) is not int or value in _INT64):
                row[name] = value
            elif value is not None:
                cell = self._fit(name, value)
                if cell is not None:
                    row[name] = cell
        return row

    def _declare(self, name: str, type_: Type) -> None:
        self._types[name] = type_
        if type_ in _CLASSES:
            self._exact[name] = _CLASSES[type_]

    def _fit(self, name: str, value: Any) -> Cell | None:
        type_ = self._types.get(name)
        cell = plain(name, value, listed=None if type_ is None else type_ == "list<float64>")
        if type_ is None:
            type_ = type_of(cell)
            self._declare(name, type_)
            self._hint(name)
        fitted = _as(type_, cell, lenient=name in BY_NAME)
        if fitted is None and name not in self._dropped:
            self._dropped.add(name)
            self._say(f"{name} holds {type_}: {_shown(cell)} does not fit and is dropped")
        return fitted

    def _hint(self, name: str) -> None:
        near = difflib.get_close_matches(name.lower(), BY_NAME, n=1, cutoff=0.8)
        if near and not name.startswith("reward_term_"):
            self._say(f"{name} is not a declared column: did you mean {near[0]}? Kept as an extra")


def plain(name: str, value: Any, *, listed: bool | None = None) -> Cell:
    """A caller's value as Python's own: NumPy and torch scalars and arrays are taken too.

    An array of one element becomes a list if `listed`, a number if not; where that is not known
    (None), a NumPy vector becomes a list and any other array a number.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple):
        return _list(name, value)
    if isinstance(value, bool | int | float):
        return value
    if hasattr(value, "tolist") and hasattr(value, "item"):
        return _array(name, value, listed=listed)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise _refusal(name, value)


def _array(name: str, value: Any, *, listed: bool | None) -> Cell:
    # NumPy, torch, JAX: known by what they can do, so that none of them is imported here.
    content = value.tolist()
    if not isinstance(content, list):
        return plain(name, _own(name, content))
    if listed is None:
        listed = type(value).__module__ == "numpy"
    if listed or len(content) != 1:
        return _list(name, content)
    return plain(name, _own(name, value.item()))


def _own(name: str, value: Any) -> Any:
    if not isinstance(value, bool | int | float | str):
        raise _refusal(name, value)
    return value


def _list(name: str, value: list[Any] | tuple[Any, ...]) -> list[float | None]:
    if {*map(type, value)} <= {float}:
        return list(value)
    entries: list[float | None] = []
    for entry in value:
        cell = None if entry is None else plain(name, entry)
        if isinstance(cell, str | list):
            raise _refusal(name, value)
        entries.append(None if cell is None else _float(cell))
    return entries


def _as(type_: Type, cell: Cell, *, lenient: bool) -> Cell | None:
    """The cell in the column's type, or None; a declared number or flag takes the other's 0 and 1."""
    if type_ == "string":
        return str.__str__(cell) if isinstance(cell, str) else None  # NumPy has its own kind
    if type_ == "list<float64>":
        return cell if isinstance(cell, list) else None
    if isinstance(cell, str | list) or (
        isinstance(cell, bool) != (type_ == "bool") and not lenient
    ):
        return None
    if type_ == "float64":
        return _float(cell)
    if type_ == "bool":
        return bool(cell) if cell in (0, 1) else None
    if isinstance(cell, float) and not cell.is_integer():  # NaN and ±Infinity too
        return None
    return int(cell) if int(cell) in _INT64 else None


def _float(cell: float) -> float:
    try:
        return float(cell)
    except OverflowError:  # an integer beyond the largest float
        return float("inf") if cell > 0 else float("-inf")


def _shown(cell: Cell) -> str:
    text = repr(cell)
    return text if len(text) <= 40 else text[:37] + "…"


def _refusal(name: str, value: Any) -> UserError:
    return UserError(
        f"{name}: a cell holds a number, a flag, text or a list of numbers, "
        f"not {type(value).__name__} ({_shown(value)}); convert it or leave it out"
    )

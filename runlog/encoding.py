"""A row as JSON text: the shape of a row is studied once, its floats are formatted all at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from json.encoder import encode_basestring_ascii
from operator import itemgetter
from typing import Any

from runlog.values import Cell, Cells

_MANY = 256
"""Shapes remembered; a run has a handful, and one without end must not fill the memory."""
_FORMS = {float: "%s", list: "[%s]", int: "%d", bool: "%s", str: "%s"}
_FLOAT, _LEAST, _MOST = {float}, -(2**63), 2**63 - 1
_TRUTH = {True: "true", False: "false"}
_ARROW_FROM = 300
"""Numbers in a row; from here on Arrow takes less time than `%`, and `repr` more than either."""
# How both write what JSON writes otherwise; a null entry of a list is None.
_JSON = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "-0": "-0.0", None: "null"}
_UNLIKE = _JSON.keys()
_Getter = Callable[[tuple[Any, ...]], tuple[Any, ...]]


class RowEncoder:
    """Turns rows as a caller gives them into JSON objects of cells.

    `constants`: cells of every row that does not bring its own. Rows of one shape, the same names
    and types, are checked cell by cell only once; afterwards no more than what a type leaves open
    is looked at.
    """

    def __init__(self, cells: Cells, constants: Mapping[str, Cell]) -> None:
        self._cells, self._constants = cells, constants
        self._plans: dict[tuple[Any, ...], _Plan] = {}

    def text(self, columns: Mapping[str, Any]) -> str:
        """The row as a JSON object, null columns left out. Raises UserError for what no cell holds."""
        values = tuple(columns.values())
        shape = (*columns, *map(type, values))
        plan = self._plans.get(shape)
        if plan is not None and plan.suits(values):
            return plan.text(values)
        row = self._cells.accept(columns)
        if plan is None and _unchanged(columns, row):
            if len(self._plans) >= _MANY:
                self._plans.clear()
            self._plans[shape] = _plan(columns, self._constants)
        return _plan(row, self._constants).text(tuple(row.values()))


def _unchanged(columns: Mapping[str, Any], row: Mapping[str, Cell]) -> bool:
    """Whether the cells are the caller's own values, as they then are in every row of that shape."""
    return all(
        value is None or row.get(name) is value or type(value) is list is type(row.get(name))
        for name, value in columns.items()
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where the values of a shape go: floats, lists of numbers, integers, flags, texts."""

    template: str
    floats: _Getter
    lists: _Getter
    integers: _Getter
    flags: _Getter
    words: _Getter

    def suits(self, values: tuple[Any, ...]) -> bool:
        """Whether the values, of which the types are right, are cells as they are."""
        integers = self.integers(values)
        return (
            {*map(type, chain.from_iterable(self.lists(values)))} <= _FLOAT
            and (not integers or (min(integers) >= _LEAST and max(integers) <= _MOST))
            and all(map(str.isascii, self.words(values)))
        )

    def text(self, values: tuple[Any, ...]) -> str:
        """The cells as a JSON object."""
        single, lists = self.floats(values), self.lists(values)
        texts = _texts([*single, *chain.from_iterable(lists)])
        ends = accumulate(map(len, lists), initial=len(single))
        return self.template % (
            *texts[: len(single)],
            *[",".join(texts[start:end]) for start, end in pairwise(ends)],
            *self.integers(values),
            *map(_TRUTH.__getitem__, self.flags(values)),
            *map(encode_basestring_ascii, self.words(values)),
        )


def _texts(numbers: list[float | None]) -> list[str]:
    """A text of each number that is exact; how to get it soonest depends on how many there are."""
    if len(numbers) < _ARROW_FROM and None not in numbers:
        texts = ("%.17g " * len(numbers) % (*numbers,)).split()
    else:
        import pyarrow as pa

        texts = pa.array(numbers, pa.float64()).cast(pa.string()).to_pylist()
    if _UNLIKE.isdisjoint(texts):
        return texts
    return [_JSON.get(text, text) for text in texts]


def _plan(columns: Mapping[str, Any], constants: Mapping[str, Cell]) -> _Plan:
    fixed = {name: cell for name, cell in constants.items() if columns.get(name) is None}
    members = [f"{_name(name)}:{_constant(cell)}" for name, cell in fixed.items()]
    names, kinds = [*map(_name, columns)], [*map(type, columns.values())]
    getters: list[_Getter] = []
    for kind, form in _FORMS.items():
        places = [place for place, found in enumerate(kinds) if found is kind]
        members += [f"{names[place]}:{form}" for place in places]
        getters.append(_getter(places))
    return _Plan("{" + ",".join(members) + "}", *getters)


def _name(name: str) -> str:
    return encode_basestring_ascii(name).replace("%", "%%")


def _constant(cell: Cell) -> str:
    return encode_basestring_ascii(cell).replace("%", "%%") if isinstance(cell, str) else str(cell)


def _getter(places: list[int]) -> _Getter:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)

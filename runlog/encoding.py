"""A row as JSON text: the shape of a row is studied once, its floats are formatted all at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from json.encoder import encode_basestring_ascii
from operator import itemgetter
from typing import Any

_MANY = 256
"""Shapes remembered; a run has a handful, and one without end must not fill the memory."""
_TRUTH = {True: "true", False: "false"}
# How Arrow writes what JSON writes otherwise; a null entry of a list is None.
_JSON = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "-0": "-0.0", None: "null"}
_UNLIKE = _JSON.keys()
_CELLS = {float: "%s", list: "[%s]", int: "%d", bool: "%s", str: "%s"}
_Getter = Callable[[tuple[Any, ...]], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where the cells of a shape go: floats, lists of numbers, integers, flags, texts."""

    template: str
    floats: _Getter
    lists: _Getter
    integers: _Getter
    flags: _Getter
    words: _Getter


class RowEncoder:
    """Turns rows of cells into JSON objects; a float's text is the shortest that is exact.

    Formatting floats is what a row costs, and Arrow does it in a quarter of the time `repr` takes.
    """

    def __init__(self) -> None:
        self._plans: dict[tuple[Any, ...], _Plan] = {}

    def text(self, row: Mapping[str, Any]) -> str:
        """The row as a JSON object, its columns in another order."""
        values = tuple(row.values())
        shape = (*row, *map(type, values))
        plan = self._plans.get(shape)
        if plan is None:
            if len(self._plans) >= _MANY:
                self._plans.clear()
            plan = self._plans[shape] = _plan(row)
        single, lists = plan.floats(values), plan.lists(values)
        texts = _texts([*single, *chain.from_iterable(lists)])
        ends = accumulate(map(len, lists), initial=len(single))
        joined = [",".join(texts[start:end]) for start, end in pairwise(ends)]
        return plan.template % (
            *texts[: len(single)],
            *joined,
            *plan.integers(values),
            *map(_TRUTH.__getitem__, plan.flags(values)),
            *map(encode_basestring_ascii, plan.words(values)),
        )


def _texts(numbers: list[float | None]) -> list[str]:
    import pyarrow as pa

    texts: list[str] = pa.array(numbers, pa.float64()).cast(pa.string()).to_pylist()
    if _UNLIKE.isdisjoint(texts):
        return texts
    return [_JSON.get(text, text) for text in texts]


def _plan(row: Mapping[str, Any]) -> _Plan:
    strange = {type(value) for value in row.values()} - _CELLS.keys()
    if strange:  # Cells lets none through; a cell must never be left out in silence
        raise TypeError(f"no cell holds {strange}")
    names = [encode_basestring_ascii(name).replace("%", "%%") for name in row]
    kinds = [type(value) for value in row.values()]
    cells: list[str] = []
    getters: list[_Getter] = []
    for kind, cell in _CELLS.items():
        places = [place for place, found in enumerate(kinds) if found is kind]
        cells += [f"{names[place]}:{cell}" for place in places]
        getters.append(_getter(places))
    return _Plan("{" + ",".join(cells) + "}", *getters)


def _getter(places: list[int]) -> _Getter:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)

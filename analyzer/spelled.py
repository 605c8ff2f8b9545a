"""Numbers that know how they came about: a measure's arithmetic at one row, as an expression.

A measure is declared once, as a computation over intervals. Computing it with spelled intervals
gives, beside the number, the same arithmetic over columns that are present in that row. What has
no such form (windows, lists, what has been seen so far) comes back as a plain interval.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzer.interval import Flags, Interval
from analyzer.measure import Measure
from analyzer.view import View

_SUM, _PRODUCT, _ATOM = 0, 1, 2
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*+(?!\()")


@dataclass(frozen=True, slots=True, eq=False)
class Spelled(Interval):
    """An interval and the expression that gives it at one row.

    `text` is arithmetic of column names with + - * / **, abs(), exp() and max(); `binds`: how
    tightly its outermost operator does.
    """

    text: str
    binds: int
    row: int

    def where(self, keep: Flags) -> Interval:
        return self._as(Interval.where(self, keep), self.text, self.binds)

    def or_else(self, other: Interval | float) -> Interval:
        found = Interval.or_else(self, other)
        told = self if self.present[self.row] else _spelled(other, self)
        return found if told is None else self._as(found, told.text, told.binds)

    def larger(self, other: Interval | float) -> Interval:
        found, b = Interval.larger(self, other), _spelled(other, self)
        if b is None:
            return found
        if self.present[self.row] and b.present[self.row]:
            inner = self.text[4:-1] if self.text.startswith("max(") else self.text
            return self._as(found, f"max({inner}, {b.text})", _ATOM)
        told = self if self.present[self.row] else b
        return self._as(found, told.text, told.binds)

    def __neg__(self) -> Interval:
        return self._as(Interval.__neg__(self), f"-{_within(self, _ATOM)}", _SUM)

    def __add__(self, other: Interval | float) -> Interval:
        return self._joined(operator.add, other, "+", _SUM)

    def __radd__(self, other: Interval | float) -> Interval:
        return self._joined(operator.add, other, "+", _SUM, swapped=True)

    def __sub__(self, other: Interval | float) -> Interval:
        return self._joined(operator.sub, other, "-", _SUM)

    def __rsub__(self, other: float) -> Interval:
        return self._joined(operator.sub, other, "-", _SUM, swapped=True)

    def __mul__(self, other: Interval | float) -> Interval:
        return self._joined(operator.mul, other, "*", _PRODUCT)

    def __rmul__(self, other: Interval | float) -> Interval:
        return self._joined(operator.mul, other, "*", _PRODUCT, swapped=True)

    def __truediv__(self, other: Interval | float) -> Interval:
        return self._joined(operator.truediv, other, "/", _PRODUCT)

    def __rtruediv__(self, other: float) -> Interval:
        return self._joined(operator.truediv, other, "/", _PRODUCT, swapped=True)

    def abs(self) -> Interval:
        return self._as(Interval.abs(self), f"abs({self.text})", _ATOM)

    def square(self) -> Interval:
        return self._as(Interval.square(self), f"{_within(self, _ATOM)} ** 2", _PRODUCT)

    def sqrt(self) -> Interval:
        return self._as(Interval.sqrt(self), f"{_within(self, _ATOM)} ** 0.5", _PRODUCT)

    def exp(self) -> Interval:
        return self._as(Interval.exp(self), f"exp({self.text})", _ATOM)

    def _as(self, found: Interval, text: str, binds: int) -> "Spelled":
        return Spelled(found.low, found.high, found.present, text, binds, self.row)

    def _joined(
        self,
        compute: Callable[[Any, Any], Interval],
        other: Interval | float,
        sign: str,
        binds: int,
        *,
        swapped: bool = False,
    ) -> Interval:
        ends = (_plain(other), _plain(self)) if swapped else (_plain(self), _plain(other))
        found, b = compute(*ends), _spelled(other, self)
        if b is None:
            return found
        left, right = (b, self) if swapped else (self, b)
        # What stands to the right of - or / keeps its parentheses.
        least = binds + (sign in "-/")
        return self._as(found, f"{_within(left, binds)} {sign} {_within(right, least)}", binds)


def _plain(x: Interval | float) -> Interval | float:
    return Interval(x.low, x.high, x.present) if isinstance(x, Interval) else x


def _within(x: Spelled, least: int) -> str:
    return x.text if x.binds >= least else f"({x.text})"


def _spelled(value: Interval | float, like: Spelled) -> Spelled | None:
    """The other operand as a spelled one; None where it is numbers of unknown origin."""
    if isinstance(value, Spelled):
        return value
    if isinstance(value, Interval):
        return None
    return _number(float(value), len(like), like.row)


def _number(value: float, n: int, row: int) -> Spelled:
    values = np.full(n, value)
    binds = _ATOM if value >= 0.0 else _SUM
    return Spelled(values, values, np.ones(n, dtype=bool), repr(value), binds, row)


@dataclass(frozen=True, eq=False)
class SpellingView(View):
    """A view whose columns are spelled as of one row."""

    row: int = 0

    def __getitem__(self, name: str) -> Interval:
        found = super().__getitem__(name)
        if self.run.column(name).present[self.row] or not found.present[self.row]:
            return Spelled(found.low, found.high, found.present, name, _ATOM, self.row)
        told = _number(found.at(self.row), len(self), self.row)  # of the configuration
        return Spelled(found.low, found.high, found.present, told.text, told.binds, self.row)


def spelled(measure: Measure, view: View, row: int) -> str | None:
    """The expression of declared columns that gives the measure at this row, where it is one."""
    with np.errstate(all="ignore"):
        found = measure.of(SpellingView(view.run, view.distrusted, row=row))
    if not isinstance(found, Spelled) or not found.present[row] or not names_in(found.text):
        return None
    return found.text


def names_in(text: str) -> tuple[str, ...]:
    """The columns of an expression, each once."""
    return tuple(dict.fromkeys(_NAME.findall(text)))

"""Curves in a grid of cells: scales, bounds, gaps and the cursor. Made once, drawn under any playhead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trpo_tui.chart_view import ChartView, spread
from trpo_tui.series import Series
from trpo_tui.text import number
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.raster import (
    Columns,
    along,
    ascii_cells,
    braille,
    column_of,
    columns,
    dots,
    level,
    nice_range,
)

GUTTER = 9
"""Cells left of the curve, for the range; the same in every chart, so that the cursors align."""
LETTERS_APART = 16
"""Cells between two letters that tell curves apart without colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Rows of a series: from the first to before the last, None for all n of them.

    `positions`: (n,) theirs on the axis, None for one place a row. `letter`: the curve's name.
    """

    series: Series
    rows: tuple[int, int] | None = None
    positions: NDArray[np.float64] | None = None
    role: Role = "line"
    letter: str = ""

    @property
    def shown(self) -> tuple[int, int]:
        """The rows drawn."""
        return self.rows or (0, len(self.series))

    def __len__(self) -> int:
        return self.shown[1] - self.shown[0]


class Plot:
    """The curves at one size. `holds`: numbers the range must hold, such as a bound."""

    def __init__(
        self,
        curves: Sequence[Curve],
        *,
        width: int,
        height: int,
        look: Look,
        view: ChartView,
        holds: Sequence[float] = (),
    ) -> None:
        self.height, self.look, self.view = height, look, view
        self.per_cell = 2 if look.unicode else 1
        self.wide = max(0, width - GUTTER) * self.per_cell
        self.problem = ""
        self._lengths = [len(curve) for curve in curves]
        self._places = _places(curves, self.wide)
        drawn: list[tuple[Columns, Role]] = []
        named: list[tuple[Columns, Curve]] = []
        raw: list[Columns] = []
        for curve, place in zip(curves, self._places, strict=True):
            series = curve.series.logarithm if view.log else curve.series
            cells = columns(series, curve.shown, self.wide, place)
            raw.append(cells)
            if view.smoothing:
                drawn.append((cells, "dim"))
                cells = columns(series.smoothed(view.smoothing), curve.shown, self.wide, place)
            drawn.append((cells, curve.role))
            if curve.letter:
                named.append((cells, curve))
        self.low, self.high = self._range(curves, raw, holds)
        self._broken = self._not_finite(drawn)
        self.cells = self._cells(drawn)
        for k, (of_curve, curve) in enumerate(named):
            self._letter(of_curve, k, curve)

    def _range(
        self, curves: Sequence[Curve], raw: Sequence[Columns], holds: Sequence[float]
    ) -> tuple[float, float]:
        filled = [np.isfinite(each.low) for each in raw]
        if not any(there.any() for there in filled):
            self.problem = self._problem(curves)
            return 0.0, 1.0
        if self.view.clip:
            known = [_numbers(curve, log=self.view.log) for curve in curves]
            ends = [spread(each) for each in known if len(each)]
        else:
            pairs = zip(raw, filled, strict=True)
            ends = [
                (float(each.low[there].min()), float(each.high[there].max()))
                for each, there in pairs
                if there.any()
            ]
        low, high = min(a for a, _ in ends), max(b for _, b in ends)
        for value in holds:
            if not self.view.log:
                low, high = min(low, value), max(high, value * 1.05 if value > 0 else value)
            elif value > 0:
                low, high = min(low, float(np.log10(value))), max(high, float(np.log10(value)))
        return nice_range(low, high)

    def _problem(self, curves: Sequence[Curve]) -> str:
        """Why nothing is drawn."""
        there = [c.series.present[slice(*c.shown)] for c in curves]
        if not any(each.any() for each in there):
            return "not logged" if any(map(len, curves)) else "no rows yet"
        if not any(c.series.finite[slice(*c.shown)].any() for c in curves):
            return "NaN or infinite in every row"
        return "nothing above 0 for a log axis"

    def _not_finite(self, drawn: Sequence[tuple[Columns, Role]]) -> list[bool]:
        broken = np.zeros(self.wide, dtype=bool)
        for curve, _ in drawn:
            broken |= curve.not_finite
        return [any(cell) for cell in broken.reshape(-1, self.per_cell).tolist()]

    def _cells(self, drawn: Sequence[tuple[Columns, Role]]) -> list[list[tuple[str, Role]]]:
        """Every cell with its sign and the role of the last curve that touches it."""
        tall = self.height * (4 if self.look.unicode else 2)
        across = self.wide // self.per_cell
        together = np.zeros((tall, self.wide), dtype=bool)
        roles: list[list[Role]] = [["line"] * across for _ in range(self.height)]
        for curve, role in drawn:
            grid = dots(curve, self.low, self.high, self.wide, tall)
            together |= grid
            touched = grid.reshape(self.height, tall // max(1, self.height), across, self.per_cell)
            for y, x in np.argwhere(touched.any(axis=(1, 3))).tolist():
                roles[y][x] = role
        signs = braille(together) if self.look.unicode else ascii_cells(together)
        return [list(zip(line, role, strict=True)) for line, role in zip(signs, roles, strict=True)]

    def _letter(self, curve: Columns, k: int, of: Curve) -> None:
        """Its letter on the curve, every so many cells."""
        rows = level(curve.high, self.low, self.high, self.height)
        there = np.isfinite(curve.high)
        for x in range(3 + 5 * k, self.wide // self.per_cell, LETTERS_APART):
            if there[x * self.per_cell]:
                self.cells[int(rows[x * self.per_cell])][x] = (of.letter, of.role)

    def label(self, y: int) -> str:
        """The end of the range at the top and the bottom row."""
        if self.problem or y not in (0, self.height - 1):
            return ""
        value = self.high if y == 0 else self.low
        return number(10.0**value if self.view.log and value < 300 else value)

    def lines(
        self, cursor: int | None, bounds: Sequence[tuple[float, Role]], *, bar: bool
    ) -> list[Line]:
        """The rows of the plot, top to bottom, with the cursor's cell and the bounds drawn in.

        Without `bar` the cursor shows on the curve and at both ends only: while it runs, a
        full-height bar would repaint every row of every chart.
        """
        lines = {self._row(bound): role for bound, role in bounds}
        return [self._line(y, cursor, lines, bar) for y in range(self.height)]

    def _line(
        self, y: int, cursor: int | None, lines: Mapping[int | None, Role], bar: bool
    ) -> Line:
        if self.problem and y == self.height // 2:
            return ((" " * GUTTER, "plain"), (self.problem, "dim"))
        cells: list[tuple[str, Role]] = []
        for x, (sign, role) in enumerate(self.cells[y]):
            if sign == " " and y == self.height - 1 and self._broken[x]:
                sign, role = self.look.not_finite, "bad"
            elif sign == " " and y in lines:
                sign, role = self.look.threshold, lines[y]
            if x == cursor:
                if sign != " ":
                    role = "cursor"
                elif bar or y in (0, self.height - 1):
                    sign, role = self.look.bar, "dim"
            cells.append((sign, role))
        return ((self.label(y).rjust(GUTTER - 1)[: GUTTER - 1] + " ", "dim"), *cells)

    def _row(self, bound: float) -> int | None:
        """The row of cells a bound lies in, None where it is outside the range."""
        if self.view.log:
            bound = float(np.log10(bound)) if bound > 0 else -np.inf
        if not self.low <= bound <= self.high:
            return None
        share = (bound / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return round((1.0 - share) * (self.height - 1))

    def cursor(self, row: int, curve: int = 0) -> int | None:
        """The cell of a row of a curve, None outside it."""
        if not self._places or not 0 <= row < self._lengths[curve]:
            return None
        place = self._places[curve]
        dot = column_of(row, self._lengths[curve], self.wide) if place is None else int(place[row])
        return dot // self.per_cell


def _numbers(curve: Curve, *, log: bool) -> NDArray[np.float64]:
    """The finite values it shows, on the scale of the view."""
    series, shown = curve.series.logarithm if log else curve.series, slice(*curve.shown)
    return series.values[shown][series.finite[shown]]


def _places(curves: Sequence[Curve], wide: int) -> list[NDArray[np.int64] | None]:
    """The dot columns of the rows of each curve, None for evenly spaced ones."""
    known = [c.positions[np.isfinite(c.positions)] for c in curves if c.positions is not None]
    known = [each for each in known if len(each)]
    ends = (
        (min(float(p.min()) for p in known), max(float(p.max()) for p in known)) if known else None
    )
    return [None if c.positions is None else along(c.positions, wide, ends) for c in curves]

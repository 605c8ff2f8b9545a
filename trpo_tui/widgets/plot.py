"""Curves in a grid of cells: scales, bounds, gaps and the cursor. Made once, drawn under any playhead."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trpo_tui.chart_view import ChartView, smoothed, spread
from trpo_tui.text import number
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.raster import (
    Columns,
    along,
    ascii_cells,
    braille,
    columns,
    dots,
    level,
    nice_range,
    places,
)

GUTTER = 9
"""Cells left of the curve, for the range; the same in every chart, so that the cursors align."""
LETTERS_APART = 16
"""Cells between two letters that tell curves apart without colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One series. `positions`: (n,) on the axis, None for one place a row. `letter`: its name."""

    values: NDArray[np.float64]
    present: NDArray[np.bool_]
    positions: NDArray[np.float64] | None = None
    role: Role = "line"
    letter: str = ""

    @property
    def finite(self) -> NDArray[np.bool_]:
        """(n,) where a number was logged that can be drawn."""
        return np.asarray(self.present & np.isfinite(self.values))


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
        self._places = _places(curves, self.wide)
        scaled = [self._scaled(curve) for curve in curves]
        self.low, self.high = self._range(curves, scaled, holds)
        drawn: list[tuple[Columns, Role]] = []
        named: list[tuple[Columns, Curve]] = []
        for curve, shown, place in zip(curves, scaled, self._places, strict=True):
            raw = columns(shown, curve.present, self.wide, place)
            if view.smoothing:
                drawn.append((raw, "dim"))
                mean = smoothed(shown, curve.present & np.isfinite(shown), view.smoothing)
                raw = columns(mean, np.isfinite(mean), self.wide, place)
            drawn.append((raw, curve.role))
            if curve.letter:
                named.append((raw, curve))
        self._broken = self._not_finite(drawn)
        self.cells = self._cells(drawn)
        for k, (of_curve, curve) in enumerate(named):
            self._letter(of_curve, k, curve)

    def _scaled(self, curve: Curve) -> NDArray[np.float64]:
        if not self.view.log:
            return curve.values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(curve.values > 0, np.log10(curve.values), np.nan)

    def _range(
        self, curves: Sequence[Curve], scaled: Sequence[NDArray[np.float64]], holds: Sequence[float]
    ) -> tuple[float, float]:
        known = [s[c.present & np.isfinite(s)] for s, c in zip(scaled, curves, strict=True)]
        known = [each for each in known if len(each)]
        if not known:
            if not any(c.present.any() for c in curves):
                self.problem = "not logged" if any(len(c.values) for c in curves) else "no rows yet"
            elif not any(c.finite.any() for c in curves):
                self.problem = "NaN or infinite in every row"
            else:
                self.problem = "nothing above 0 for a log axis"
            return 0.0, 1.0
        ends = [spread(s) if self.view.clip else (float(s.min()), float(s.max())) for s in known]
        low, high = min(a for a, _ in ends), max(b for _, b in ends)
        for value in holds:
            if not self.view.log:
                low, high = min(low, value), max(high, value * 1.05 if value > 0 else value)
            elif value > 0:
                low, high = min(low, float(np.log10(value))), max(high, float(np.log10(value)))
        return nice_range(low, high)

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

    def line(
        self, y: int, cursor: int | None, bounds: Sequence[tuple[float, Role]], *, bar: bool
    ) -> Line:
        """Row y of the plot with the cursor's cell and the bounds drawn in.

        Without `bar` the cursor shows on the curve and at both ends only: while it runs, a
        full-height bar would repaint every row of every chart.
        """
        if self.problem and y == self.height // 2:
            return ((" " * GUTTER, "plain"), (self.problem, "dim"))
        lines = {self._row(bound): role for bound, role in bounds}
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
        return int(level(np.array([bound]), self.low, self.high, self.height)[0])

    def cursor(self, row: int, curve: int = 0) -> int | None:
        """The cell of a row of a curve, None outside it."""
        place = self._places[curve] if self._places else np.zeros(0, dtype=np.int64)
        return int(place[row]) // self.per_cell if 0 <= row < len(place) else None


def _places(curves: Sequence[Curve], wide: int) -> list[NDArray[np.int64]]:
    known = [c.positions[np.isfinite(c.positions)] for c in curves if c.positions is not None]
    known = [each for each in known if len(each)]
    ends = (
        (min(float(p.min()) for p in known), max(float(p.max()) for p in known)) if known else None
    )
    return [
        places(len(c.values), wide) if c.positions is None else along(c.positions, wide, ends)
        for c in curves
    ]

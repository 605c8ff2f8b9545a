"""One column over the iterations: Braille dots, a threshold, and the playhead as its cursor."""

from collections.abc import Mapping, Sequence

import numpy as np

from runlog.run import Run
from trpo_tui.frame import Frame, iteration_at
from trpo_tui.text import cell, number
from trpo_tui.themes import UNICODE, Line, Look, Role
from trpo_tui.widgets.lines import Lines, View
from trpo_tui.widgets.raster import (
    Columns,
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

THRESHOLDS: Mapping[str, str] = {"kl": "max_kl", "kl_full_step": "max_kl", "kl_drift": "max_kl"}
"""Columns drawn with the column that bounds them."""


def threshold(run: Run, name: str, row: int) -> float | None:
    """The bound in force at the row, None where there is none."""
    bound = THRESHOLDS.get(name)
    if bound is None or not 0 <= row < len(run):
        return None
    column = run.column(bound)
    if not column.present[row] or not np.isfinite(column.values[row]):
        return None
    return float(column.values[row])


def title_line(frame: Frame, name: str, *, focused: bool, look: Look) -> Line:
    """Name, value at the playhead, bound."""
    bound = threshold(frame.run, name, frame.row)
    value = cell(frame.run, name, frame.row)
    if value == "null":
        value = _last_known(frame, name)
    spans: list[tuple[str, Role]] = [
        (look.pointer if focused else " ", "bold"),
        (look.say(name), "title"),
        (f" {value}", "bold"),
    ]
    if bound is not None:
        spans.append((f"  {THRESHOLDS[name]} {number(bound)}", "dim"))
    return tuple(spans)


def _last_known(frame: Frame, name: str) -> str:
    """The newest value up to the playhead and its iteration: a mean is null where no episode ended."""
    known = np.flatnonzero(frame.run.column(name).present[: frame.row + 1])
    if not len(known):
        return "null"
    row = int(known[-1])
    return f"{cell(frame.run, name, row)} (it {iteration_at(frame.run, row)})"


class Plot:
    """The curve of one column at one size: made once per run, drawn under any playhead."""

    def __init__(self, run: Run, name: str, width: int, height: int, look: Look) -> None:
        self.height, self.look, self.n = height, look, len(run)
        self.per_cell = 2 if look.unicode else 1
        self.wide = (width - GUTTER) * self.per_cell
        self.problem = ""
        self.low, self.high = 0.0, 1.0
        column = run.column(name)
        curve = columns(column.values, column.present, self.wide)
        finite = column.present & np.isfinite(column.values)
        if not column.present.any():
            self.problem = "not logged" if self.n else "no rows yet"
        elif not finite.any():
            self.problem = "NaN or infinite in every row"
        else:
            values = column.values[finite]
            low, high = float(values.min()), float(values.max())
            bound = threshold(run, name, self.n - 1)
            if bound is not None and bound > 0:
                low, high = min(low, 0.0), max(high, bound * 1.05)
            self.low, self.high = nice_range(low, high)
        self.rows = self._cells(curve)
        self.broken = self._broken(curve)

    def _cells(self, curve: Columns) -> list[str]:
        tall = self.height * (4 if self.look.unicode else 2)
        grid = dots(curve, self.low, self.high, self.wide, tall)
        return braille(grid) if self.look.unicode else ascii_cells(grid)

    def _broken(self, curve: Columns) -> list[bool]:
        return [any(cell) for cell in curve.not_finite.reshape(-1, self.per_cell).tolist()]

    def line(self, y: int, cursor: int | None, bound: float | None, *, bar: bool) -> Line:
        """Row y of the plot with the cursor's cell and the bound drawn in.

        Without `bar` the cursor shows on the curve and at both ends only: while it runs, a
        full-height bar would repaint every row of every chart.
        """
        label = ""
        if not self.problem and y in (0, self.height - 1):
            label = number(self.high if y == 0 else self.low)
        spans: list[tuple[str, Role]] = [(label.rjust(GUTTER - 1)[: GUTTER - 1] + " ", "dim")]
        bound_row = None
        if bound is not None and self.low <= bound <= self.high:
            bound_row = int(level(np.array([bound]), self.low, self.high, self.height)[0])
        cells: list[tuple[str, Role]] = []
        for x, character in enumerate(self.rows[y]):
            role: Role = "line"
            sign = character
            if sign == " " and y == self.height - 1 and self.broken[x]:
                sign, role = self.look.not_finite, "bad"
            elif sign == " " and y == bound_row:
                sign, role = self.look.threshold, "warn"
            if x == cursor:
                if sign != " ":
                    role = "cursor"
                elif bar or y in (0, self.height - 1):
                    sign, role = self.look.bar, "dim"
            cells.append((sign, role))
        if self.problem and y == self.height // 2:
            return ((" " * GUTTER, "plain"), (self.problem, "dim"))
        return (*spans, *cells)

    def cursor(self, row: int) -> int | None:
        """The cell of the playhead."""
        if row < 0 or self.n == 0 or row >= self.n:
            return None
        return column_of(row, self.n, self.wide) // self.per_cell


class Chart(Lines):
    """The title and the curve of the frame's chart number `place`."""

    def __init__(self, place: int, *, id: str | None = None, look: Look = UNICODE) -> None:  # noqa: A002
        super().__init__(id=id, look=look)
        self.place = place
        self._key: tuple[object, ...] = ()
        self._plot: Plot | None = None

    def draw(self, view: View) -> Sequence[Line]:
        frame, width, height = view.frame, view.width, view.height
        name = frame.charts[self.place]
        title = title_line(frame, name, focused=frame.focus == self.place, look=self.look)
        if height < 3 or width < GUTTER + 8:
            return [title]
        key = (frame.run, name, width, height)
        if self._plot is None or key != self._key:
            self._key, self._plot = key, Plot(frame.run, name, width, height - 1, self.look)
        plot = self._plot
        cursor = plot.cursor(frame.row)
        bound = threshold(frame.run, name, frame.row)
        paused = not (frame.playhead.follow or frame.playhead.playing)
        return [title, *(plot.line(y, cursor, bound, bar=paused) for y in range(height - 1))]

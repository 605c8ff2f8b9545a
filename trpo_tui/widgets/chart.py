"""One column over the iterations: its curve, its bounds, and the playhead as its cursor."""

from collections.abc import Mapping, Sequence

import numpy as np

from analyzer.diagnosis import Diagnosis
from runlog.run import Run
from trpo_tui.chart_view import ChartView
from trpo_tui.frame import Frame, iteration_at
from trpo_tui.series import series_of
from trpo_tui.text import cell, number
from trpo_tui.themes import UNICODE, Line, Look, Role
from trpo_tui.widgets.lines import Lines, View
from trpo_tui.widgets.pictures import PICTURES, TERM, TERMS, picture_lines, term_curves, terms
from trpo_tui.widgets.plot import GUTTER, Curve, Plot

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


def rule_bounds(diagnosis: Diagnosis | None, name: str) -> list[tuple[float, str]]:
    """Bounds that rules which fire hold the column against, with their codes."""
    if diagnosis is None:
        return []
    found: dict[float, str] = {}
    for finding in diagnosis.findings:
        for evidence in finding.evidence:
            bound = evidence.bound
            if evidence.measure == name and isinstance(bound, int | float) and np.isfinite(bound):
                found.setdefault(float(bound), finding.code)
    return list(found.items())


def curve_of(run: Run, name: str, view: ChartView, rows: tuple[int, int]) -> Curve:
    """The rows of a column, placed along the axis of the view."""
    shown = slice(*rows)
    axis = run.column(view.axis) if view.axis != "iteration" else None
    positions = None
    if axis is not None and axis.present[shown].any():
        positions = np.where(axis.present[shown], axis.values[shown].astype(np.float64), np.nan)
    return Curve(series=series_of(run, name), rows=rows, positions=positions)


def curves_of(run: Run, name: str, view: ChartView, rows: tuple[int, int]) -> Sequence[Curve]:
    """What a chart of that name shows over the iterations."""
    return term_curves(run, rows) if name == TERMS else [curve_of(run, name, view, rows)]


def title_line(frame: Frame, name: str, *, focused: bool, look: Look) -> Line:
    """Name, value at the playhead, bounds, and how the chart is looked at."""
    bound = threshold(frame.run, name, frame.row)
    value = _terms(frame) if name == TERMS else cell(frame.run, name, frame.row)
    if value == "null":
        value = _last_known(frame, name)
    spans: list[tuple[str, Role]] = [
        (look.pointer if focused else " ", "bold"),
        (look.say(name), "title"),
        (f" {value}", "bold"),
    ]
    if bound is not None:
        spans.append((f"  {THRESHOLDS[name]} {number(bound)}", "dim"))
    spans += [
        (f"  {code} {number(at)}", "warn") for at, code in rule_bounds(frame.diagnosis, name)[:1]
    ]
    if frame.view.said:
        spans.append((f"  {frame.view.said}", "dim"))
    return tuple(spans)


def _terms(frame: Frame) -> str:
    """Every part of the reward at the playhead."""
    names = terms(frame.run)
    return " ".join(
        f"{name.removeprefix(TERM)} {cell(frame.run, name, frame.row)}" for name in names
    )


def _last_known(frame: Frame, name: str) -> str:
    """The newest value up to the playhead and its iteration: a mean is null where no episode ended."""
    known = np.flatnonzero(frame.run.column(name).present[: frame.row + 1])
    if not len(known):
        return "null"
    row = int(known[-1])
    return f"{cell(frame.run, name, row)} (it {iteration_at(frame.run, row)})"


class Chart(Lines):
    """The title and the curve of the frame's chart number `place`."""

    parts = ("run", "playhead", "diagnosis", "charts", "focus", "view")

    def __init__(self, place: int, *, id: str | None = None, look: Look = UNICODE) -> None:  # noqa: A002
        super().__init__(id=id, look=look)
        self.place = place
        self._key: tuple[object, ...] = ()
        self._plot: Plot | None = None
        self._lines: list[Line] | None = None

    def draw(self, view: View) -> Sequence[Line]:
        frame, width, height = view.frame, view.width, view.height
        name = frame.charts[self.place]
        title = title_line(frame, name, focused=frame.focus == self.place, look=self.look)
        if height < 3 or width < GUTTER + 8:
            return [title]
        if name in PICTURES:
            return self._picture(view, name)
        rows = frame.view.window(frame.row, len(frame.run))
        key = (frame.run, name, width, height, frame.view, rows)
        if self._plot is None or key != self._key:
            newest = threshold(frame.run, name, len(frame.run) - 1)
            self._key, self._plot = (
                key,
                Plot(
                    curves_of(frame.run, name, frame.view, rows),
                    width=width,
                    height=height - 1,
                    look=self.look,
                    view=frame.view,
                    holds=(0.0, newest) if newest is not None and newest > 0 else (),
                ),
            )
        plot = self._plot
        cursor = plot.cursor(frame.row - rows[0])
        bounds: list[tuple[float, Role]] = [(0.0, "dim")] if plot.low < 0.0 < plot.high else []
        bounds += [(bound, "warn") for bound, _ in rule_bounds(frame.diagnosis, name)]
        if (bound := threshold(frame.run, name, frame.row)) is not None:
            bounds.append((bound, "warn"))
        return [title, *plot.lines(cursor, bounds, bar=frame.paused)]

    def _picture(self, view: View, name: str) -> Sequence[Line]:
        frame = view.frame
        key = (frame.run, name, view.width, view.height, frame.row)
        if key != self._key or self._lines is None:
            self._key, self._plot = key, None
            self._lines = picture_lines(frame, name, view.width - 1, view.height, self.look)
        focused = frame.focus == self.place
        mark: Line = ((self.look.pointer if focused else " ", "bold"),)
        return [(*mark, *self._lines[0]), *self._lines[1:]]

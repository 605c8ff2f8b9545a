"""One series drawn twice: as SVG that stands without a script, and as numbers for the hover."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzer.interval import Floats
from analyzer.reports.page.markup import Markup, table, tag
from analyzer.reports.series import Series, thinned
from analyzer.reports.wording import number

_WIDTH, _HEIGHT = 480.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 8.0, 8.0, 22.0
_DRAWN, _MARKED = 240, 100
"""Points of the SVG and marks of values that are not finite: at most so many."""
_FAR = 20.0
"""A bound this many times as large as the data is told in words; drawing it would flatten them."""
_FLAT = 1e-9
"""Numbers that differ by less than this share of their size are drawn as one."""
_TICKS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """From data to the page. low, high: the vertical extent, in the data's units."""

    low: float
    high: float
    first: float
    last: float
    logarithmic: bool

    def x(self, values: Floats) -> Floats:
        span = self.last - self.first or 1.0
        return _LEFT + (values - self.first) / span * (_WIDTH - _LEFT - _RIGHT)

    def y(self, values: Floats) -> Floats:
        if self.logarithmic:
            low, high, values = math.log(self.low), math.log(self.high), np.log(values)
        else:
            low, high = self.low, self.high
        return _HEIGHT - _BOTTOM - (values - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)


def axes(series: Series, iterations: Floats) -> Axes:
    """Axes that hold all of the data, and of the bounds those that are near."""
    low, high = series.extent or (0.0, 1.0)
    size = max(abs(low), abs(high))
    for bound in series.bounds:
        known = bound.values[np.isfinite(bound.values)]
        for value in (known.min(), known.max()) if len(known) else ():
            if not series.logarithmic and (abs(value) <= _FAR * size or size == 0.0):
                low, high = min(low, float(value)), max(high, float(value))
    if series.logarithmic:
        low, high = low / 1.3, high * 1.3
    else:
        size = max(abs(low), abs(high))
        flat = high - low <= _FLAT * size  # an axis cannot tell such numbers apart
        pad = (0.1 * size or 1.0) if flat else 0.06 * (high - low)
        low, high = low - pad, high + pad
    ends = (float(iterations[0]), float(iterations[-1])) if len(iterations) else (0.0, 1.0)
    return Axes(low=low, high=high, first=ends[0], last=ends[1], logarithmic=series.logarithmic)


def ticks(low: float, high: float, *, logarithmic: bool) -> tuple[float, ...]:
    """Round numbers between low and high."""
    if logarithmic:
        first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
        stride = max(1, (last - first + 1) // _TICKS)
        return tuple(10.0**k for k in range(first, last + 1, stride))
    rough = (high - low) / (_TICKS + 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * k for k in (1.0, 2.0, 5.0, 10.0) if size * k >= rough * 0.999)
    return tuple(
        float(f"{step * k:.9g}") for k in range(math.ceil(low / step), math.floor(high / step) + 1)
    )


def figure(series: Series, iterations: Floats, first_bad: float | None, place: int) -> Markup:
    """The chart with its caption, and the numbers behind it as a table; `place`: its data's index."""
    title = tag("strong", series.name)
    unit = f" [{series.unit}]" if series.unit not in ("", "1", "flag") else ""
    bounds = ", ".join(bound.label for bound in series.bounds)
    compared = f"compared with: {bounds}" if bounds else ""
    last = series.last
    words = f"{series.name}: {number(last)} at last" + (f"; {compared}" if compared else "")
    caption = tag(
        "figcaption",
        title,
        unit,
        tag("span", number(last), class_="last"),
        tag("small", series.meaning),
        tag("small", compared, class_="bound") if compared else None,
    )
    numbers = tag("details", tag("summary", "Numbers"), _numbers(series, iterations, first_bad))
    svg = _svg(series, iterations, first_bad, words)
    chart = tag("div", svg, class_="chart", data_series=place)
    return tag("figure", caption, chart, numbers)


def _svg(series: Series, iterations: Floats, first_bad: float | None, words: str) -> Markup:
    shape = axes(series, iterations)
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts: list[Markup] = []
    for value in ticks(shape.low, shape.high, logarithmic=shape.logarithmic):
        y = _cut(float(shape.y(np.array([value]))[0]))
        parts.append(tag("line", x1=_LEFT, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", number(value), x=_LEFT - 5, y=y, class_="y"))
    for value, anchor in ((shape.first, "start"), (shape.last, "end")):
        x = _cut(float(shape.x(np.array([value]))[0]))
        parts.append(tag("text", number(value), x=x, y=_HEIGHT - 6, class_="x", text_anchor=anchor))
    parts += [
        tag("path", d=_path(bound.values, iterations, shape), class_="bound")
        for bound in series.bounds
    ]
    if first_bad is not None:
        x = _cut(float(shape.x(np.array([first_bad]))[0]))
        parts.append(tag("line", x1=x, x2=x, y1=_TOP, y2=bottom, class_="first"))
    parts.append(tag("path", d=_path(series.values, iterations, shape), class_="line"))
    parts += [
        tag("text", "×", x=_cut(float(x)), y=bottom - 3, class_="broken")
        for x in shape.x(_marks(series, iterations))
    ]
    return tag(
        "svg",
        tag("title", words),
        *parts,
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
    )


def _path(values: Floats, iterations: Floats, shape: Axes) -> str:
    """A line through every number inside the axes; a column measured now and then is one line."""
    rows = thinned(values, _DRAWN)
    with np.errstate(invalid="ignore"):
        rows = rows[(values[rows] >= shape.low) & (values[rows] <= shape.high)]
    x, y = shape.x(iterations[rows]), shape.y(values[rows])
    places = "L".join(f"{_cut(float(a))} {_cut(float(b))}" for a, b in zip(x, y, strict=True))
    return f"M{places}h0" if places else ""  # h0 with a round cap: one number alone is a dot


def _marks(series: Series, iterations: Floats) -> Floats:
    """Where values are not finite; of many only some, evenly."""
    rows = np.flatnonzero(series.broken)
    return iterations[rows[:: max(1, -(-len(rows) // _MARKED))]]


def _cut(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _numbers(series: Series, iterations: Floats, first_bad: float | None) -> Markup:
    """A few rows: the first, those around the first bad one, the least, the largest, the last,
    and the first that are not finite."""
    n = len(iterations)
    known = np.flatnonzero(np.isfinite(series.values) | series.broken)
    picked = {0, n - 1} | ({int(known[0]), int(known[-1])} if len(known) else set())
    picked |= {int(row) for row in np.flatnonzero(series.broken)[:3]}
    if np.isfinite(series.values).any():
        picked |= {int(np.nanargmin(series.values)), int(np.nanargmax(series.values))}
    if first_bad is not None:
        at = int(np.searchsorted(iterations, first_bad))
        picked |= set(range(max(0, at - 3), min(n, at + 4)))
    rows: list[tuple[Markup | str | float | None, ...]] = [
        (number(float(iterations[row])), _cell(series, row), *_bounds(series, row))
        for row in sorted(picked)
    ]
    head = ("iteration", series.name, *(bound.label for bound in series.bounds))
    return table(head, rows)


def _cell(series: Series, row: int) -> str:
    value = float(series.values[row])
    return "not finite" if series.broken[row] else "null" if math.isnan(value) else number(value)


def _bounds(series: Series, row: int) -> list[str]:
    values = (float(bound.values[row]) for bound in series.bounds)
    return ["null" if math.isnan(value) else number(value) for value in values]


def hovered(series: Series, iterations: Floats, points: int) -> dict[str, Any]:
    """What the script draws: the same axes, about so many points, values to six digits."""
    shape = axes(series, iterations)
    rows = thinned(series.values, points)
    return {
        "name": series.name,
        "log": shape.logarithmic,
        "range": [shape.low, shape.high],
        "ticks": ticks(shape.low, shape.high, logarithmic=shape.logarithmic),
        "x": _rounded(iterations[rows]),
        "y": _rounded(series.values[rows]),
        "bounds": [[b.label, *_constant(_rounded(b.values[rows]))] for b in series.bounds],
        "broken": _rounded(_marks(series, iterations)),
    }


def _rounded(values: Floats) -> list[float | int | None]:
    plain = (float(f"{value:.6g}") for value in values)
    return [None if math.isnan(v) else int(v) if v == int(v) else v for v in plain]


def _constant(values: list[float | int | None]) -> list[Any]:
    """A bound that never changes once, any other as a list."""
    return [values[0]] if len(set(values)) == 1 else [values]

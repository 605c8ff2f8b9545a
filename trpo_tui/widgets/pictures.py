"""What one iteration looks like inside: its line search, its conjugate gradient, its episodes, its fit.

Each is chosen like a column of the log, in any chart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runlog.run import Run
from trpo_tui.chart_view import ChartView
from trpo_tui.frame import Frame, iteration_at
from trpo_tui.series import Series, series_of
from trpo_tui.text import number
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.plot import GUTTER, Curve, Plot

Floats = NDArray[np.float64]
TERM = "reward_term_"
"""How the columns of a reward's parts begin."""
BARS = 24
"""Most bars of a histogram."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Curves over numbers that are not iterations. `marks`: positions named by a letter."""

    title: str
    curves: tuple[Curve, ...]
    log: bool = False
    bounds: tuple[tuple[float, Role], ...] = ()
    along: str = ""
    """The ends of the axis, for the title."""


def _list(run: Run, name: str, row: int) -> Floats | None:
    """A list of one row, None where it has none."""
    if name not in run.types or not 0 <= row < len(run):
        return None
    lists = run.lists(name)
    return lists[row] if lists.present[row] and len(lists[row]) else None


def latest(run: Run, names: Sequence[str], row: int) -> int | None:
    """The newest row up to this one that has all these lists."""
    there = np.ones(max(0, row + 1), dtype=bool)
    for name in names:
        if name not in run.types:
            return None
        lists = run.lists(name)
        there &= (lists.present & (np.diff(lists.offsets) > 0))[: row + 1]
    rows = np.flatnonzero(there)
    return int(rows[-1]) if len(rows) else None


def _curve(values: Floats, role: Role, letter: str, positions: Floats | None = None) -> Curve:
    """NaN is no point of these curves."""
    series = Series(values, np.isfinite(values))
    return Curve(series=series, positions=positions, role=role, letter=letter)


def _line_search(run: Run, row: int) -> Picture | None:
    """KL (k) and gain (g) of every candidate over its fraction of the full step, dim what the models
    promise: β²δ and β·gᵀs. The last candidate is what was accepted, if anything was."""
    names = ("line_search_fractions", "line_search_kls", "line_search_gains")
    fractions, kls, gains = (_list(run, name, row) for name in names)
    if fractions is None or kls is None or gains is None:
        return None
    if not len(fractions) == len(kls) == len(gains):
        return None
    order = np.argsort(fractions)
    success = run.column("line_search_success")
    said = "accepted" if success.present[row] and success.values[row] else "refused"
    delta = run.column("max_kl")
    known = delta.present[row] and np.isfinite(delta.values[row])
    scale = float(delta.values[row]) if known and delta.values[row] > 0 else 1.0
    unit = "δ" if scale != 1.0 else "1"
    last = len(fractions) - 1
    at = np.flatnonzero(order == last)
    chosen = np.full(len(order), np.nan)
    chosen[at] = kls[last] / scale
    beta = np.linspace(0.0, 1.0, 49)
    expected = run.column("expected_improvement")
    promised = float(expected.values[row]) if expected.present[row] else np.nan
    return Picture(
        title=(
            f"{len(fractions)} candidates, {said} β={number(float(fractions[last]))}: "
            f"KL {number(float(kls[last]))} gain {number(float(gains[last]))}"
        ),
        curves=(
            _curve(beta**2 if known else np.full(49, np.nan), "dim", "", beta),
            _curve(beta * promised / scale, "dim", "", beta),
            _curve(kls[order] / scale, "line", "k", fractions[order]),
            _curve(gains[order] / scale, "good", "g", fractions[order]),
            _curve(chosen, "warn", "", fractions[order]),
        ),
        bounds=((1.0, "warn"),) if known else (),
        along=f"KL k, gain g in {unit} over β 0…1; dim: promised",
    )


def _conjugate_gradient(run: Run, row: int) -> Picture | None:
    """‖r‖/‖g‖ after every iteration of conjugate gradient, on a logarithmic scale."""
    residuals = _list(run, "cg_residuals", row)
    if residuals is None:
        return None
    values = np.concatenate(([1.0], residuals))
    return Picture(
        title=f"‖r‖/‖g‖ {number(float(residuals[-1]))} after {len(residuals)}",
        curves=(_curve(values, "line", "", np.arange(len(values), dtype=np.float64)),),
        log=True,
        along=f"iterations 0…{len(residuals)}",
    )


def _returns(run: Run, row: int) -> Picture | None:
    """How many episodes had which return."""
    returns = _list(run, "episode_returns", row)
    if returns is None:
        return None
    returns = returns[np.isfinite(returns)]
    if not len(returns):
        return None
    low, high = float(returns.min()), float(returns.max())
    alike = high - low <= 1e-9 * max(abs(low), abs(high))
    count, edges = np.array([len(returns)]), np.array([0.0, 1.0])
    if not alike:
        count, edges = np.histogram(returns, bins=min(BARS, len(returns)), range=(low, high))
    # Steps, not a slope between the bars.
    positions, values = np.repeat(edges, 2)[1:-1], np.repeat(count, 2).astype(np.float64)
    return Picture(
        title=f"{len(returns)} episodes, median {number(float(np.median(returns)))}",
        curves=(_curve(values, "line", "", positions),),
        bounds=((0.0, "dim"),),
        along=f"all {number(low)}" if alike else f"returns {number(low)}…{number(high)}",
    )


def _value_fit(run: Run, row: int) -> Picture | None:
    """V (v) and what it is fitted to (t), V + advantage, along a stretch of one environment."""
    values, advantages = (_list(run, f"window_{name}", row) for name in ("value", "advantage"))
    if values is None or advantages is None or len(values) != len(advantages):
        return None
    steps = np.arange(len(values), dtype=np.float64)
    off = float(np.sqrt(np.mean(advantages**2)))
    return Picture(
        title=f"V against V + A, {number(off)} apart",
        curves=(
            _curve(values + advantages, "warn", "t", steps),
            _curve(values, "line", "v", steps),
        ),
        along=f"V v, target t over {len(values)} steps",
    )


PICTURES: Mapping[str, tuple[tuple[str, ...], Callable[[Run, int], Picture | None]]] = {
    "line search": (
        ("line_search_fractions", "line_search_kls", "line_search_gains"),
        _line_search,
    ),
    "conjugate gradient": (("cg_residuals",), _conjugate_gradient),
    "returns of episodes": (("episode_returns",), _returns),
    "value fit": (("window_value", "window_advantage"), _value_fit),
}
"""Name, the lists it needs of one row, how it is made."""
TERMS = "reward terms"
"""The picture whose curves are columns over the iterations."""


def pictures(run: Run) -> tuple[str, ...]:
    """The names of those this run can show."""
    known = [name for name, (lists, _) in PICTURES.items() if all(n in run.types for n in lists)]
    return (*known, *((TERMS,) if terms(run) else ()))


def terms(run: Run) -> tuple[str, ...]:
    """The columns that are parts of the reward."""
    return tuple(sorted(name for name in run.types if name.startswith(TERM)))


def picture_lines(frame: Frame, name: str, width: int, height: int, look: Look) -> list[Line]:
    """Title with what is drawn, and the plot below; the newest row up to the playhead that has it."""
    lists, make = PICTURES[name]
    row = latest(frame.run, lists, frame.row)
    found = None if row is None else make(frame.run, row)
    if found is None or row is None:
        return [((look.say(name), "title"), ("  not in the log up to here", "dim"))]
    when = "" if row == frame.row else f" (it {iteration_at(frame.run, row)})"
    title: Line = ((look.say(name), "title"), (f" {look.say(found.title)}{when}", "bold"))
    if height < 4 or width < GUTTER + 8:
        return [title]
    plot = Plot(
        found.curves,
        width=width,
        height=height - 2,
        look=look,
        view=ChartView(log=found.log),
        holds=[bound for bound, _ in found.bounds],
    )
    drawn = plot.lines(None, found.bounds, bar=False)
    return [title, *drawn, ((" " * GUTTER, "plain"), (look.say(found.along), "dim"))]


def term_curves(run: Run, rows: tuple[int, int]) -> tuple[Curve, ...]:
    """The parts of the reward over the iterations, each with the first letter of its name."""
    roles: tuple[Role, ...] = ("line", "warn", "good", "bad", "title")
    return tuple(
        Curve(
            series=series_of(run, name),
            rows=rows,
            role=roles[k % len(roles)],
            letter=name.removeprefix(TERM)[:1],
        )
        for k, name in enumerate(terms(run))
    )

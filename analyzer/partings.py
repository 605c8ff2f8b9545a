"""Where two runs part: the first number that is not the same, and the first link that differs by more
than runs of other seeds do."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analyzer.diagnosis import LINKS, Link
from analyzer.interval import Flags, Floats
from analyzer.non_finite import link_of
from analyzer.view import View
from runlog.schema import BY_NAME, When

_ORDER: tuple[When, ...] = (
    "iteration", "sampling", "critic before fit", "advantage", "update", "after step", "after fit",
    "end",
)  # fmt: skip
_APART = ("progress", "hyperparameters", "system", "window")
"""Groups that are settings, clocks and counters, or only sometimes written."""
_ZERO_BY_DESIGN = ("policy_loss_before", "advantage_mean")
"""What is left of these in a correct run is rounding of numbers around 1."""

BAND = 10
"""Rows whose numbers make a band; of shorter runs all rows."""
_FEWEST = 3
ROUNDING = 1e-6
"""Relative difference below which two numbers differ by rounding alone: single precision, summed."""

FACTOR = 3.0
"""Bands of 69 pairs of healthy runs that differ in nothing but the seed (eight environments) were never
more than 2 apart, log σ never more than 0.5."""

Scale = Literal["ratio", "shift"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A vital sign of a link: bands of two runs differ where they lie apart and their medians by
    `least` (a ratio, or a shift in the column's own unit)."""

    column: str
    link: Link
    scale: Scale
    least: float
    floor: float = -np.inf
    """Below it all values are alike: a critic worse than none is as good as none."""


SIGNS = (
    Sign(column="log_std_mean", link="policy", scale="shift", least=0.7),
    Sign(column="observation_abs_max", link="observation", scale="ratio", least=FACTOR),
    Sign(column="observation_dead_dimensions", link="observation", scale="shift", least=1.0),
    Sign(column="reward_std", link="reward", scale="ratio", least=FACTOR),
    Sign(column="reward_max", link="reward", scale="ratio", least=FACTOR),
    Sign(column="explained_variance", link="critic", scale="shift", least=0.5, floor=0.0),
    Sign(column="advantage_raw_std", link="advantage", scale="ratio", least=FACTOR),
    Sign(column="gradient_norm", link="gradient", scale="ratio", least=FACTOR),
    Sign(column="step_direction_norm", link="cg", scale="ratio", least=FACTOR),
    Sign(column="full_step_norm", link="step", scale="ratio", least=FACTOR),
    Sign(column="step_fraction", link="line search", scale="ratio", least=FACTOR),
    Sign(column="kl", link="policy change", scale="ratio", least=FACTOR),
    Sign(column="episode_return_mean", link="outcome", scale="ratio", least=FACTOR),
)
"""One or two numbers a link that most trainers tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One column of two runs where they part; None where a run has no number."""

    column: str
    link: Link
    values: tuple[float | str | None, float | str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Where two runs part. `iteration`: the first common one that differs; `differences`: in the
    order of the update, the first one first, and what is only rounding last."""

    iteration: int
    differences: tuple[Difference, ...]
    by_rounding: bool = False
    """Whether all of them are no more than rounding."""
    same_upstream: bool = False
    """Whether that iteration has numbers measured before the first difference that are the same."""

    @property
    def link(self) -> Link:
        """The link that parts first."""
        return self.differences[0].link


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of two runs with the same iteration number."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    iterations: NDArray[np.int64]


def common_rows(a: View, b: View) -> Rows:
    """The iterations both runs have."""
    numbers, in_a, in_b = np.intersect1d(
        a.iterations.middle, b.iterations.middle, return_indices=True
    )
    return Rows(a=in_a, b=in_b, iterations=numbers.astype(np.int64))


def compared_columns(a: View, b: View) -> tuple[str, ...]:
    """Columns of one number or word a row that both runs log and that seed and settings decide, in
    the order in which an update measures them."""
    names = [
        name
        for name, spec in BY_NAME.items()
        if name in a.run.types
        and name in b.run.types
        and not spec.clocked
        and not spec.is_list
        and spec.group not in _APART
        and a.run.column(name).present.any()
        and b.run.column(name).present.any()
    ]
    return tuple(sorted(names, key=_place))


def _link(name: str) -> Link:
    if name == "policy_loss":  # measured after the step
        return "policy change"
    # Targets of the critic and what is measured against them come out of advantage estimation.
    if name.startswith("return_") or name in ("value_loss", "explained_variance"):
        return "advantage"
    return "outcome" if name.startswith("episode") else link_of(name)


def _place(name: str) -> tuple[int, int]:
    link = _link(name)
    when = "advantage" if link == "advantage" else BY_NAME[name].when
    return _ORDER.index(when), LINKS.index(link)


def exact_parting(a: View, b: View, rows: Rows) -> Parting | None:
    """The first common iteration at which some number is not the same to the last digit."""
    differs: dict[str, Flags] = {}
    for name in compared_columns(a, b):
        x, y = a.run.column(name), b.run.column(name)
        one, other = x.values[rows.a], y.values[rows.b]
        with np.errstate(invalid="ignore"):
            same = np.asarray(one == other)
        if BY_NAME[name].type != "string":
            same |= np.isnan(one.astype(float)) & np.isnan(other.astype(float))
        here, there = x.present[rows.a], y.present[rows.b]
        differs[name] = np.asarray((here != there) | (here & there & ~same))
    if not differs or not len(rows.iterations):
        return None
    some = np.stack(list(differs.values())).any(axis=0)
    if not some.any():
        return None
    k = int(some.argmax())
    found = [_difference(name, _link(name), a, b, rows, k) for name in differs if differs[name][k]]
    found.sort(key=lambda difference: _is_rounding(difference, a))
    return Parting(
        iteration=int(rows.iterations[k]),
        differences=tuple(found),
        by_rounding=_is_rounding(found[0], a),
        same_upstream=min(map(_place, differs)) < min(_place(d.column) for d in found),
    )


def _is_rounding(difference: Difference, view: View) -> bool:
    """Whether the two numbers are alike but for rounding, in the column's own size."""
    x, y = difference.values
    if not isinstance(x, float) or not isinstance(y, float):
        return False
    column = view.run.column(difference.column)
    size = np.abs(column.values[column.present].astype(float))
    size = size[np.isfinite(size)]
    largest = 1.0 if difference.column in _ZERO_BY_DESIGN else float(size.max(initial=0.0))
    return abs(x - y) <= ROUNDING * largest


def band_parting(a: View, b: View, rows: Rows) -> Parting | None:
    """The first iteration from which the bands of some vital signs stay apart, and which these are;
    a link is named before the links it drives when it parts in the same band."""
    found: list[tuple[int, Sign]] = []
    for sign in SIGNS:
        one, other = a[sign.column].middle[rows.a], b[sign.column].middle[rows.b]
        start = _apart_from(np.maximum(one, sign.floor), np.maximum(other, sign.floor), sign)
        if start is not None:
            found.append((start, sign))
    if not found:
        return None
    first = min(start for start, _ in found)
    together = [(start, sign) for start, sign in found if start < first + BAND]
    together.sort(key=lambda each: (LINKS.index(each[1].link), each[0]))
    return Parting(
        iteration=int(rows.iterations[first]),
        differences=tuple(
            _difference(sign.column, sign.link, a, b, rows, start) for start, sign in together
        ),
    )


def _apart_from(one: Floats, other: Floats, sign: Sign) -> int | None:
    """First place of the first band from which on every band but a tenth lies apart."""
    known = np.flatnonzero(np.isfinite(one) & np.isfinite(other))
    if len(known) < _FEWEST:
        return None
    width = min(BAND, len(known))
    x = np.lib.stride_tricks.sliding_window_view(one[known], width)
    y = np.lib.stride_tricks.sliding_window_view(other[known], width)
    apart = (x.max(axis=1) < y.min(axis=1)) | (y.max(axis=1) < x.min(axis=1))
    mx, my = np.median(x, axis=1), np.median(y, axis=1)
    if sign.scale == "shift":
        apart &= np.abs(mx - my) >= sign.least
    else:
        size = np.sort(np.abs(np.stack((mx, my))), axis=0)
        apart &= (size[1] >= sign.least * size[0]) | (mx * my < 0.0)
    share = np.cumsum(apart[::-1])[::-1] / np.arange(len(apart), 0, -1)
    lasting = np.flatnonzero(apart & (share >= 0.9))
    return int(known[lasting[0]]) if len(lasting) else None


def _difference(name: str, link: Link, a: View, b: View, rows: Rows, k: int) -> Difference:
    return Difference(
        column=name, link=link, values=(_cell(a, name, rows.a[k]), _cell(b, name, rows.b[k]))
    )


def _cell(view: View, name: str, row: np.int64) -> float | str | None:
    column = view.run.column(name)
    if not column.present[row]:
        return None
    value = column.values[row]
    return str(value) if BY_NAME[name].type == "string" else float(value)

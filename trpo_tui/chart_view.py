"""How the charts are looked at: which rows, along which axis, on which scale. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Axis = Literal["iteration", "timesteps", "time"]
AXES: tuple[Axis, ...] = ("iteration", "timesteps", "time")
SMOOTHING = (0.0, 0.6, 0.9, 0.98)
"""Weights of the past in the running mean that `s` goes through; 0 is the raw curve alone."""
LEAST_ROWS = 8
"""The narrowest window."""
GRAIN, LONG = 256, 65_536
"""Rows of a block whose extremes are kept, and how long a series must be for that to pay; windows
of so long a run begin with a block."""
_BLOCK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView:
    """One view for all charts, so that their cursors stay in step.

    `zoom`: the window is 2**-zoom of the run. `pan`: quarters of a window away from the playhead.
    """

    zoom: int = 0
    pan: int = 0
    axis: Axis = "iteration"
    log: bool = False
    smoothing: float = 0.0
    clip: bool = False
    maximised: bool = False

    def zoomed(self, steps: int, rows: int) -> "ChartView":
        """Closer (1) or further (−1), between the whole run and LEAST_ROWS."""
        most = max(0, rows // LEAST_ROWS).bit_length() - 1 if rows >= LEAST_ROWS else 0
        return replace(self, zoom=max(0, min(self.zoom + steps, most)), pan=0)

    def panned(self, quarters: int) -> "ChartView":
        return replace(self, pan=self.pan + quarters) if self.zoom else self

    def after(self, action: str, rows: int) -> "ChartView | None":
        """The view after the action of that name, of a run of so many rows; None for another action."""
        changed: dict[str, Callable[[], ChartView]] = {
            "zoom-in": lambda: self.zoomed(1, rows),
            "zoom-out": lambda: self.zoomed(-1, rows),
            "zoom-off": lambda: ChartView(maximised=self.maximised),
            "pan-left": lambda: self.panned(-1),
            "pan-right": lambda: self.panned(1),
            "log": lambda: replace(self, log=not self.log),
            "axis": self.next_axis,
            "smooth": self.next_smoothing,
            "clip": lambda: replace(self, clip=not self.clip),
            "maximise": lambda: replace(self, maximised=not self.maximised),
        }
        return changed[action]() if action in changed else None

    def next_axis(self) -> "ChartView":
        return replace(self, axis=AXES[(AXES.index(self.axis) + 1) % len(AXES)])

    def next_smoothing(self) -> "ChartView":
        place = SMOOTHING.index(self.smoothing)
        return replace(self, smoothing=SMOOTHING[(place + 1) % len(SMOOTHING)])

    def window(self, row: int, rows: int) -> tuple[int, int]:
        """First row shown and one past the last; it holds still until the playhead leaves a half."""
        if not self.zoom or rows <= LEAST_ROWS:
            return 0, rows
        size = max(LEAST_ROWS, -(-rows >> self.zoom))
        half = max(1, size // 2)
        first = (max(row, 0) // half) * half - half // 2 + self.pan * max(1, size // 4)
        first = max(0, min(first, rows - size))
        last = first + size
        if size >= LONG:
            first, last = first // GRAIN * GRAIN, min(-(-last // GRAIN) * GRAIN, rows)
        return first, last

    @property
    def said(self) -> str:
        """What differs from a plain view, for the title of a chart."""
        parts = (
            f"zoom x{2**self.zoom}" if self.zoom else "",
            "log" if self.log else "",
            f"by {self.axis}" if self.axis != "iteration" else "",
            f"smooth {self.smoothing:g}" if self.smoothing else "",
            "clipped" if self.clip else "",
        )
        return " ".join(part for part in parts if part)


def smoothed(
    values: NDArray[np.float64], finite: NDArray[np.bool_], weight: float
) -> NDArray[np.float64]:
    """(n,) running mean Σ wᵏ·x / Σ wᵏ over the finite values so far, NaN where there is none here.

    Divided by the sum of its weights, so that it starts at the first value and a constant stays
    what it is.
    """
    x = values[finite]
    result = np.full(len(values), np.nan)
    if not len(x):
        return result
    pad = -len(x) % _BLOCK
    # Halved, because a sum of two finite numbers may overflow.
    blocks = np.concatenate((x / 2, np.zeros(pad))).reshape(-1, _BLOCK)
    powers = np.arange(_BLOCK)
    kernel = np.tril(weight ** np.maximum(powers[:, None] - powers[None, :], 0)) * (1.0 - weight)
    inside = blocks @ kernel.T
    decay = weight ** (powers + 1.0)
    carries, carry = [], 0.0
    for last in inside[:, -1].tolist():
        carries.append(carry)
        carry = last + carry * float(decay[-1])
    inside += np.array(carries)[:, None] * decay
    total = 1.0 - weight ** (np.arange(len(x)) + 1.0)
    low, high = float(x.min()), float(x.max())
    result[finite] = np.clip(inside.ravel()[: len(x)] / total * 2, low, high)
    return result


def spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """The range without outliers: the quartiles and three times what lies between them.

    Tukey's outer fences; never wider than the values.
    """
    lower, upper = (float(q) for q in np.quantile(values, (0.25, 0.75)))
    reach = 3.0 * (upper - lower)
    return max(float(values.min()), lower - reach), min(float(values.max()), upper + reach)

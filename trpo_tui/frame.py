"""One picture of a run: everything the screen shows, live or replayed, in one immutable value."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.diagnosis import Diagnosis
from runlog.remote_address import LOST
from runlog.run import Run
from trpo_tui.chart_view import ChartView
from trpo_tui.playhead import Playhead

LIVE = ("running", "slow", "quiet")
"""States in which rows may still come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row from which on the diagnosis names another cause than in the row before."""

    row: int
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A run as of the playhead. `diagnosis` may lag a moved playhead by the worker's time."""

    name: str
    path: str
    run: Run
    playhead: Playhead
    diagnosis: Diagnosis | None
    changes: tuple[Change, ...]
    charts: tuple[str, ...]
    focus: int
    """Which chart the arrow keys change."""
    now: float = 0.0
    """Unix seconds at which the run was last looked at."""
    opened: bool = True
    """False until the run has been read for the first time."""
    view: ChartView = field(default_factory=ChartView)
    """How all charts are looked at."""
    message: str = ""
    """One sentence in answer to the last key, instead of the key line."""

    @property
    def row(self) -> int:
        return self.playhead.row

    @property
    def live(self) -> bool:
        return self.run.state.name in LIVE

    @property
    def paused(self) -> bool:
        """Whether it stands at a row of its own choice."""
        return not (self.playhead.follow or self.playhead.playing)

    @property
    def iteration(self) -> int | None:
        """Iteration number at the playhead."""
        return iteration_at(self.run, self.row)


def lost_line(run: Run) -> str:
    """What there is to say while the line to the run's machine is cut; empty when it is not."""
    return next((note for note in run.notes if note.startswith(LOST)), "")


def iterations(run: Run) -> NDArray[np.float64]:
    """(n,) iteration numbers; row numbers from 1 where the log holds none."""
    column = run.column("iteration")
    if column.present.any():
        return column.values.astype(np.float64)
    return np.arange(1, len(run) + 1, dtype=np.float64)


def iteration_at(run: Run, row: int) -> int | None:
    """The iteration number of a row, None outside the run."""
    if not 0 <= row < len(run):
        return None
    value = iterations(run)[row]
    return int(value) if np.isfinite(value) else None


CHARTABLE_FIRST = (
    "episode_return_mean", "reward_mean", "kl", "gradient_norm", "advantage_raw_std", "entropy",
    "explained_variance", "step_fraction", "actual_improvement", "improvement_ratio",
)  # fmt: skip


def metrics(run: Run) -> tuple[str, ...]:
    """Columns that can be charted: numbers and flags, what one asks for first in front."""
    known = [
        name
        for name, type_ in run.types.items()
        if type_ in ("float64", "int64", "bool") and name not in ("iteration", "seed", "attempt")
    ]
    first = [name for name in CHARTABLE_FIRST if name in known]
    return (*first, *(name for name in known if name not in first))


def default_charts(run: Run) -> tuple[str, ...]:
    """The four charts a run is opened with: return or reward, KL, gradient, explained variance."""
    column = run.column("episode_return_mean")
    reward = "episode_return_mean" if column.present.any() else "reward_mean"
    return (reward, "kl", "gradient_norm", "explained_variance")

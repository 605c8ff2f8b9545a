"""What rules may see of a run: its columns as intervals and a closed list of facts about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from analyzer.interval import Flags, Interval, constant
from runlog.run import ListColumn, Run

FACTS = frozenset(
    {
        "algorithm", "observation_dim", "action_dim", "action_low", "action_high", "environments",
        "steps_per_iteration", "horizon", "solved_return", "dtype", "kl_reduction",
        "kl_direction", "line_search_factor", "line_search_max_steps", "line_search_kl_margin",
        "cg_start", "cg_tolerance", "cg_tolerance_kind", "advantage_normalisation",
        "value_target", "fisher_fraction", "parameter_names",
    }
)  # fmt: skip
"""Metadata a rule may read. Names of environments, commands, hosts and faults are not among it."""

HYPERPARAMETERS = ("max_kl", "damping", "gamma", "lam", "cg_iters", "vf_iters", "vf_lr")


@dataclass(frozen=True, eq=False)
class View:
    """One run under analysis. `distrusted` hides cells: column → (n,) bool, True where hidden."""

    run: Run
    distrusted: dict[str, Flags] = field(default_factory=dict)
    outcomes: dict[int, Any] = field(default_factory=dict, repr=False)
    """What conditions said of this view, by their identity; the condition is kept beside."""
    _measures: dict[str, Interval] = field(default_factory=dict, repr=False)
    _columns: dict[str, Interval] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.run)

    def __getitem__(self, name: str) -> Interval:
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._read(name)
        return found

    def _read(self, name: str) -> Interval:
        column = self.run.column(name)
        present = column.present
        if name in self.distrusted:
            present = present & ~self.distrusted[name]
        values = np.asarray(column.values, dtype=np.float64)
        if column.resolution is None:
            found = Interval(values, values, present)
        else:
            found = Interval(values - column.resolution, values + column.resolution, present)
        if name in HYPERPARAMETERS:
            value = self._config.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return found.or_else(float(value))
        return found

    def lists(self, name: str) -> ListColumn:
        """The column of lists; hidden cells come back null and empty."""
        column = self.run.lists(name)
        if name not in self.distrusted:
            return column
        keep = column.present & ~self.distrusted[name]
        return ListColumn(column.values, column.offsets, keep, column.entry_present)

    def holds(self, name: str, row: int) -> bool:
        """Whether the log has a visible value of that column up to this row."""
        if name in HYPERPARAMETERS and isinstance(self._config.get(name), int | float):
            return True
        if name not in self.run.types:
            return False
        is_list = self.run.types[name].startswith("list<")
        column = self.run.lists(name) if is_list else self.run.column(name)
        present = column.present
        if name in self.distrusted:
            present = present & ~self.distrusted[name]
        return bool(present[: row + 1].any())

    def fact(self, name: str) -> Any:
        """A fact of the metadata that rules may use, None where it is unknown."""
        if name not in FACTS:
            raise KeyError(f"rules may not read {name!r} from the metadata")
        return self.run.metadata.get(name)

    def measure(self, name: str, compute: "Callable[[View], Interval]") -> Interval:
        """A derived column, computed once."""
        if name not in self._measures:
            with np.errstate(all="ignore"):
                self._measures[name] = compute(self)
        return self._measures[name]

    def forget(self) -> None:
        """Let go of everything derived so far, at once: what conditions said refers back to the view."""
        for kept in (self.outcomes, self._measures, self._columns):
            kept.clear()
        self.__dict__.pop("iterations", None)

    @property
    def _config(self) -> dict[str, Any]:
        config = self.run.metadata.get("config")
        return config if isinstance(config, dict) else {}

    @cached_property
    def iterations(self) -> Interval:
        """The iteration numbers; row + 1 where the log has none that is a number."""
        counted = np.arange(1.0, len(self) + 1.0)
        logged = self["iteration"]
        whole = logged.where(np.isfinite(logged.low) & np.isfinite(logged.high))
        return whole.or_else(Interval(counted, counted, np.ones(len(self), dtype=bool)))

    @cached_property
    def eps(self) -> float:
        """Rounding unit of the policy's arithmetic; single precision where it is unknown."""
        dtype = np.float64 if "64" in str(self.fact("dtype")) else np.float32
        return float(np.finfo(dtype).eps)

    @property
    def imported(self) -> bool:
        """Whether a foreign program printed these numbers, so that their definitions are assumed."""
        return self.run.source is not None

    def empty(self) -> Interval:
        """A column without a single number."""
        return constant(np.nan, len(self)).where(np.zeros(len(self), dtype=bool))

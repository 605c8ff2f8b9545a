"""What a run was set to: configuration, versions, environment, seed; and where runs differ in it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.view import HYPERPARAMETERS
from runlog.run import Run

_FACTS = (
    "algorithm", "env_id", "env_args", "seed", "dtype", "observation_dim", "action_dim", "action_low",
    "action_high", "environments", "steps_per_iteration", "horizon", "solved_return",
    "kl_reduction", "kl_direction", "line_search_factor", "line_search_max_steps",
    "line_search_kl_margin", "cg_start", "cg_tolerance", "cg_tolerance_kind",
    "advantage_normalisation", "value_target", "fisher_fraction", "tool_version", "version",
    "git_commit", "packages",
)  # fmt: skip
"""Metadata that says how a run was made. Names, hosts, commands and job numbers are not among it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing runs were set to differently: a value for each run, None where it is not told."""

    key: str
    values: tuple[str | None, ...]


def differing_settings(runs: Sequence[Run]) -> tuple[Setting, ...]:
    """The settings in which the runs are not all alike, configuration first."""
    told = [dict(_settings(run)) for run in runs]
    keys = dict.fromkeys(key for settings in told for key in settings)
    found = (Setting(key=key, values=tuple(one.get(key) for one in told)) for key in keys)
    return tuple(setting for setting in found if len(set(setting.values)) > 1)


def _settings(run: Run) -> Iterator[tuple[str, str]]:
    config = run.metadata.get("config")
    config = config if isinstance(config, Mapping) else {}
    for key, value in config.items():
        if key != "env" and (key not in _FACTS or run.metadata.get(key) is None):
            yield from _flat(str(key), value)
    for key in HYPERPARAMETERS:
        column = run.column(key)
        if key not in config and column.present.any():
            seen = list(dict.fromkeys(column.values[column.present].tolist()))
            yield key, f"{seen[0]:g}" if len(seen) == 1 else f"{seen[0]:g} to {seen[-1]:g}"
    for key in _FACTS:
        if run.metadata.get(key) is not None:
            yield from _flat(key, run.metadata[key])


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for inner, held in value.items():
            yield from _flat(f"{key}.{inner}", held)
    elif value is not None:
        yield key, value if isinstance(value, str) else json.dumps(value, default=str)

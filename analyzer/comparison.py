"""Runs side by side: what they were set to, where they part, what is wrong with each, how they end."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzer.answers import answers
from analyzer.diagnosis import Diagnosis
from analyzer.partings import Parting, Rows, band_parting, common_rows, exact_parting
from analyzer.settings import Setting, differing_settings
from analyzer.view import View
from runlog.run import Run
from runlog.schema import BY_NAME

KEY_NUMBERS = (
    "episode_return_mean", "episode_length_mean", "reward_mean", "reward_std",
    "explained_variance", "advantage_raw_std", "gradient_norm", "full_step_norm", "step_fraction",
    "kl", "entropy", "log_std_mean", "timesteps", "steps_per_second",
)  # fmt: skip
"""What is put side by side at the end: outcome first, then along the update."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the runs compared."""

    name: str
    """A letter, for tables."""
    path: str
    run: Run
    diagnosis: Diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The first run against one of the others.

    `common`: iterations both have. `exact`: the first number that differs at all, of those that
    seed and settings decide; `bands`: the first link that differs by more than runs of other seeds.
    """

    a: str
    b: str
    common: int
    first_common: int | None
    last_common: int | None
    same_until: int | None
    """The last iteration up to which all is the same; None where the first one differs already."""
    exact: Parting | None
    bands: Parting | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNumber:
    """The last value of a column in each run, None where it has none."""

    column: str
    unit: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two or more runs side by side; the first is what the others are held against."""

    sides: tuple[Side, ...]
    settings: tuple[Setting, ...]
    pairs: tuple[Pair, ...]
    numbers: tuple[KeyNumber, ...]


def compare(
    runs: Sequence[tuple[str, Run]], *, ignore: Mapping[str, str] | None = None
) -> Comparison:
    """Compare runs, each with its path; the first one with every other."""
    sides = tuple(
        Side(name=_letter(k), path=path, run=run, diagnosis=answers(run, ignore=ignore).last())
        for k, (path, run) in enumerate(runs)
    )
    first, *others = ((side, View(side.run)) for side in sides)
    return Comparison(
        sides=sides,
        settings=differing_settings([side.run for side in sides]),
        pairs=tuple(_pair(*first, *other) for other in others),
        numbers=_numbers([side.run for side in sides]),
    )


def _letter(k: int) -> str:
    letters = string.ascii_uppercase
    return letters[k] if k < len(letters) else f"{letters[k // 26 - 1]}{letters[k % 26]}"


def _pair(a: Side, of_a: View, b: Side, of_b: View) -> Pair:
    rows = common_rows(of_a, of_b)
    exact = exact_parting(of_a, of_b, rows)
    return Pair(
        a=a.name,
        b=b.name,
        common=len(rows.iterations),
        first_common=int(rows.iterations[0]) if len(rows.iterations) else None,
        last_common=int(rows.iterations[-1]) if len(rows.iterations) else None,
        same_until=_same_until(rows, exact),
        exact=exact,
        bands=band_parting(of_a, of_b, rows),
    )


def _same_until(rows: Rows, exact: Parting | None) -> int | None:
    before = (
        rows.iterations if exact is None else rows.iterations[rows.iterations < exact.iteration]
    )
    return int(before[-1]) if len(before) else None


def _numbers(runs: Sequence[Run]) -> tuple[KeyNumber, ...]:
    found = []
    for name in KEY_NUMBERS:
        values = tuple(_last(run, name) for run in runs)
        if any(value is not None for value in values):
            found.append(KeyNumber(column=name, unit=BY_NAME[name].unit, values=values))
    return tuple(found)


def _last(run: Run, name: str) -> float | None:
    column = run.column(name)
    values = column.values[column.present]
    return float(values[-1]) if len(values) else None

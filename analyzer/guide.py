"""The debugging guide's own tree, literally: six checks on one row, in order, first yes."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from analyzer.diagnosis import Answer, Guide, GuideCheck
from runlog.run import Run

PRINTED_ZERO = 5e-7
"""Smaller than this prints as 0.000000."""
NEAR_OPTIMAL = 9.5
"""The guide asks whether the reward is near its maximum of 10.0."""


@dataclass(frozen=True, slots=True)
class _Section:
    number: int
    title: str
    column: str
    says_yes: Callable[[float], bool]
    read_more: str


def _rounds_to_zero(value: float) -> bool:
    return abs(value) < PRINTED_ZERO


SECTIONS = (
    _Section(1, "Advantages are zero or constant", "advantage_raw_std", _rounds_to_zero, "TRPO106"),
    _Section(2, "Gradient norm is zero", "gradient_norm", _rounds_to_zero, "TRPO201"),
    _Section(3, "Step direction norm is zero", "step_direction_norm", _rounds_to_zero, "TRPO301"),
    _Section(4, "Full step norm is zero", "full_step_norm", _rounds_to_zero, "TRPO401"),
    _Section(5, "Line search failed", "line_search_success", lambda v: v == 0.0, "TRPO501"),
    _Section(
        6, "Policy is already optimal", "episode_return_mean", lambda v: v >= NEAR_OPTIMAL, "TRPO601"
    ),
)  # fmt: skip


def walk(run: Run, row: int) -> Guide:
    """The guide's answer for one row of the run (0-based)."""
    checks: list[GuideCheck] = []
    for section in SECTIONS:
        column = run.column(section.column)
        value = float(column.values[row]) if len(run) and column.present[row] else None
        answer: Answer = "unknown"
        if value is not None and math.isnan(value):
            value = math.nan  # the one NaN, equal to itself by identity
        elif value is not None:
            answer = "yes" if section.says_yes(value) else "no"
        checks.append(
            GuideCheck(
                section=section.number,
                title=section.title,
                answer=answer,
                measure=section.column,
                value=value,
            )
        )
    first = next((check for check in checks if check.answer == "yes"), None)
    if first is not None:
        return Guide(
            section=first.section,
            answer="yes",
            checks=tuple(checks),
            read_more=SECTIONS[first.section - 1].read_more,
        )
    unknown = any(check.answer == "unknown" for check in checks)
    answer = "unknown" if unknown else "no"
    return Guide(section=None, answer=answer, checks=tuple(checks), read_more=None)

"""How often a cause that was named was right on the fault bench, by what the log holds.

base_rates.json is written by `python benchmarks/calibrate.py` from the part of the bench that rules
were tuned on; how well it holds on the held-out part stands in benchmarks/RESULTS.md.
"""

import json
from functools import cache
from pathlib import Path
from typing import Literal

from analyzer.diagnosis import Base
from analyzer.view import View

LogKind = Literal["whole log", "partial log", "printed table"]
TELLING = ("advantage_raw_std", "gradient_norm", "step_direction_norm", "full_step_norm", "kl")
"""One column for each link of the update: a log that lacks one is a partial one."""
SYMPTOMS = frozenset({"TRPO602", "TRPO604"})
"""What is said where the log lacks the links before: that something is wrong, not what."""
WEIGHT = 4.0
"""Bench runs that a rule's own estimate counts as: it decides where the bench never named the code."""


def kind_of(view: View) -> LogKind:
    """What kind of log this is, as far as it decides how much a finding is worth."""
    if view.imported:
        return "printed table"
    return "whole log" if all(name in view.run.types for name in TELLING) else "partial log"


def base_of(code: str, kind: LogKind) -> Base:
    """Bench runs with that kind of log in which the code was named as the cause, and was right."""
    right, of = _rates().get(kind, {}).get(code, (0, 0))
    return Base(right=right, of=of, log=kind, symptom=code in SYMPTOMS)


def estimate(base: Base, prior: float) -> float:
    """Posterior mean of a share, the prior counting as WEIGHT runs (Beta prior)."""
    return (base.right + WEIGHT * prior) / (base.of + WEIGHT)


@cache
def _rates() -> dict[str, dict[str, tuple[int, int]]]:
    text = (Path(__file__).parent / "base_rates.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, tuple[int, int]]] = json.loads(text)["named"]
    return loaded

"""The independent trainers' runs: what is wrong with each, and from which iteration on.

Labels were committed before any of these runs was judged. A label is a set of at most two codes
that would be right as the cause; an empty one means that nothing is wrong. All of them are held
out: no rule is tuned on them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Trainer = Literal["plain", "sb3"]
MIDDLE = 21
"""First faulty iteration of the faults that come up in mid-run."""
AFTER_START, AFTER_MIDDLE = 40, 31
"""Iterations a run goes on, its first faulty one included."""
SEEDS = (100, 101)
WALKERS, ARM = ("Hopper-v5", "Walker2d-v5"), "Reacher-v5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A fault, the codes that name it, who makes it, and where and from when on it makes sense."""

    fault: str
    label: tuple[str, ...]
    trainers: tuple[Trainer, ...] = ("plain", "sb3")
    found = (case for trainer in trainers for case in (*_healthy(trainer), *_broken(trainer)))
    return tuple(sorted(found, key=lambda case: case.seed))

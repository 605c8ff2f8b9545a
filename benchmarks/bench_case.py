"""One run of the fault bench: what it trains, what is wrong with it, which part it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Part = Literal["tune", "held"]
"""`held`: never looked at while rules are written or tuned; scored only."""
Trainer = Literal["agent", "plain", "sb3"]
OWN: Final = "agent"
"""The trainer that is this project's."""

AFTER_START, AFTER_MIDDLE = 40, 31
"""Iterations a run goes on, its first faulty one included."""
MIDDLE = 21
"""First faulty iteration of the faults that come up in mid-run."""
CONTROL = MIDDLE - 1 + AFTER_MIDDLE
"""Iterations of a control: as many as of the longest run with a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run. `settings`: what differs from the trainer's own."""

    name: str
    """By itself among the runs of its trainer."""
    part: Part
    trainer: Trainer = OWN
    env: str
    seed: int
    iterations: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""
    """Empty if healthy; of the agent as `--fault` takes it."""
    onset: int = 0
    """First faulty iteration; 0 where there is none."""
    label: tuple[str, ...] = ()
    identity: bool = False
    """Whether the fault breaks an identity of the update whatever the return does."""

    @property
    def kind(self) -> str:
        """The fault's name, or `healthy`."""
        return self.fault.partition("@")[0].partition(":")[0] or "healthy"

    @property
    def title(self) -> str:
        """By itself among all runs."""
        return self.name if self.trainer == OWN else f"{self.trainer}/{self.name}"


def short(env: str) -> str:
    """An environment's name without module and version."""
    return env.partition(":")[2].partition("-")[0] or env.partition("-")[0]

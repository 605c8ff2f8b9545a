"""What a probe can find: one sentence with its numbers, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.probe import Probe
from agent.probe_walk import Walk

Level = Literal["wrong", "remark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing: the numbers, what to do, and the analyzer's code for what training would show."""

    level: Level
    text: str
    do: str = ""
    code: str | None = None


def walks(of: Probe) -> Sequence[tuple[str, Walk]]:
    """Both ways of acting."""
    return ("Random actions", of.random), ("Zero action", of.zero)

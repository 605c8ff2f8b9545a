"""What the analyzer says of a run as of one row: plain values, no computation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Answer = Literal["yes", "no", "unknown", "not applicable"]
Level = Literal["fault", "warning", "info"]
Verdict = Literal["fault", "healthy", "solved", "unknown"]
Link = Literal[
    "policy",
    "observation",
    "reward",
    "critic",
    "advantage",
    "gradient",
    "cg",
    "step",
    "line search",
    "policy change",
    "outcome",
]
LINKS: tuple[Link, ...] = get_args(Link)
"""The update as a loop, in the order in which a broken link breaks what follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One comparison: a measured number, how it was compared, with what."""

    measure: str
    value: float | str | None
    comparison: str
    bound: float | str | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One thing to do. `change` maps config fields to new values where it is that simple."""

    text: str
    origin: str
    """`guide §3`, or `founded`."""
    source: str
    change: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a confidence rests on: of `of` bench runs whose cause was said to be this, with this kind
    of log, so many were `right`. A `symptom` is right where something was wrong at all."""

    right: int
    of: int
    log: str
    symptom: bool = False

    @property
    def text(self) -> str:
        """The same in words."""
        if not self.of:
            return f"an estimate: no bench run with a {self.log} was diagnosed so"
        right = "something was wrong" if self.symptom else "right"
        return f"{right} in {self.right} of {self.of} bench runs with a {self.log}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that answers yes. `explained_by` is the code of the finding that causes it."""

    code: str
    name: str
    title: str
    link: Link
    level: Level
    answer: Answer
    confidence: float
    first_bad_iteration: int | None
    last_bad_iteration: int | None
    explained_by: str | None
    evidence: tuple[Evidence, ...]
    fixes: tuple[Fix, ...]
    why: str
    base: Base | None = None
    """What the confidence rests on."""

    @property
    def sureness(self) -> str:
        """`Confidence 0.93: right in 44 of 47 bench runs with a whole log.`"""
        rests = f": {self.base.text}" if self.base else ""
        return f"Confidence {self.confidence:.2f}{rests}."


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAnswer:
    """What one rule says at one row, yes or no or why not, with the numbers compared."""

    code: str
    name: str
    title: str
    link: Link
    level: Level
    answer: Answer
    evidence: tuple[Evidence, ...]
    reason: str
    """Why it is unknown or not applicable; empty otherwise."""
    needs: tuple[str, ...]
    """Columns it needs that this log does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus:
    """One link of the loop: dead by itself, dead downstream of another, alive, or not known."""

    link: Link
    status: Literal["ok", "fault", "explained", "warning", "unknown"]
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideCheck:
    """One of the debugging guide's six checks, taken literally, on one row."""

    section: int
    title: str
    answer: Answer
    measure: str
    value: float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The guide's own tree: the first section that answers yes."""

    section: int | None
    answer: Answer
    checks: tuple[GuideCheck, ...]
    read_more: str | None
    """Code of the rule that says more about that section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNext:
    """A column that would decide between candidates, and how to log it."""

    column: str
    decides: tuple[str, ...]
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The analyzer's word as of row `row` (the last of `iterations` rows)."""

    row: int
    iteration: int | None
    iterations: int
    verdict: Verdict
    headline: str
    """One sentence: the cause and where it began, or why there is none."""
    cause: Finding | None
    guide: Guide
    findings: tuple[Finding, ...]
    """Cause first, then other causes, then what they explain, then warnings and notes."""
    answers: tuple[RuleAnswer, ...]
    """Every rule, in the order of the loop."""
    links: tuple[LinkStatus, ...]
    candidates: tuple[str, ...]
    """Codes that could be the cause as far as this log tells."""
    log_next: tuple[LogNext, ...]
    ignored: tuple[tuple[str, str], ...]
    """Codes the user asked to ignore, with the reason."""

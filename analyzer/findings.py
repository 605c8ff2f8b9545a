"""Findings: every rule that says yes at a row, with what explains it; causes told from symptoms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from analyzer.answers import Answers, Judged
from analyzer.base_rates import base_of, estimate, kind_of
from analyzer.combination import lacking
from analyzer.diagnosis import LINKS, Base, Finding, Level, Link
from analyzer.loop import EXPLAINS, latency

ONLY_PRINTED_WRONG = ("TRPO002", "TRPO007")
"""Rules that are the cause only when nothing else is dead."""
SOLVED = "TRPO601"
COARSE = 0.85
"""Factor on the confidence of a finding that rests on printed digits."""
UPSTREAM_UNKNOWN = 0.97
"""Factor for each rule that could explain the finding and has no columns to be judged by."""
_LEVELS: tuple[Level, ...] = ("info", "warning", "fault")


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that says yes at the row, before causes are told from symptoms."""

    judged: Judged
    grade: int
    onset: int

    @property
    def code(self) -> str:
        return self.judged.rule.code


def explain(hits: Sequence[Hit]) -> dict[str, str]:
    """Code → the earliest finding that explains it: edge declared, onset not later by more than
    the larger latency."""
    explained: dict[str, str] = {}
    for hit in hits:
        upstream = [
            other
            for other in hits
            if hit.code in EXPLAINS.get(other.code, ())
            and other.judged.grade_of(other.grade).explains
            and other.onset <= hit.onset + latency(other.code, hit.code)
            and not (  # two rules that explain each other: the link order decides
                other.code in EXPLAINS.get(hit.code, ())
                and hit.judged.grade_of(hit.grade).explains
                and _place(other) > _place(hit)
            )
        ]
        if upstream:
            explained[hit.code] = min(upstream, key=lambda o: (_place(o), o.onset)).code
    return explained


def _place(hit: Hit) -> int:
    return LINKS.index(hit.judged.rule.link)


def _level(hit: Hit, explained: dict[str, str], hits: Sequence[Hit]) -> Level:
    """A finding's level is at most that of what explains it."""
    own = hit.judged.grade_of(hit.grade).level
    seen = {hit.code}
    while hit.code in explained and explained[hit.code] not in seen:
        hit = next(other for other in hits if other.code == explained[hit.code])
        seen.add(hit.code)
        own = min(own, hit.judged.grade_of(hit.grade).level, key=_LEVELS.index)
    return own


def finding(
    answers: Answers, hit: Hit, explained: dict[str, str], hits: Sequence[Hit], row: int
) -> Finding:
    """The hit in full: level, evidence, fixes, confidence, and what explains it."""
    rule, view = hit.judged.rule, hit.judged.view
    grade = hit.judged.grade_of(hit.grade)
    with np.errstate(all="ignore"):
        evidence = grade.when.evidence(view, row)
    numbers = view.iterations.middle
    first, last = int(numbers[hit.onset]), int(numbers[row])
    link: Link = rule.where(view, row) if rule.where else rule.link
    confidence, base = _confidence(answers, hit, row)
    return Finding(
        code=rule.code,
        name=rule.name,
        title=grade.title,
        link=link,
        level=_level(hit, explained, hits),
        answer="yes",
        confidence=confidence,
        base=base,
        first_bad_iteration=first,
        last_bad_iteration=last,
        explained_by=explained.get(rule.code),
        evidence=tuple({e.measure: e for e in reversed(evidence)}.values())[::-1],
        fixes=rule.all_fixes,
        why=grade.why,
    )


def _confidence(answers: Answers, hit: Hit, row: int) -> tuple[float, Base]:
    """How often such a finding was right on the bench. What this log cannot tell lowers what counts
    where the bench has few such runs, and a log that is not whole is never trusted like one."""
    rule, view = hit.judged.rule, hit.judged.view
    base = base_of(rule.code, kind_of(view))
    unjudged = sum(
        bool(lacking(judged.rule.when, lambda name: view.holds(name, row)))
        for judged in answers.judged
        if hit.code in EXPLAINS.get(judged.rule.code, ())
        and not judged.not_applicable
        and not judged.known(hit.onset)
    )
    coarse = any(measure.of(view).coarse[: row + 1].any() for measure in rule.measures)
    prior = rule.confidence * UPSTREAM_UNKNOWN**unjudged * (COARSE if coarse else 1.0)
    confidence = estimate(base, prior)
    if base.log != "whole log":
        whole = estimate(base_of(rule.code, "whole log"), rule.confidence)
        confidence = min(confidence, COARSE * whole)
    return round(confidence, 2), base


class Suspected(Protocol):
    """What decides which finding is the cause."""

    @property
    def code(self) -> str: ...
    @property
    def level(self) -> Level: ...
    @property
    def link(self) -> Link: ...
    @property
    def explained_by(self) -> str | None: ...
    @property
    def first_bad_iteration(self) -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A finding without its evidence."""

    code: str
    level: Level
    link: Link
    explained_by: str | None
    first_bad_iteration: int


S = TypeVar("S", bound=Suspected)


def cause_code(
    hits: Sequence[Hit], numbers: NDArray[Any], link_of: Callable[[Hit], Link]
) -> str | None:
    """The cause among these hits. `numbers`: (n,) the iteration numbers of the rows."""
    explained = explain(hits)
    suspects = [
        Suspect(
            code=hit.code,
            level=_level(hit, explained, hits),
            link=link_of(hit),
            explained_by=explained.get(hit.code),
            first_bad_iteration=int(numbers[hit.onset]),
        )
        for hit in hits
    ]
    return next((cause.code for cause in causes_of(suspects)), None)


def causes_of(findings: Sequence[S]) -> list[S]:
    """Faults that nothing explains: earliest onset first, ties within the latency by link."""
    alone = [f for f in findings if f.level == "fault" and f.explained_by is None]
    dead = [f for f in alone if f.code not in ONLY_PRINTED_WRONG]
    pool = dead or alone
    if not pool:
        return []
    earliest = min(f.first_bad_iteration or 0 for f in pool)
    first = [
        f
        for f in pool
        if (f.first_bad_iteration or 0) <= earliest + max(latency(f.code, g.code) for g in pool)
    ]
    order = {
        f.code: (0 if f in first else 1, LINKS.index(f.link), f.first_bad_iteration or 0, f.code)
        for f in pool
    }
    return sorted(pool, key=lambda f: order[f.code])


def ordered(findings: Sequence[Finding], causes: Sequence[Finding]) -> tuple[Finding, ...]:
    """Cause, other causes, solved, what is explained, warnings, notes."""

    def key(f: Finding) -> tuple[int, int, int, str]:
        if f in causes:
            return (0, causes.index(f), 0, f.code)
        if f.code == SOLVED:
            return (1, 0, 0, f.code)
        rank = {"fault": 2, "warning": 3, "info": 4}[f.level]
        return (rank, LINKS.index(f.link), f.first_bad_iteration or 0, f.code)

    return tuple(sorted(findings, key=key))

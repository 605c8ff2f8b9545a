"""From answers to a diagnosis: cause by onset, suppression by declared edges, verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer import measures as m
from analyzer.answers import Answers, Judged
from analyzer.condition import UNKNOWN, lacking
from analyzer.diagnosis import (
    LINKS,
    Diagnosis,
    Finding,
    Level,
    Link,
    LinkStatus,
    LogNext,
    RuleAnswer,
    Verdict,
)
from analyzer.guide import walk
from analyzer.loop import EXPLAINS, latency
from analyzer.rules import BY_CODE
from analyzer.snippets import ORDER, snippet
from analyzer.view import View

ONLY_PRINTED_WRONG = ("TRPO002", "TRPO007")
"""Rules that are the cause only when nothing else is dead."""
SOLVED = "TRPO601"
STANDS_STILL = "TRPO604"
COARSE = 0.85
"""Factor on the confidence of a finding that rests on printed digits."""
UPSTREAM_UNKNOWN = 0.97
"""Factor for each rule that could explain the finding and cannot be judged."""
_LEVELS: tuple[Level, ...] = ("info", "warning", "fault")
RECENT = 10
"""Rows in which the policy must have been seen to change for a run to be called healthy."""


@dataclass(frozen=True, slots=True)
class _Hit:
    """A rule that says yes at the row, before causes are told from symptoms."""

    judged: Judged
    grade: int
    onset: int

    @property
    def code(self) -> str:
        return self.judged.rule.code


def diagnose(answers: Answers, row: int) -> Diagnosis:
    """The analyzer's word as of one row (−1: the run has no rows yet)."""
    run = answers.run
    if row < 0:
        return _nothing_yet(answers)
    hits = [
        _Hit(judged, k, int(judged.outcomes[k].onset[row]))
        for judged in answers.judged
        if (k := judged.grade(row)) is not None
    ]
    explained = _explain(hits)
    findings = [_finding(answers, hit, explained, hits, row) for hit in hits]
    causes = _causes(findings)
    cause = causes[0] if causes else None
    ordered = _ordered(findings, causes)
    rule_answers = tuple(_rule_answer(judged, row) for judged in answers.judged)
    view = answers.judged[0].view if answers.judged else View(run)
    undecided = any(hit.judged.grade_of(hit.grade).undecided for hit in hits)
    verdict = _verdict(cause, findings, alive=_changes(view, row) and not undecided)
    candidates = _candidates(cause, findings, rule_answers, verdict)
    iterations = view.iterations.middle
    return Diagnosis(
        row=row,
        iteration=int(iterations[row]),
        iterations=row + 1,
        verdict=verdict,
        headline=_headline(verdict, cause, findings, view, row),
        cause=cause,
        guide=walk(run, row),
        findings=ordered,
        answers=rule_answers,
        links=_links(ordered, rule_answers),
        candidates=candidates,
        log_next=_log_next(candidates, rule_answers),
        ignored=tuple(sorted(answers.ignored.items())),
    )


def _nothing_yet(answers: Answers) -> Diagnosis:
    return Diagnosis(
        row=-1,
        iteration=None,
        iterations=0,
        verdict="unknown",
        headline="No iteration has been logged yet.",
        cause=None,
        guide=walk(answers.run, 0),
        findings=(),
        answers=(),
        links=tuple(LinkStatus(link=link, status="unknown", code=None) for link in LINKS),
        candidates=(),
        log_next=(),
        ignored=tuple(sorted(answers.ignored.items())),
    )


def _explain(hits: Sequence[_Hit]) -> dict[str, str]:
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


def _place(hit: _Hit) -> int:
    return LINKS.index(hit.judged.rule.link)


def _level(hit: _Hit, explained: dict[str, str], hits: Sequence[_Hit]) -> Level:
    """A finding's level is at most that of what explains it."""
    own = hit.judged.grade_of(hit.grade).level
    seen = {hit.code}
    while hit.code in explained and explained[hit.code] not in seen:
        hit = next(other for other in hits if other.code == explained[hit.code])
        seen.add(hit.code)
        own = min(own, hit.judged.grade_of(hit.grade).level, key=_LEVELS.index)
    return own


def _finding(
    answers: Answers, hit: _Hit, explained: dict[str, str], hits: Sequence[_Hit], row: int
) -> Finding:
    rule, view = hit.judged.rule, hit.judged.view
    grade = hit.judged.grade_of(hit.grade)
    with np.errstate(all="ignore"):
        evidence = grade.when.evidence(view, row)
    numbers = view.iterations.middle
    first, last = int(numbers[hit.onset]), int(numbers[row])
    link: Link = rule.where(view, row) if rule.where else rule.link
    return Finding(
        code=rule.code,
        name=rule.name,
        title=grade.title,
        link=link,
        level=_level(hit, explained, hits),
        answer="yes",
        confidence=_confidence(answers, hit, row),
        first_bad_iteration=first,
        last_bad_iteration=last,
        explained_by=explained.get(rule.code),
        evidence=tuple({e.measure: e for e in reversed(evidence)}.values())[::-1],
        fixes=rule.all_fixes,
        why=grade.why,
    )


def _confidence(answers: Answers, hit: _Hit, row: int) -> float:
    """The rule's prior, less for printed digits and for explanations that cannot be judged."""
    rule, view = hit.judged.rule, hit.judged.view
    confidence = rule.confidence
    if any(measure.of(view).coarse[: row + 1].any() for measure in rule.measures):
        confidence *= COARSE
    unjudged = sum(
        not judged.known(hit.onset)
        for judged in answers.judged
        if hit.code in EXPLAINS.get(judged.rule.code, ()) and not judged.not_applicable
    )
    return round(confidence * UPSTREAM_UNKNOWN**unjudged, 2)


def _causes(findings: Sequence[Finding]) -> list[Finding]:
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


def _ordered(findings: Sequence[Finding], causes: Sequence[Finding]) -> tuple[Finding, ...]:
    """Cause, other causes, solved, what is explained, warnings, notes."""

    def key(f: Finding) -> tuple[int, int, int, str]:
        if f in causes:
            return (0, causes.index(f), 0, f.code)
        if f.code == SOLVED:
            return (1, 0, 0, f.code)
        rank = {"fault": 2, "warning": 3, "info": 4}[f.level]
        return (rank, LINKS.index(f.link), f.first_bad_iteration or 0, f.code)

    return tuple(sorted(findings, key=key))


def _changes(view: View, row: int) -> bool:
    """Whether the policy was surely seen to change within the last rows."""
    start = max(0, row + 1 - RECENT)
    recent = slice(start, row + 1)
    kl, moved = view["kl"], m.POLICY_MOVED.of(view)
    by_kl = kl.known & (kl.low > 0.0)
    return bool(by_kl[recent].any() or (moved.known & (moved.low > 1.0))[recent].any())


def _verdict(cause: Finding | None, findings: Sequence[Finding], *, alive: bool) -> Verdict:
    if cause is not None:
        return "fault"
    if any(f.code == SOLVED for f in findings):
        return "solved"
    return "healthy" if alive else "unknown"


def _headline(
    verdict: Verdict, cause: Finding | None, findings: Sequence[Finding], view: View, row: int
) -> str:
    if cause is not None:
        if cause.code in ONLY_PRINTED_WRONG:
            wrong = "KL" if cause.code == "TRPO002" else "step values"
            return (
                f"The policy IS updating ({_moving(view, row)}); only the printed {wrong} is wrong."
            )
        return f"{cause.title}, since iteration {cause.first_bad_iteration}."
    if verdict == "solved":
        solved = next(f for f in findings if f.code == SOLVED)
        return f"The task is solved, since iteration {solved.first_bad_iteration}."
    warned = next((f for f in findings if f.level == "warning"), None)
    if verdict == "healthy":
        also = f" To watch: {warned.title}." if warned else ""
        return f"No link of the update is dead: the policy changes ({_moving(view, row)}).{also}"
    if warned:
        return f"No fault is certain yet. To watch: {warned.title}."
    if row + 1 < RECENT:
        seen = "1 iteration" if row == 0 else f"{row + 1} iterations"
        return f"Too early to say after {seen}; next decision at iteration {RECENT}."
    return "No fault found, but nothing in this log shows that the policy changes."


def _moving(view: View, row: int) -> str:
    """What shows that the policy changes, in words with a number."""
    moved = view["step_parameter_delta_norm"].or_else(view["parameter_delta_norm"])
    spread, step, kl = m.LOG_RATIO_STD.of(view), view["full_step_norm"], view["kl"]
    told = (
        (kl, "KL {:.2g}"),
        (moved, "the parameters moved by {:.2g}"),
        (spread, "the ratio spreads by {:.2g}"),
        (step, "the search accepts steps of length {:.2g}"),
    )
    for measure, words in told:
        if measure.known[row] and measure.low[row] > 0.0:
            return words.format(float(measure.middle[row]))
    return "seen in the rows before"


def _rule_answer(judged: Judged, row: int) -> RuleAnswer:
    rule, view = judged.rule, judged.view
    k = judged.grade(row)
    grade = judged.grade_of(k or 0)
    needs: tuple[str, ...] = ()
    answer = "yes" if k is not None else "no"
    reason = ""
    if judged.not_applicable:
        answer, reason = "not applicable", judged.not_applicable
    elif k is None and judged.outcomes[0].answer[row] == UNKNOWN:
        needs = lacking(rule.when, lambda name: view.holds(name, row))
        answer, reason = "unknown", _why_unknown(needs, rule.latency, row)
    with np.errstate(all="ignore"):
        evidence = grade.when.evidence(view, row) if judged.outcomes else ()
    return RuleAnswer(
        code=rule.code,
        name=rule.name,
        title=rule.title,
        link=rule.where(view, row) if rule.where and answer == "yes" else rule.link,
        level=grade.level,
        answer=answer,  # type: ignore[arg-type]  # one of the four literals above
        evidence=evidence,
        reason=reason,
        needs=needs,
    )


def _why_unknown(needs: tuple[str, ...], latency_rows: int, row: int) -> str:
    if needs:
        return f"not in this log: {', '.join(needs)}"
    if row + 1 < latency_rows:
        return f"too early: decided from iteration {latency_rows} on"
    return "not measured in this iteration, or inside the printed digits"


def _links(findings: Sequence[Finding], answers: Sequence[RuleAnswer]) -> tuple[LinkStatus, ...]:
    status: list[LinkStatus] = []
    for link in LINKS:
        here = [f for f in findings if f.link == link and f.level != "info"]
        faults = [f for f in here if f.level == "fault" and f.explained_by is None]
        explained = [f for f in here if f.explained_by is not None]
        if faults:
            status.append(LinkStatus(link=link, status="fault", code=faults[0].code))
        elif explained:
            status.append(LinkStatus(link=link, status="explained", code=explained[0].code))
        elif here:
            status.append(LinkStatus(link=link, status="warning", code=here[0].code))
        else:
            judged = any(a.link == link and a.answer == "no" and a.evidence for a in answers)
            status.append(LinkStatus(link=link, status="ok" if judged else "unknown", code=None))
    return tuple(status)


def _candidates(
    cause: Finding | None,
    findings: Sequence[Finding],
    answers: Sequence[RuleAnswer],
    verdict: Verdict,
) -> tuple[str, ...]:
    """What could still be behind the symptoms: the cause, and unjudged rules that explain it.
    Where nothing shows that the policy changes, that it may stand still is the symptom."""
    symptoms = [f.code for f in ([cause] if cause else findings) if f.level != "info"]
    if verdict == "unknown":
        symptoms.append(STANDS_STILL)
    unjudged = [
        a.code
        for a in answers
        if a.answer == "unknown"
        and BY_CODE[a.code].level == "fault"
        and any(symptom in EXPLAINS.get(a.code, ()) for symptom in symptoms)
    ]
    own = [cause.code] if cause else []
    return tuple(dict.fromkeys((*own, *unjudged)))


def _log_next(candidates: tuple[str, ...], answers: Sequence[RuleAnswer]) -> tuple[LogNext, ...]:
    """Missing columns, those that settle a question alone first, then in the order of the loop."""
    decides: dict[str, list[str]] = {}
    alone: set[str] = set()
    for answer in answers:
        if answer.answer == "unknown" and answer.code in candidates:
            lines = {snippet(name) for name in answer.needs}
            for name in answer.needs:
                decides.setdefault(name, []).append(answer.code)
                if len(lines) == 1:
                    alone.add(name)

    def worth(name: str) -> tuple[bool, int]:
        return (name not in alone, ORDER.get(name, len(ORDER)))

    return tuple(
        LogNext(column=name, decides=tuple(decides[name]), snippet=snippet(name))
        for name in sorted(decides, key=worth)
    )

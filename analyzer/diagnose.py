"""From answers to a diagnosis as of one row: verdict, headline, links, what every rule says."""

from collections.abc import Sequence

import numpy as np

from analyzer import measures as m
from analyzer.answers import Answers, Judged
from analyzer.candidates import candidates_of, log_next
from analyzer.combination import lacking
from analyzer.condition import UNKNOWN
from analyzer.diagnosis import (
    LINKS,
    Diagnosis,
    Finding,
    Link,
    LinkStatus,
    RuleAnswer,
    Verdict,
)
from analyzer.findings import (
    ONLY_PRINTED_WRONG,
    SOLVED,
    Hit,
    cause_code,
    causes_of,
    explain,
    finding,
    ordered,
)
from analyzer.guide import walk
from analyzer.view import View

RECENT = 10
"""Rows in which the policy must have been seen to change for a run to be called healthy."""


def diagnose(answers: Answers, row: int) -> Diagnosis:
    """The analyzer's word as of one row (−1: the run has no rows yet)."""
    run = answers.run
    if row < 0:
        return _nothing_yet(answers)
    hits = _hits(answers, row)
    explained = explain(hits)
    findings = [finding(answers, hit, explained, hits, row) for hit in hits]
    causes = causes_of(findings)
    cause = causes[0] if causes else None
    found = ordered(findings, causes)
    rule_answers = tuple(_rule_answer(judged, row) for judged in answers.judged)
    view = answers.judged[0].view if answers.judged else View(run)
    undecided = any(hit.judged.grade_of(hit.grade).undecided for hit in hits)
    verdict = _verdict(cause, findings, alive=_changes(view, row) and not undecided)
    candidates = candidates_of(cause, findings, rule_answers, verdict)
    iterations = view.iterations.middle
    return Diagnosis(
        row=row,
        iteration=int(iterations[row]),
        iterations=row + 1,
        verdict=verdict,
        headline=_headline(verdict, cause, findings, view, row),
        cause=cause,
        guide=walk(run, row),
        findings=found,
        answers=rule_answers,
        links=_links(found, rule_answers),
        candidates=candidates,
        log_next=log_next(candidates, rule_answers),
        ignored=tuple(sorted(answers.ignored.items())),
    )


def _hits(answers: Answers, row: int) -> list[Hit]:
    return [
        Hit(judged, k, int(judged.outcomes[k].onset[row]))
        for judged in answers.judged
        if (k := judged.grade(row)) is not None
    ]


def cause_at(answers: Answers, row: int) -> str | None:
    """The code of the cause `diagnose` would name, without what it would show."""
    hits = _hits(answers, row)
    if not hits:
        return None
    view = answers.judged[0].view

    def link_of(hit: Hit) -> Link:
        rule = hit.judged.rule
        return rule.where(hit.judged.view, row) if rule.where else rule.link

    return cause_code(hits, view.iterations.middle, link_of)


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


def _changes(view: View, row: int) -> bool:
    """Whether the policy was surely seen to change within the last rows."""
    start = max(0, row + 1 - RECENT)
    recent = slice(start, row + 1)
    kl, moved = view["kl"], m.POLICY_MOVED.of(view)
    by_kl = kl.known & (kl.low > m.SUM_OF_ZEROS)
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

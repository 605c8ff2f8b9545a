"""What could still be behind the symptoms, and which column would decide."""

from collections.abc import Sequence

from analyzer.diagnosis import Finding, LogNext, RuleAnswer, Verdict
from analyzer.loop import EXPLAINS
from analyzer.rules import BY_CODE
from analyzer.snippets import ORDER, snippet

STANDS_STILL = "TRPO604"


def candidates_of(
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


def log_next(candidates: tuple[str, ...], answers: Sequence[RuleAnswer]) -> tuple[LogNext, ...]:
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

"""Why one rule says what it says of a run: its parts, its numbers, what follows, what would refute it."""

from dataclasses import asdict, dataclass

import numpy as np

from analyzer.answers import Answers, Judged
from analyzer.diagnosis import Answer, Diagnosis, Finding, Level, Link, RuleAnswer
from analyzer.loop import EXPLAINS
from analyzer.reports.as_json import SCHEMA, tool
from analyzer.reports.json_shape import WhyOnly
from analyzer.reports.parts import Part, parts_of, refutations
from analyzer.reports.recompute import Recomputed, recomputed
from analyzer.rule import Grade, Rule
from analyzer.snippets import snippet
from runlog.schema import BY_NAME

AROUND = 3
"""Iterations shown before and after the first bad one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A measure of the rule: what it is, and the columns it is made of."""

    measure: str
    formula: str
    unit: str
    columns: tuple[str, ...]
    optional: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A measure or a column over the iterations shown; None where there is no number."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another rule, and why it is named."""

    code: str
    name: str
    first_bad_iteration: int | None
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One rule on one run, as of its last row."""

    code: str
    name: str
    title: str
    why: str
    link: Link
    level: Level
    answer: Answer
    reason: str
    """Why it is unknown, not applicable or not asked; empty otherwise."""
    confidence: float | None
    iteration: int | None
    first_bad_iteration: int | None
    says_yes_when: str
    parts: tuple[Part, ...]
    formulas: tuple[Formula, ...]
    sources: tuple[str, ...]
    shown: tuple[int, ...]
    """Iterations of `numbers`."""
    numbers: tuple[Numbers, ...]
    explains: tuple[Related, ...]
    """Findings of this run that follow from this one."""
    explained_by: Related | None
    could_explain: tuple[Related, ...]
    """Rules upstream that would explain a yes and cannot be judged on this log."""
    refuted_by: tuple[str, ...]
    needs: tuple[str, ...]
    log_next: tuple[str, ...]
    """How to log each of them."""
    not_believed: tuple[str, ...]
    """Columns of the rule that another finding says are wrong, with its code."""
    recompute: tuple[Recomputed, ...]


def why(rule: Rule, answers: Answers, *, table: str = "run.parquet") -> Why:
    """What one rule says of a run, found or not. `table`: where its run.parquet is, or will be."""
    diagnosis = answers.last()
    judged = next((j for j in answers.judged if j.rule.code == rule.code), None)
    finding = next((f for f in diagnosis.findings if f.code == rule.code), None)
    said = next((a for a in diagnosis.answers if a.code == rule.code), None)
    row = diagnosis.row
    first, grade = _first(judged, row)
    seen = judged is not None and bool(judged.outcomes) and row >= 0
    middle = row if first is None else first
    rows = (
        range(max(0, middle - AROUND), min(len(answers.run), middle + AROUND + 1)) if seen else ()
    )
    needs = () if said is None else said.needs
    return Why(
        code=rule.code,
        name=rule.name,
        title=(grade or rule).title,
        why=(grade or rule).why,
        link=rule.link if said is None else said.link,
        level=rule.level if finding is None else finding.level,
        answer="unknown" if said is None else said.answer,
        reason=_reason(rule, answers, said),
        confidence=None if finding is None else finding.confidence,
        iteration=diagnosis.iteration,
        first_bad_iteration=None if finding is None else finding.first_bad_iteration,
        says_yes_when=(grade or rule).when.text,
        parts=_with_numbers(judged, grade or rule, row) if judged is not None and seen else (),
        formulas=tuple(
            Formula(
                measure=m.name,
                formula=m.formula,
                unit=m.unit,
                columns=m.columns,
                optional=m.optional,
            )
            for m in rule.measures
        ),
        sources=rule.sources,
        shown=tuple(int(judged.view.iterations.middle[r]) for r in rows) if judged else (),
        numbers=_numbers(judged, grade or rule, rows) if judged is not None else (),
        explains=tuple(_related(f) for f in diagnosis.findings if f.explained_by == rule.code),
        explained_by=next(
            (
                _related(f)
                for f in diagnosis.findings
                if finding is not None and f.code == finding.explained_by
            ),
            None,
        ),
        could_explain=_could_explain(rule, diagnosis) if finding is not None else (),
        refuted_by=_refuted(judged, grade, row),
        needs=needs,
        log_next=tuple(dict.fromkeys(snippet(name) for name in needs)),
        not_believed=_not_believed(rule, diagnosis),
        recompute=(
            recomputed(
                tuple(dict.fromkeys((grade or rule).when.measures)),
                judged.view,
                row=middle,
                last=row,
                around=AROUND,
                table=table,
            )
            if judged is not None and seen
            else ()
        ),
    )


def why_json(found: Why, *, path: str) -> WhyOnly:
    """The object of one rule on one run; `dumps` makes it strict."""
    told = asdict(found)
    for part, as_dict in zip(found.parts, told["parts"], strict=True):
        as_dict["distance"] = part.distance
    return {"schema": SCHEMA, "tool": tool(), "path": path, "why": told}


def _first(judged: Judged | None, row: int) -> tuple[int | None, Grade | None]:
    """The first bad row, and the grade that says yes at `row`."""
    if judged is None or row < 0:
        return None, None
    k = judged.grade(row)
    if k is None:
        return None, None
    return int(judged.outcomes[k].onset[row]), judged.grade_of(k)


def _reason(rule: Rule, answers: Answers, said: RuleAnswer | None) -> str:
    if rule.code in answers.ignored:
        reason = answers.ignored[rule.code]
        return "ignored as asked" + (f": {reason}" if reason else "")
    if said is None:
        return "no iteration has been logged yet"
    return said.reason


def _with_numbers(judged: Judged, grade: Grade | Rule, row: int) -> tuple[Part, ...]:
    with np.errstate(all="ignore"):
        return parts_of(grade.when, judged.view, row)


def _refuted(judged: Judged | None, grade: Grade | None, row: int) -> tuple[str, ...]:
    if judged is None or grade is None:
        return ()
    return tuple(dict.fromkeys(refutations(grade.when, judged.view, row)))


def _numbers(judged: Judged, grade: Grade | Rule, rows: range | tuple[()]) -> tuple[Numbers, ...]:
    """The measures of the grade, then the columns they are made of."""
    view = judged.view
    found: dict[str, Numbers] = {}
    for measure in grade.when.measures:
        x = measure.of(view)
        values = tuple(x.at(r) if x.present[r] else None for r in rows)
        found.setdefault(measure.name, Numbers(name=measure.name, values=values))
    for name in (n for m in grade.when.measures for n in (*m.columns, *m.optional)):
        type_ = view.run.types.get(name, "string")
        if name not in found and type_ in ("int64", "float64", "bool"):
            column = view.run.column(name)
            values = tuple(float(column.values[r]) if column.present[r] else None for r in rows)
            found[name] = Numbers(name=name, values=values)
    return tuple(n for n in found.values() if any(v is not None for v in n.values))


def _related(finding: Finding) -> Related:
    return Related(
        code=finding.code,
        name=finding.name,
        first_bad_iteration=finding.first_bad_iteration,
        needs=(),
    )


def _could_explain(rule: Rule, diagnosis: Diagnosis) -> tuple[Related, ...]:
    return tuple(
        Related(code=a.code, name=a.name, first_bad_iteration=None, needs=a.needs)
        for a in diagnosis.answers
        if a.answer == "unknown" and rule.code in EXPLAINS.get(a.code, ())
    )


def _not_believed(rule: Rule, diagnosis: Diagnosis) -> tuple[str, ...]:
    from analyzer.rules import BY_CODE

    return tuple(
        f"{name} ({found.code})"
        for found in diagnosis.findings
        if found.level == "fault" and found.code != rule.code
        for name in BY_CODE[found.code].distrusts
        if name in rule.columns and name in BY_NAME
    )

"""A condition taken apart at one row: each comparison with its numbers, and what would refute it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.combination import All, Either, Enough, Gate, Lasting, Recent, Told
from analyzer.condition import NO, YES, AtRounding, Check, Condition, outcome
from analyzer.diagnosis import Answer
from analyzer.measure import latest
from analyzer.reports.wording import evidence_line
from analyzer.view import View

_OPPOSITE = {"<": "≥", "≤": ">", ">": "≤", "≥": "<"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One line of a condition: a comparison with its numbers, or what joins the lines below it."""

    depth: int
    text: str
    answer: Answer
    measure: str | None
    value: float | None
    comparison: str | None
    bound: float | None
    unit: str
    origin: str
    """Why the bound is where it is; empty where only the rule's sources tell."""

    @property
    def distance(self) -> float | None:
        """Value − bound, None where one of them is missing or not finite."""
        if self.value is None or self.bound is None:
            return None
        distance = self.value - self.bound
        return distance if math.isfinite(distance) else None


def parts_of(condition: Condition, view: View, row: int) -> tuple[Part, ...]:
    """The condition as it stands at this row, from the outside in."""
    return tuple(_parts(condition, view, row, 0, "", condition))


def _parts(
    condition: Condition, view: View, row: int, depth: int, before: str, asked: Condition
) -> Iterator[Part]:
    """`before`: words of the conditions around this one; `asked`: the outermost of them."""
    match condition:
        case Gate(condition=inner) | Enough(condition=inner) | Told(condition=inner):
            yield from _parts(inner, view, row, depth, before, asked)
        case Recent(condition=inner) | Lasting(condition=inner):
            yield from _parts(inner, view, row, depth, f"{before}{_span(condition)}: ", asked)
        case All(conditions=inner) | Either(conditions=inner):
            joins = "all of" if isinstance(condition, All) else "one of"
            yield _joint(f"{before}{joins}", _answer(asked, view, row), depth)
            for part in inner:
                yield from _parts(part, view, row, depth + 1, "", part)
        case Check() | AtRounding():
            yield _comparison(condition, view, row, depth, before, _answer(asked, view, row))
        case _:
            yield _joint(f"{before}{condition.text}", _answer(asked, view, row), depth)
            for evidence in condition.evidence(view, row):
                yield _joint(evidence_line(evidence), _answer(asked, view, row), depth + 1)


def _joint(text: str, answer: Answer, depth: int) -> Part:
    return Part(
        depth=depth,
        text=text,
        answer=answer,
        measure=None,
        value=None,
        comparison=None,
        bound=None,
        unit="",
        origin="",
    )


def _span(condition: Recent | Lasting) -> str:
    if isinstance(condition, Lasting):
        return f"for {condition.iterations} iterations without a break"
    need, of = condition.need, condition.of
    if of == 1:
        return "at the last iteration that tells"
    return f"in the last {of} iterations" if need == of else f"in {need} of the last {of}"


def _comparison(
    check: Check | AtRounding, view: View, row: int, depth: int, before: str, answer: Answer
) -> Part:
    x = check.measure.of(view)
    b = check.bound_of(view) if isinstance(check, Check) else check.bound.of(view).or_else(0.0)
    at = latest(x.present & b.present, row)
    return Part(
        depth=depth,
        text=f"{before}{check.text}",
        answer=answer,
        measure=check.measure.name,
        value=x.at(at) if at >= 0 else None,
        comparison=check.comparison if isinstance(check, Check) else "≤",
        bound=b.at(at) if at >= 0 else None,
        unit=check.measure.unit,
        origin=check.origin if isinstance(check, Check) else "",
    )


def _answer(condition: Condition, view: View, row: int) -> Answer:
    code = outcome(condition, view).answer[row]
    return "yes" if code == YES else "no" if code == NO else "unknown"


def refutations(condition: Condition, view: View, row: int) -> tuple[str, ...]:
    """What would each by itself take the yes back, in words."""
    match condition:
        case Gate(condition=inner) | Enough(condition=inner) | Told(condition=inner):
            return refutations(inner, view, row)
        case Lasting(condition=inner):
            return tuple(f"{said}, once" for said in refutations(inner, view, row))
        case Recent(condition=inner, need=need, of=of):
            often = (
                "at the last iteration that tells"
                if of == 1
                else f"in {of - need + 1} of the last {of} iterations"
            )
            return tuple(f"{said}, {often}" for said in refutations(inner, view, row))
        case All(conditions=inner):
            return tuple(said for part in inner for said in refutations(part, view, row))
        case Either(conditions=inner):
            firing = [part for part in inner if _answer(part, view, row) == "yes"]
            ways = [refutations(part, view, row) for part in firing]
            if len(ways) == 1:
                return ways[0]
            return (" and ".join(f"({' or '.join(way)})" for way in ways),) if ways else ()
        case Check(measure=measure, comparison=comparison):
            return (f"{measure.name} {_OPPOSITE[comparison]} {_bound_text(condition)}",)
        case AtRounding(measure=measure, bound=bound):
            return (f"{measure.name} > {bound.formula}",)
    return (f"not so: {condition.text}",)


def _bound_text(check: Check) -> str:
    return f"{check.bound:g}" if isinstance(check.bound, float) else check.bound.formula

"""The report on one rule for a terminal: 80 columns, but for the lines that are code."""

from collections.abc import Mapping

from analyzer.reports.explaining import heading, measures
from analyzer.reports.parts import Part
from analyzer.reports.why import Related, Why
from analyzer.reports.wording import (
    WIDTH,
    Paragraphs,
    item,
    number,
    printed,
    say,
    sentence,
    verbatim,
    visible,
    with_unit,
)

_FIRST_WIDTH = 12
_CELL_WIDTH = 12
_MARKS = {"yes": "●", "no": "○"}


def why_text(found: Why, *, path: str, convert: str = "", plain: bool = False) -> str:
    """What one rule says of this run. `convert`: the command that makes the table its lines read,
    where there is none yet."""
    lines = say(f"{found.code} {found.name}: {_said(found)}", "") + say(visible(path), "")
    lines += say(" ".join(map(sentence, (found.title, found.why))), "")
    if found.parts:
        lines += heading(f"Compared at iteration {found.iteration}")
        formulas = {f.measure: f.formula for f in found.formulas}
        lines += [p for part in found.parts for p in _part(part, formulas)]
    else:
        lines += heading("Says yes when") + say(found.says_yes_when)
    if found.needs:
        lines += heading("Not in this log; log it so")
        logged = (line for call in found.log_next for line in call.splitlines())
        lines += [p for line in logged for p in verbatim(line, "  ")]
    if found.not_believed:
        lines += heading("Not believed, because another finding says they are wrong")
        lines += say(", ".join(found.not_believed))
    lines += heading("Measures") + _measures(found)
    lines += heading("Where the bounds come from")
    origins = dict.fromkeys(part.origin for part in found.parts if part.origin)
    lines += [p for said in (*origins, *found.sources) for p in item(sentence(said))]
    if found.numbers:
        lines += say("", "") + _side_by_side(found)
    lines += _others(found)
    if found.refuted_by:
        lines += heading("Refuted by any one of")
        lines += [p for said in found.refuted_by for p in item(said)]
    if found.recompute:
        lines += _code(found, convert)
    return printed(lines, plain=plain)


def _said(found: Why) -> str:
    first = found.first_bad_iteration
    begun = "" if first is None else f" since iteration {first}"
    if found.answer == "yes":
        right = "" if found.confidence is None else f", confidence {found.confidence:.2g}"
        by = "" if found.explained_by is None else f", explained by {found.explained_by.code}"
        return f"yes{begun}, as {found.level}{by}{right}."
    return f"{found.answer}{f': {visible(found.reason)}' if found.reason else ''}."


def _part(part: Part, formulas: Mapping[str, str]) -> Paragraphs:
    indent = "  " * (part.depth + 1)
    lines = say(part.text, f"{indent}  ", f"{indent}{_MARKS.get(part.answer, '?')} ")
    if part.measure is None:
        return lines
    if part.value is None:
        return lines + say("no number in this log yet", f"{indent}    ")
    if part.unit == "flag":
        return lines + say(f"{number(part.value)} ({formulas[part.measure]})", f"{indent}    ")
    value = with_unit(part.value, part.unit)
    told = f"{value} against {number(part.bound)}{_distance(part)}"
    return lines + say(told, f"{indent}    ")


def _distance(part: Part) -> str:
    """How far from the bound: as a multiple of it where both are above 0."""
    distance, value, bound = part.distance, part.value, part.bound
    if distance is None or value is None or bound is None:
        return ""
    if distance == 0.0:
        return ": at the bound"
    side = "above" if distance > 0.0 else "below"
    share = f", {number(value / bound)} of the bound" if bound > 0.0 and value > 0.0 else ""
    return f": {number(abs(distance))} {side}{share}"


def _measures(found: Why) -> Paragraphs:
    from analyzer.rules import BY_CODE

    return measures(BY_CODE[found.code])


def _side_by_side(found: Why) -> Paragraphs:
    """A small table: one line an iteration; as many columns beside each other as fit."""
    starts = [
        f"{'>' if iteration == found.first_bad_iteration else ' '} {iteration:>{_FIRST_WIDTH - 2}}"
        for iteration in found.shown
    ]
    waiting = [
        (numbers.name, numbers.values, max(_CELL_WIDTH, len(numbers.name) + 2))
        for numbers in found.numbers
    ]
    lines: Paragraphs = []
    while waiting:
        shown = [waiting.pop(0)]
        while waiting and _FIRST_WIDTH + sum(w for *_, w in shown) + waiting[0][2] <= WIDTH:
            shown.append(waiting.pop(0))
        head = "".join(f"{name:>{width}}" for name, _, width in shown)
        lines += verbatim(f"{'iteration':>{_FIRST_WIDTH}}{head}")
        for i, start in enumerate(starts):
            cells = "".join(f"{number(values[i]):>{width}}" for _, values, width in shown)
            lines += verbatim(f"{start}{cells}")
    return lines


def _others(found: Why) -> Paragraphs:
    lines: Paragraphs = []
    if found.explained_by is not None:
        lines += heading("Explained here by") + _related(found.explained_by)
    if found.explains:
        lines += heading("Suppresses here, as what follows from it")
        lines += [p for related in found.explains for p in _related(related)]
    if found.could_explain:
        lines += heading("Would be no cause if one of these said yes; this log cannot tell")
        lines += [p for related in found.could_explain for p in _related(related)]
    return lines


def _related(related: Related) -> Paragraphs:
    first = related.first_bad_iteration
    begun = "" if first is None else f", since iteration {first}"
    needs = f": needs {', '.join(related.needs)}" if related.needs else ""
    return item(f"{related.code} {related.name}{begun}{needs}")


def _code(found: Why, convert: str) -> Paragraphs:
    lines: Paragraphs = []
    if convert:
        lines += heading("First make the table") + verbatim(convert, "  ")
    for entry in found.recompute:
        names = ", ".join(entry.measures)
        title = (
            f"Compute again, at iteration {entry.iteration}: {names}"
            if entry.computes
            else "No arithmetic of one row (lists, or rows before it too); the columns behind it"
        )
        lines += say("", "") + say(title, "")
        lines += verbatim(entry.pandas, "  ") + verbatim(entry.duckdb, "  ")
    return lines

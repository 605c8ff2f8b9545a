"""Why one rule says what it says of a run: its formula, and its numbers around the first bad row."""

import numpy as np

from analyzer.diagnosis import Diagnosis, Finding, RuleAnswer
from analyzer.reports.explaining import heading, measures, rule_called
from analyzer.reports.wording import (
    WIDTH,
    Paragraphs,
    evidence_line,
    item,
    number,
    printed,
    say,
    verbatim,
    visible,
)
from analyzer.rule import Rule
from runlog.run import Run

_AROUND = 3
"""Iterations shown before and after the first bad one."""
_FIRST_WIDTH = 12
_CELL_WIDTH = 12


def why(rule: Rule | str, run: Run, diagnosis: Diagnosis, *, path: str, plain: bool = False) -> str:
    """What one rule says of this run, found or not, with the numbers it compared."""
    if isinstance(rule, str):
        rule = rule_called(rule)
    finding = next((f for f in diagnosis.findings if f.code == rule.code), None)
    answer = next((a for a in diagnosis.answers if a.code == rule.code), None)
    lines = say(f"{rule.code} {rule.name}: {_said(finding, answer)}", "") + say(visible(path), "")
    judged = finding if finding is not None else answer
    lines += [p for e in (judged.evidence if judged else ()) for p in item(evidence_line(e))]
    lines += heading("Says yes when") + say(rule.when.text)
    lines += heading("Measures") + measures(rule)
    lines += say("", "") + _numbers(rule, run, diagnosis, finding)
    return printed(lines, plain=plain)


def _said(finding: Finding | None, answer: RuleAnswer | None) -> str:
    if finding is not None:
        first = finding.first_bad_iteration
        begun = "" if first is None else f" since iteration {first}"
        by = "" if finding.explained_by is None else f", explained by {finding.explained_by}"
        return f"{finding.answer}{begun}{by}, as {finding.level}."
    if answer is None:
        return "not asked."
    reason = f": {answer.reason}" if answer.reason else ""
    needs = f"; needs {', '.join(answer.needs)}" if answer.needs and not answer.reason else ""
    return f"{answer.answer}{visible(reason)}{needs}."


def _numbers(rule: Rule, run: Run, diagnosis: Diagnosis, finding: Finding | None) -> Paragraphs:
    """A small table: one line an iteration, one column a measure, then the logged columns."""
    from analyzer.view import View

    if not len(run):
        return say("No iteration to show.", "")
    iterations = run.column("iteration")
    first = None if finding is None else finding.first_bad_iteration
    middle = min(max(diagnosis.row, 0), len(run) - 1)
    if first is not None:
        at = np.flatnonzero(iterations.present & (iterations.values == first))
        middle = int(at[0]) if len(at) else middle
    rows = range(max(0, middle - _AROUND), min(len(run), middle + _AROUND + 1))
    view = View(run)
    table: list[tuple[str, list[str]]] = []
    for measure in rule.measures:
        interval = measure.of(view)
        table.append((measure.name, [_cell(interval.middle[r], interval.present[r]) for r in rows]))
    named = {name for name, _ in table}
    for name in rule.columns:
        if name in named or name not in run.types or run.types[name] in ("string", "list<float64>"):
            continue
        column = run.column(name)
        table.append((name, [_cell(column.values[r], column.present[r]) for r in rows]))
    starts = [
        f"{'>' if row == middle and first is not None else ' '} "
        f"{_cell(iterations.values[row], iterations.present[row]):>{_FIRST_WIDTH - 2}}"
        for row in rows
    ]
    return _side_by_side(starts, table)


def _side_by_side(starts: list[str], table: list[tuple[str, list[str]]]) -> Paragraphs:
    """As many columns beside each other as fit, then the next ones below."""
    lines: Paragraphs = []
    waiting = [(name, cells, max(_CELL_WIDTH, len(name) + 2)) for name, cells in table]
    while waiting:
        shown = [waiting.pop(0)]
        while waiting and _FIRST_WIDTH + sum(w for *_, w in shown) + waiting[0][2] <= WIDTH:
            shown.append(waiting.pop(0))
        head = "".join(f"{name:>{width}}" for name, _, width in shown)
        lines += verbatim(f"{'iteration':>{_FIRST_WIDTH}}{head}")
        for i, start in enumerate(starts):
            cells = "".join(f"{values[i]:>{width}}" for _, values, width in shown)
            lines += verbatim(f"{start}{cells}")
    return lines


def _cell(value: float, present: bool) -> str:
    return number(float(value)) if present else "null"

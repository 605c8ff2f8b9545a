"""One rule in full, and the numbers behind its answer."""

import difflib

import numpy as np

from analyzer.diagnosis import Diagnosis, Finding, Fix, RuleAnswer
from analyzer.reports.wording import ascii_only, evidence_line, number, sentence, visible, wrapped
from analyzer.rule import Rule
from runlog.errors import UserError
from runlog.run import Run

_AROUND = 3
"""Iterations shown before and after the first bad one."""


def rule_called(name: str) -> Rule:
    """The rule of a code (`TRPO101`, `101`) or a name (`constant-reward`)."""
    from analyzer.rules import BY_CODE

    wanted = name.strip().upper()
    code = f"TRPO{wanted}" if wanted.isdecimal() else wanted
    if code in BY_CODE:
        return BY_CODE[code]
    names = {rule.name.upper(): rule for rule in BY_CODE.values()}
    if wanted in names:
        return names[wanted]
    near = difflib.get_close_matches(code, [*BY_CODE, *names], n=1)
    rule = BY_CODE.get(near[0]) or names[near[0]] if near else None
    hint = f"did you mean {rule.code} {rule.name}? " if rule is not None else ""
    raise UserError(f"{visible(name)}: no such rule; {hint}`trpo-tui rules` lists them")


def _fix(fix: Fix) -> list[str]:
    lines = wrapped(sentence(fix.text), indent="    ", first="  - ")
    if fix.change:
        change = ", ".join(f"{key} = {number(value)}" for key, value in fix.change.items())
        lines += wrapped(f"Change: {change}", indent="    ")
    return lines + wrapped(f"Source: {sentence(fix.source)}", indent="    ")


def _measures(rule: Rule) -> list[str]:
    lines: list[str] = []
    for measure in rule.measures:
        unit = "" if measure.unit in ("", "1") else f" [{measure.unit}]"
        formula = "" if measure.formula == measure.name else f" = {measure.formula}"
        columns = ", ".join(measure.columns)
        reads = "" if columns == measure.name else f", from {columns}" if columns else ""
        optional = f" (and {', '.join(measure.optional)} where logged)" if measure.optional else ""
        lines += wrapped(
            f"{measure.name}{formula}{unit}{reads}{optional}", indent="    ", first="  "
        )
    return lines


def explain(rule: Rule | str, *, plain: bool = False) -> str:
    """One rule in full: when it says yes, why that matters, the guide's fix and the founded one."""
    if isinstance(rule, str):
        rule = rule_called(rule)
    section = "" if rule.guide_section is None else f" (the guide's section {rule.guide_section})"
    lines = wrapped(f"{rule.code} {rule.name}: {rule.title}", indent="  ", first="")
    lines += [f"Level {rule.level}, link {rule.link}{section}", ""]
    lines += wrapped(sentence(rule.why), indent="")
    lines += ["", "Says yes when", *wrapped(rule.when.text)]
    for grade in rule.lesser:
        lines += ["", f"Milder, as {grade.level}: {grade.title}, when", *wrapped(grade.when.text)]
        lines += wrapped(sentence(grade.why))
    lines += ["", "Measures", *_measures(rule)]
    if rule.guide_fix is not None:
        lines += ["", "The guide's fix", *_fix(rule.guide_fix)]
    if rule.fixes:
        lines += ["", "The founded fix", *(line for fix in rule.fixes for line in _fix(fix))]
    if rule.guide_fix is not None and rule.differs:
        lines += ["", "Where they differ", *wrapped(sentence(rule.differs))]
    if rule.explains:
        lines += ["", "Explains", *wrapped(", ".join(rule.explains))]
    if rule.distrusts:
        lines += ["", "Columns not to be believed then", *wrapped(", ".join(rule.distrusts))]
    lines += ["", "Sources", *(line for said in rule.sources for line in wrapped(sentence(said)))]
    body = "\n".join(lines) + "\n"
    return ascii_only(body) if plain else body


def why(rule: Rule | str, run: Run, diagnosis: Diagnosis, *, path: str, plain: bool = False) -> str:
    """What one rule says of this run, and its numbers around the first bad iteration."""
    if isinstance(rule, str):
        rule = rule_called(rule)
    finding = next((f for f in diagnosis.findings if f.code == rule.code), None)
    answer = next((a for a in diagnosis.answers if a.code == rule.code), None)
    lines = wrapped(
        f"{rule.code} {rule.name} in {visible(path)}: {_said(finding, answer)}", indent=""
    )
    for evidence in finding.evidence if finding else answer.evidence if answer else ():
        lines += wrapped(evidence_line(evidence), indent="    ", first="  ")
    lines += ["", "Says yes when", *wrapped(rule.when.text)]
    lines += ["", "Measures", *_measures(rule)]
    lines += ["", *_numbers(rule, run, diagnosis, finding)]
    body = "\n".join(lines) + "\n"
    return ascii_only(body) if plain else body


def _said(finding: Finding | None, answer: RuleAnswer | None) -> str:
    if finding is not None:
        first = finding.first_bad_iteration
        begun = "" if first is None else f" since iteration {first}"
        by = "" if finding.explained_by is None else f", explained by {finding.explained_by}"
        return f"{finding.answer}{begun}{by}, as {finding.level}."
    if answer is None:
        return "not asked."
    reason = f": {answer.reason}" if answer.reason else ""
    needs = f"; needs {', '.join(answer.needs)}" if answer.needs else ""
    return f"{answer.answer}{visible(reason)}{needs}."


def _numbers(rule: Rule, run: Run, diagnosis: Diagnosis, finding: Finding | None) -> list[str]:
    """A small table: one line an iteration, one column a measure."""
    from analyzer.view import View

    if not len(run):
        return ["No iteration to show."]
    iterations = run.column("iteration")
    first = None if finding is None else finding.first_bad_iteration
    middle = min(diagnosis.row, len(run) - 1)
    if first is not None:
        at = np.flatnonzero(iterations.present & (iterations.values == first))
        middle = int(at[0]) if len(at) else middle
    rows = range(max(0, middle - _AROUND), min(len(run), middle + _AROUND + 1))
    view = View(run)
    blocks: list[str] = []
    measured = [(measure.name, measure.of(view)) for measure in rule.measures]
    while measured:
        # as many measures side by side as fit 80 columns
        shown, width = [measured.pop(0)], 0
        width = 14 + max(12, len(shown[0][0]) + 2)
        while measured and width + max(12, len(measured[0][0]) + 2) <= 80:
            shown.append(measured.pop(0))
            width += max(12, len(shown[-1][0]) + 2)
        blocks.append(
            "  iteration " + "".join(f"{name:>{max(12, len(name) + 2)}}" for name, _ in shown)
        )
        for row in rows:
            mark = ">" if row == middle and first is not None else " "
            cells = "".join(
                f"{_cell(x.middle[row], bool(x.present[row])):>{max(12, len(name) + 2)}}"
                for name, x in shown
            )
            printed = iterations.values[row] if iterations.present[row] else None
            blocks.append(f"{mark} {number(printed):>9} {cells}")
    return blocks


def _cell(value: float, present: bool) -> str:
    return number(float(value)) if present else "null"

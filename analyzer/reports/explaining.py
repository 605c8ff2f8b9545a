"""One rule in full: when it says yes, why that matters, what to do, where it is from."""

from analyzer.diagnosis import Fix
from analyzer.reports.wording import Paragraphs, item, number, printed, say, sentence, visible
from analyzer.rule import Rule
from runlog.errors import UserError


def rule_called(name: str) -> Rule:
    """The rule of a code (`TRPO101`, `101`) or a name (`constant-reward`)."""
    from analyzer.rules import BY_CODE

    wanted = name.strip().upper()
    code = f"TRPO{wanted}" if wanted.isdecimal() else wanted
    names = {rule.name.upper(): rule for rule in BY_CODE.values()}
    called = BY_CODE.get(code) or names.get(wanted)
    if called is not None:
        return called
    import difflib

    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f"did you mean {names[near[0]].code} {names[near[0]].name}? " if near else ""
    raise UserError(f"{visible(name)}: no such rule; {hint}`trpo-tui rules` lists them")


def explain(rule: Rule | str, *, plain: bool = False) -> str:
    """One rule in full; a code or a name is looked up, and refused where there is none."""
    if isinstance(rule, str):
        rule = rule_called(rule)
    section = "" if rule.guide_section is None else f" (the guide's section {rule.guide_section})"
    lines = say(f"{rule.code} {rule.name}: {rule.title}", "  ", "")
    lines += say(f"Level {rule.level}, link {rule.link}{section}.", "")
    lines += say("", "") + say(sentence(rule.why), "")
    lines += heading("Says yes when") + say(rule.when.text)
    for grade in rule.lesser:
        lines += heading(f"Milder, as {grade.level}: {grade.title}, when") + say(grade.when.text)
        lines += say(sentence(grade.why))
    lines += heading("Measures") + measures(rule)
    if rule.guide_fix is not None:
        lines += heading("The guide's fix") + _fix(rule.guide_fix)
    if rule.fixes:
        lines += heading("The founded fix") + [p for fix in rule.fixes for p in _fix(fix)]
    if rule.guide_fix is not None and rule.differs:
        lines += heading("Where they differ") + say(sentence(rule.differs))
    if rule.explains:
        lines += heading("Explains") + say(", ".join(rule.explains))
    if rule.distrusts:
        lines += heading("Columns not to be believed then") + say(", ".join(rule.distrusts))
    lines += heading("Sources") + [p for said in rule.sources for p in item(sentence(said))]
    return printed(lines, plain=plain)


def heading(title: str) -> Paragraphs:
    """A blank line and a title."""
    return say("", "") + say(title, "")


def measures(rule: Rule) -> Paragraphs:
    """Every measure of a rule: its formula, its unit, the columns it is made of."""
    lines: Paragraphs = []
    for measure in rule.measures:
        unit = "" if measure.unit in ("", "1") else f" [{measure.unit}]"
        formula = "" if measure.formula == measure.name else f" = {measure.formula}"
        columns = ", ".join(measure.columns)
        reads = "" if columns == measure.name else f", from {columns}" if columns else ""
        optional = f" (and {', '.join(measure.optional)} where logged)" if measure.optional else ""
        lines += item(f"{measure.name}{formula}{unit}{reads}{optional}")
    return lines


def _fix(fix: Fix) -> Paragraphs:
    lines = item(sentence(fix.text))
    if fix.change:
        change = ", ".join(f"{key} = {number(value)}" for key, value in fix.change.items())
        lines += say(f"Change: {change}", "    ")
    return lines + say(f"Source: {sentence(fix.source)}", "    ")

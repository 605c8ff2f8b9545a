"""The report for a terminal: what is wrong, how it is known, what to do. 80 columns."""

from collections.abc import Sequence

from analyzer.diagnosis import Diagnosis, Finding, Guide, LinkStatus
from analyzer.reports.drawn_loop import drawn
from analyzer.reports.wording import (
    Paragraph,
    Paragraphs,
    differs,
    evidence_line,
    facts,
    first_line,
    formulas_of,
    item,
    loop,
    number,
    other_candidates,
    printed,
    say,
    sentence,
    shown_finding,
    since,
    split_findings,
    understood,
    verbatim,
    visible,
)
from runlog.run import Run

_COLOURS = {"fault": "31", "solved": "32", "healthy": "32", "unknown": "33"}
_SHOWN = 12
"""Codes and keys listed before the rest is only counted."""


def text(
    run: Run,
    diagnosis: Diagnosis,
    *,
    path: str,
    colour: bool = False,
    verbose: bool = False,
    plain: bool = False,
) -> str:
    """The whole report. `plain`: numbered sections in ASCII, for a reader that speaks."""
    explained, others = split_findings(diagnosis)
    sick = diagnosis.cause is not None
    sections = (
        ("Cause" if sick else "Verdict", _cause(diagnosis)),
        ("Evidence", _evidence(diagnosis)),
        ("Fix" if sick else "What to do", _fix(diagnosis)),
        ("The update, link by link", _loop(diagnosis.links, plain=plain)),
        ("The guide", _guide(diagnosis.guide)),
        ("Explained by the cause", [p for f in explained for p in _finding(f)]),
        ("Also found", [p for f in others for p in (*_finding(f), *_numbers(f))]),
        ("This log", _log(run)),
        ("Not decided", _not_decided(diagnosis)),
        ("Ignored", [p for code, reason in diagnosis.ignored for p in _ignored(code, reason)]),
        ("Every rule", _every_rule(diagnosis) if verbose else []),
    )
    coloured = colour and not plain
    head = Paragraph(first_line(run, diagnosis), "").lines(plain=plain)
    if coloured:
        head = [f"\x1b[1;{_COLOURS[diagnosis.verdict]}m{line}\x1b[0m" for line in head]
    told = f"{visible(path)}: {', '.join(facts(run, diagnosis))}."
    if run.state.reason:
        told += f" {sentence(run.state.reason)}"
    pieces = ["".join(f"{line}\n" for line in head), printed(say(told, ""), plain=plain)]
    held = [(title, body) for title, body in sections if body]
    for count, (title, body) in enumerate(held, start=1):
        heading = f"{count}. {title}" if plain else title
        pieces.append(f"\n\x1b[1m{heading}\x1b[0m\n" if coloured else f"\n{heading}\n")
        pieces.append(printed(body, plain=plain))
    return "".join(pieces)


def _cause(diagnosis: Diagnosis) -> Paragraphs:
    lines = say(sentence(diagnosis.headline)) if diagnosis.headline else []
    shown = shown_finding(diagnosis)
    if shown is None:
        return lines
    if shown.title.lower() not in diagnosis.headline.lower():
        lines += say(sentence(shown.title))
    lines += say(sentence(shown.why))
    return lines + say(f"Link: {shown.link}. {shown.sureness} More: trpo-tui explain {shown.code}")


def _evidence(diagnosis: Diagnosis) -> Paragraphs:
    shown = shown_finding(diagnosis)
    if shown is None:
        return []
    formulas = formulas_of(shown.code)
    lines: Paragraphs = []
    for evidence in shown.evidence:
        lines += item(evidence_line(evidence))
        if evidence.measure in formulas:
            lines += say(f"where {evidence.measure} = {formulas[evidence.measure]}", "    ")
    return lines


def _loop(links: Sequence[LinkStatus], *, plain: bool) -> Paragraphs:
    if not links:
        return []
    if plain:  # a voice reads a sentence, not a drawing
        return say(loop(links))
    return [p for line in drawn(links) for p in verbatim(line, "  ")]


def _fix(diagnosis: Diagnosis) -> Paragraphs:
    shown = shown_finding(diagnosis)
    if shown is None:
        return []
    lines: Paragraphs = []
    for fix in shown.fixes:
        guide, _, section = fix.origin.partition(" ")
        origin = f"The guide ({section})" if guide == "guide" else fix.origin.capitalize()
        lines += item(f"{origin}: {sentence(fix.text)}")
        if fix.change:
            change = ", ".join(f"{visible(k)} = {number(v)}" for k, v in fix.change.items())
            lines += say(f"Change: {change}", "    ")
        if fix.source and guide != "guide":
            lines += say(f"Source: {sentence(fix.source)}", "    ")
    why = differs(shown)
    return lines + (item(f"Where they differ: {sentence(why)}") if why else [])


def _guide(guide: Guide) -> Paragraphs:
    more = f" More: trpo-tui explain {guide.read_more}" if guide.read_more else ""
    check = next((c for c in guide.checks if c.section == guide.section), None)
    if check is not None:
        return say(
            f"§{check.section} {visible(check.title)}: {check.answer}, "
            f"{visible(check.measure)} = {number(check.value)}.{more}"
        )
    unknown = [f"§{c.section}" for c in guide.checks if c.answer == "unknown"]
    if unknown:
        return say(f"No check says yes; not decided, for want of columns: {', '.join(unknown)}.")
    return say("None of its six checks says yes.")


def _finding(finding: Finding) -> Paragraphs:
    when = f", {since(finding)}" if since(finding) else ""
    by = "" if finding.explained_by is None else f" (by {finding.explained_by})"
    return item(
        f"{finding.level} {finding.code} {finding.name}{when}{by}: {sentence(finding.title)}"
    )


def _numbers(finding: Finding) -> Paragraphs:
    return [p for e in finding.evidence[:3] for p in item(evidence_line(e), 2)]


def _log(run: Run) -> Paragraphs:
    lines: Paragraphs = []
    source = run.source
    if source is not None:
        lines += say(f"Read as: {understood(run)}.")
        if source.not_understood:
            from runlog.importers.suggestions import suggested_map

            keys = source.not_understood[:_SHOWN]
            lines += say(f"Not understood: {_listed(tuple(map(visible, source.not_understood)))}.")
            *options, last = suggested_map(map(visible, keys))
            lines += say("Name them:")
            lines += [p for option in options for p in verbatim(f"{option} \\", "    ")]
            lines += verbatim(last, "    ")
        lines += [p for said in source.assumptions for p in say(f"Assumed: {sentence(said)}")]
    return lines + [p for note in run.notes for p in say(f"Note: {sentence(note)}")]


def _not_decided(diagnosis: Diagnosis) -> Paragraphs:
    lines: Paragraphs = []
    candidates = other_candidates(diagnosis)
    if candidates:
        lines += say(f"Candidates left: {_listed(candidates)}.")
    for best in diagnosis.log_next[:1]:
        lines += say(
            f"The column that would decide first: {visible(best.column)} "
            f"(it tells of {_listed(best.decides)}). Log it:"
        )
        lines += [p for line in best.snippet.splitlines() for p in verbatim(visible(line), "    ")]
    return lines


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _ignored(code: str, reason: str) -> Paragraphs:
    return item(f"{code}: {sentence(reason)}" if reason else code)


def _every_rule(diagnosis: Diagnosis) -> Paragraphs:
    lines: Paragraphs = []
    for answer in diagnosis.answers:
        why = answer.reason or (f"needs {', '.join(answer.needs)}" if answer.needs else "")
        said = "; ".join(
            part for part in (visible(why), *map(evidence_line, answer.evidence)) if part
        )
        tail = f": {said}" if said else ""
        lines += item(f"{answer.code} {answer.name} {answer.answer}{tail}")
    return lines


def guide_only(diagnosis: Diagnosis, *, path: str, plain: bool = False) -> str:
    """The guide's own six checks on one row, in its order, and the first that says yes."""
    guide = diagnosis.guide
    verdict = "no section" if guide.section is None else f"section {guide.section}"
    at = "" if diagnosis.iteration is None else f" at iteration {diagnosis.iteration}"
    lines = say(f"The guide says {verdict}{at}: {visible(path)}", "")
    for check in guide.checks:
        mark = ">" if check.section == guide.section else " "
        said = f"{visible(check.measure)} = {number(check.value)}"
        lines += say(
            f"§{check.section} {visible(check.title)}: {check.answer} ({said})",
            "     ",
            f" {mark} ",
        )
    if guide.read_more:
        lines += say(f"More: trpo-tui explain {guide.read_more}", "")
    return printed(lines, plain=plain)

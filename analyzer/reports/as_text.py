"""The report for a terminal: what is wrong, how it is known, what to do. 80 columns."""

from collections.abc import Iterable

from analyzer.diagnosis import Diagnosis, Finding, Guide
from analyzer.reports.wording import (
    ascii_only,
    evidence_line,
    facts,
    first_line,
    loop,
    number,
    sentence,
    since,
    split_findings,
    understood,
    visible,
    wrapped,
)
from runlog.importers.suggestions import suggested_map
from runlog.run import Run

_COLOURS = {"fault": "31", "solved": "32", "healthy": "32", "unknown": "33"}
_SHOWN = 12
"""Codes and keys listed before the rest is only counted."""

Lines = list[str]


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
    sections = [
        ("Cause", _cause(diagnosis)),
        ("Evidence", _evidence(diagnosis)),
        ("Fix", _fix(diagnosis)),
        ("The update, link by link", wrapped(loop(diagnosis.links)) if diagnosis.links else []),
        ("The guide", _guide(diagnosis.guide)),
        ("Explained by the cause", _explained(diagnosis)),
        ("Also found", _others(diagnosis)),
        ("This log", _log(run)),
        ("Not decided", _not_decided(diagnosis)),
        ("Ignored", [line for i in diagnosis.ignored for line in wrapped(_ignored(*i))]),
        ("Every rule", _every_rule(diagnosis) if verbose else []),
    ]
    lines = wrapped(first_line(run, diagnosis), indent="")
    if colour and not plain:
        bold = f"\x1b[1;{_COLOURS[diagnosis.verdict]}m"
        lines = [f"{bold}{line}\x1b[0m" for line in lines]
    lines += wrapped(f"{visible(path)}: {', '.join(facts(run, diagnosis))}", indent="")
    count = 0
    for title, body in sections:
        if not body:
            continue
        count += 1
        heading = f"{count}. {title}" if plain else title
        lines += ["", f"\x1b[1m{heading}\x1b[0m" if colour and not plain else heading, *body]
    if not plain:
        return "\n".join(lines) + "\n"
    return "".join(f"{piece}\n" for line in lines for piece in _rewrapped(ascii_only(line)))


def _rewrapped(line: str) -> Lines:
    """A line that grew when its symbols were spelled."""
    indent = " " * (len(line) - len(line.lstrip()))
    return wrapped(line.strip(), indent=indent) if len(line) > 80 else [line]


def _cause(diagnosis: Diagnosis) -> Lines:
    lines = wrapped(sentence(diagnosis.headline)) if diagnosis.headline else []
    cause = _shown(diagnosis)
    if cause is None:
        return lines
    if cause.title.lower() not in diagnosis.headline.lower():
        lines += wrapped(sentence(cause.title))
    lines += wrapped(sentence(cause.why))
    return lines + wrapped(
        f"Link: {cause.link}. Confidence {cause.confidence:.2f}. "
        f"More: trpo-tui explain {cause.code}"
    )


def _shown(diagnosis: Diagnosis) -> Finding | None:
    """The finding the report is about: the cause, or what says the task is solved."""
    if diagnosis.cause is None and diagnosis.verdict == "solved" and diagnosis.findings:
        return diagnosis.findings[0]
    return diagnosis.cause


def _evidence(diagnosis: Diagnosis) -> Lines:
    shown = _shown(diagnosis)
    if shown is None:
        return []
    return [
        line
        for e in shown.evidence
        for line in wrapped(evidence_line(e), indent="    ", first="  ")
    ]


def _fix(diagnosis: Diagnosis) -> Lines:
    shown = _shown(diagnosis)
    if shown is None:
        return []
    lines: Lines = []
    for fix in shown.fixes:
        origin = f"The {fix.origin}" if fix.origin.startswith("guide") else fix.origin.capitalize()
        lines += wrapped(f"{origin}: {sentence(fix.text)}", indent="    ", first="  ")
        if fix.change:
            change = ", ".join(f"{visible(k)} = {number(v)}" for k, v in fix.change.items())
            lines += wrapped(f"Change: {change}", indent="    ")
        if fix.source and not fix.origin.startswith("guide"):
            lines += wrapped(f"Source: {sentence(fix.source)}", indent="    ")
    why = differs(shown.code)
    if why and {fix.origin == "founded" for fix in shown.fixes} == {True, False}:
        lines += wrapped(f"Where they differ: {sentence(why)}", indent="    ", first="  ")
    return lines


def differs(code: str) -> str:
    """Why the founded fix of a rule is not the guide's; empty where nothing is known."""
    from analyzer.rules import BY_CODE

    return BY_CODE[code].differs if code in BY_CODE else ""


def _guide(guide: Guide) -> Lines:
    if guide.section is None:
        said = {
            "no": "None of its six checks says yes",
            "unknown": "None of its checks says yes; some columns are missing",
        }.get(guide.answer, f"Its answer: {guide.answer}")
        unknown = [str(c.section) for c in guide.checks if c.answer == "unknown"]
        missing = f" (not decided: §{', §'.join(unknown)})" if unknown else ""
        return wrapped(f"{said}{missing}.")
    check = next((c for c in guide.checks if c.section == guide.section), None)
    if check is None:
        return wrapped(f"§{guide.section} says {guide.answer}.")
    more = f" More: trpo-tui explain {guide.read_more}" if guide.read_more else ""
    return wrapped(
        f"§{check.section} {visible(check.title)}: {check.answer}, "
        f"{visible(check.measure)} = {number(check.value)}.{more}"
    )


def _explained(diagnosis: Diagnosis) -> Lines:
    explained, _ = split_findings(diagnosis)
    return [line for f in explained for line in _finding(f, f" (by {f.explained_by})")]


def _others(diagnosis: Diagnosis) -> Lines:
    _, others = split_findings(diagnosis)
    shown = _shown(diagnosis)
    return [line for f in others if f is not shown for line in _finding(f, "", evidence=True)]


def _finding(finding: Finding, note: str, *, evidence: bool = False) -> Lines:
    when = f", {since(finding)}" if since(finding) else ""
    head = f"{finding.level} {finding.code} {finding.name}{when}{note}: {sentence(finding.title)}"
    lines = wrapped(head, indent="    ", first="  ")
    if evidence:
        for e in finding.evidence[:3]:
            lines += wrapped(evidence_line(e), indent="      ", first="    ")
    return lines


def _log(run: Run) -> Lines:
    lines: Lines = []
    source = run.source
    if source is not None:
        lines += wrapped(f"Read as: {understood(run)}.")
        if source.not_understood:
            keys = source.not_understood[:_SHOWN]
            rest = len(source.not_understood) - len(keys)
            more = f" and {rest} more" if rest else ""
            lines += wrapped(f"Not understood: {', '.join(map(visible, keys))}{more}.")
            *options, last = suggested_map(map(visible, keys))
            lines += ["  Name them:", *(f"    {option} \\" for option in options), f"    {last}"]
        lines += [
            line for said in source.assumptions for line in wrapped(f"Assumed: {sentence(said)}")
        ]
    return lines + [line for note in run.notes for line in wrapped(f"Note: {sentence(note)}")]


def _not_decided(diagnosis: Diagnosis) -> Lines:
    lines: Lines = []
    if diagnosis.candidates:
        lines += wrapped(f"Candidates left: {_listed(diagnosis.candidates)}.")
    if diagnosis.log_next:
        best = diagnosis.log_next[0]
        lines += wrapped(
            f"The column that would decide first: {visible(best.column)} "
            f"(between {_listed(best.decides)}). Log it:"
        )
        lines += [f"    {visible(line)}" for line in best.snippet.splitlines()]
    return lines


def _listed(codes: Iterable[str]) -> str:
    codes = list(codes)
    more = f" and {len(codes) - _SHOWN} more" if len(codes) > _SHOWN else ""
    return ", ".join(codes[:_SHOWN]) + more


def _ignored(code: str, reason: str) -> str:
    return f"{code}: {sentence(reason)}" if reason else code


def _every_rule(diagnosis: Diagnosis) -> Lines:
    lines: Lines = []
    for answer in diagnosis.answers:
        why = answer.reason or (f"needs {', '.join(answer.needs)}" if answer.needs else "")
        said = "; ".join(map(evidence_line, answer.evidence))
        tail = ": " + "; ".join(part for part in (why, said) if part) if why or said else ""
        lines += wrapped(
            f"{answer.code} {answer.name} {answer.answer}{visible(tail)}", indent="    ", first="  "
        )
    return lines


def guide_only(diagnosis: Diagnosis, *, path: str, plain: bool = False) -> str:
    """The guide's own six checks on one row, in its order, and the first that says yes."""
    guide = diagnosis.guide
    verdict = "no section" if guide.section is None else f"section {guide.section}"
    at = "" if diagnosis.iteration is None else f" at iteration {diagnosis.iteration}"
    lines = wrapped(f"The guide says {verdict}{at}: {visible(path)}", indent="")
    for check in guide.checks:
        mark = "→" if check.section == guide.section else " "
        said = f"{visible(check.measure)} = {number(check.value)}"
        lines += wrapped(
            f"§{check.section} {visible(check.title)}: {check.answer} ({said})",
            indent="     ",
            first=f" {mark} ",
        )
    if guide.read_more:
        lines += wrapped(f"More: trpo-tui explain {guide.read_more}", indent="")
    body = "\n".join(lines) + "\n"
    return ascii_only(body) if plain else body

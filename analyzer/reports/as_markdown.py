"""The report for an issue tracker: GitHub's Markdown, details folded."""

from collections.abc import Sequence

from analyzer.diagnosis import Diagnosis, Evidence, Finding
from analyzer.reports.as_json import tool
from analyzer.reports.wording import (
    comparison,
    differs,
    first_line,
    loop,
    number,
    other_candidates,
    sentence,
    shown_finding,
    since,
    split_findings,
    understood,
    visible,
    with_unit,
)
from runlog.run import Run

_ACTIVE = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#~$"})
_ACTIVE[ord("@")] = "@\u200b"  # a name in a log must not notify anybody


def escaped(text: object) -> str:
    """Any text as plain words inside Markdown, in a table too."""
    return visible(text).translate(_ACTIVE)


def code(text: object) -> str:
    """Any text as code inside Markdown, in a table too."""
    plain = visible(text).replace("|", "\\|")
    longest = max((len(run) for run in _backtick_runs(plain)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if plain[:1] in ("`", "") or plain[-1:] == "`" else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def _backtick_runs(text: str) -> list[str]:
    return [run for run in "".join(c if c == "`" else " " for c in text).split() if run]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines] + [""]


def markdown(run: Run, diagnosis: Diagnosis, *, path: str) -> str:
    """The whole report, ready to be pasted into an issue."""
    shown = shown_finding(diagnosis)
    lines = [f"**{escaped(first_line(run, diagnosis))}**", ""]
    if diagnosis.headline:
        lines += [escaped(sentence(diagnosis.headline)), ""]
    if shown is not None:
        lines += _cause(shown, diagnosis.headline)
    lines += _run_facts(run, diagnosis, path)
    lines += _rest(diagnosis)
    lines += _log(run, diagnosis)
    made_by = tool()
    lines += [f"<sub>trpo-tui {made_by['version']}, {made_by['rules']} rules</sub>"]
    return "\n".join(lines) + "\n"


def _cause(finding: Finding, headline: str) -> list[str]:
    told = finding.title.lower() in headline.lower()
    said = (finding.why,) if told else (finding.title, finding.why)
    lines = [" ".join(escaped(sentence(part)) for part in said), ""]
    if finding.evidence:
        rows = [_evidence(e) for e in finding.evidence]
        lines += ["### Evidence", "", *_table(("measure", "value", "compared with"), rows)]
    if finding.fixes:
        lines += ["### Fix", ""]
        for fix in finding.fixes:
            change = ", ".join(code(f"{k} = {number(v)}") for k, v in (fix.change or {}).items())
            source = "" if fix.origin.startswith("guide") else f" ({escaped(fix.source)})"
            lines.append(
                f"- **{escaped(fix.origin)}**: {escaped(sentence(fix.text))}{source}"
                + (f" Change: {change}." if change else "")
            )
        why = differs(finding)
        if why:
            lines.append(f"- **where they differ**: {escaped(sentence(why))}")
        lines.append("")
    return lines


def _evidence(evidence: Evidence) -> tuple[str, str, str]:
    return (
        code(evidence.measure),
        escaped(with_unit(evidence.value, evidence.unit)),
        escaped(comparison(evidence)),
    )


def _run_facts(run: Run, diagnosis: Diagnosis, path: str) -> list[str]:
    metadata = run.metadata
    rows = [("path", code(path))]
    told = ("env_id", "algorithm", "seed", "tool_version", "version", "git_commit")
    rows += [(key, code(metadata[key])) for key in told if metadata.get(key) is not None]
    packages = metadata.get("packages")
    if isinstance(packages, dict) and packages:
        versions = ", ".join(f"{name} {version}" for name, version in packages.items())
        rows.append(("packages", escaped(versions)))
    rows.append(("iterations", str(diagnosis.iterations)))
    if run.attempts > 1:
        rows.append(("attempt", f"{run.attempt} of {run.attempts}"))
    reason = f": {run.state.reason}" if run.state.reason else ""
    rows.append(("state", escaped(f"{run.state.name}{reason}")))
    return ["### Run", "", *_table(("", ""), rows)]


def _line(finding: Finding) -> str:
    by = "" if finding.explained_by is None else f", explained by {finding.explained_by}"
    when = f", {since(finding)}" if since(finding) else ""
    return (
        f"- {finding.level} **{finding.code}** {escaped(finding.name)}{when}{by}: "
        f"{escaped(sentence(finding.title))}"
    )


def _rest(diagnosis: Diagnosis) -> list[str]:
    explained, others = split_findings(diagnosis)
    lines: list[str] = []
    if others:
        lines += ["### Also found", "", *map(_line, others), ""]
    folded: list[str] = []
    if explained:
        folded += ["Explained by the cause:", "", *map(_line, explained), ""]
    if diagnosis.links:
        folded += [f"Links: {escaped(loop(diagnosis.links))}", ""]
    guide = diagnosis.guide
    if guide.checks:
        rows = [
            (
                f"§{check.section} {escaped(check.title)}",
                check.answer,
                f"{code(check.measure)} = {escaped(number(check.value))}",
            )
            for check in guide.checks
        ]
        folded += ["The guide's six checks:", "", *_table(("section", "answer", "value"), rows)]
    if folded:
        lines += ["<details><summary>Details</summary>", "", *folded, "</details>", ""]
    return lines


def _log(run: Run, diagnosis: Diagnosis) -> list[str]:
    lines: list[str] = []
    source = run.source
    if source is not None:
        lines.append(f"- Read as {escaped(understood(run))}.")
        if source.not_understood:
            from runlog.importers.suggestions import suggested_map

            options = " ".join(suggested_map(source.not_understood))
            lines.append(f"- Not understood; name them: {code(options)}")
        lines += [f"- Assumed: {escaped(sentence(said))}" for said in source.assumptions]
    lines += [f"- {escaped(sentence(note))}" for note in run.notes]
    lines += [f"- Ignored {escaped(c)}: {escaped(reason)}" for c, reason in diagnosis.ignored]
    candidates = other_candidates(diagnosis)
    if candidates:
        lines.append(f"- Candidates left: {', '.join(candidates)}.")
    for entry in diagnosis.log_next[:1]:
        between = ", ".join(entry.decides)
        lines.append(f"- The column that would decide first: {code(entry.column)} ({between}):")
        lines += ["", *(f"      {visible(line)}" for line in entry.snippet.splitlines())]
    return ["### Log", "", *lines, ""] if lines else []

"""The report for an issue tracker: GitHub's Markdown, details folded, never too long to be pasted.

Whatever a log holds is cut to a line and lists are cut to a few entries; where the whole would still
exceed LIMIT, the folded details are left out and the report says so.
"""

from collections.abc import Sequence

from analyzer.diagnosis import Diagnosis, Evidence, Finding
from analyzer.reports.as_json import tool
from analyzer.reports.drawn_loop import drawn
from analyzer.reports.series import Series, sparkline
from analyzer.reports.what_matters import curves_that_matter
from analyzer.reports.wording import (
    comparison,
    differs,
    first_line,
    formulas_of,
    number,
    other_candidates,
    sentence,
    shortened,
    shown_finding,
    since,
    split_findings,
    understood,
    visible,
    with_unit,
)
from analyzer.view import View
from runlog.run import Run

LIMIT = 60_000
"""Characters the report never exceeds; GitHub takes 65,536."""
_LEFT_OUT = "Details are left out: too long to be pasted. `trpo-tui analyze -v` shows them."
_ENTRIES = 10
"""Entries of a list that a log or a user can make as long as they like."""
_OURS = 2_000
"""Characters left of a rule's own words, which are shorter."""
_NAMED = 80
"""Characters of the longest key that is offered for `--map`."""
_ACTIVE = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#~$&"})
_ACTIVE[ord("@")] = "@\u200b"  # a name in a log must not notify anybody


def escaped(text: object, limit: int = 300) -> str:
    """Any text as plain words inside Markdown, in a table too."""
    return shortened(text, limit).translate(_ACTIVE)


def code(text: object) -> str:
    """Any text as code inside Markdown, in a table too."""
    plain = shortened(text, 300).replace("|", "\\|")
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
        lines += [escaped(sentence(diagnosis.headline), _OURS), ""]
    if shown is not None:
        lines += _cause(shown, diagnosis.headline)
    lines += _curves(run, diagnosis)
    lines += _run_facts(run, diagnosis, path)
    lines += _also(diagnosis)
    made_by = tool()
    end = [
        *_log(run, diagnosis),
        f"<sub>trpo-tui {made_by['version']}, {made_by['rules']} rules</sub>",
        "",
    ]
    whole = "\n".join((*lines, *_details(diagnosis), *end))
    return whole if len(whole) <= LIMIT else "\n".join((*lines, _LEFT_OUT, "", *end))


def _cause(finding: Finding, headline: str) -> list[str]:
    told = finding.title.lower() in headline.lower()
    said = (finding.why,) if told else (finding.title, finding.why)
    lines = [" ".join(escaped(sentence(part), _OURS) for part in said), ""]
    lines += [escaped(f"Link: {finding.link}. {finding.sureness}"), ""]
    if finding.evidence:
        formulas = formulas_of(finding.code)
        rows = [_evidence(e, formulas.get(e.measure, "")) for e in finding.evidence]
        lines += ["### Evidence", "", *_table(("measure", "value", "compared with"), rows)]
    if finding.fixes:
        lines += ["### Fix", ""]
        for fix in finding.fixes:
            change = ", ".join(code(f"{k} = {number(v)}") for k, v in (fix.change or {}).items())
            source = "" if fix.origin.startswith("guide") else f" ({escaped(fix.source, _OURS)})"
            lines.append(
                f"- **{escaped(fix.origin)}**: {escaped(sentence(fix.text), _OURS)}{source}"
                + (f" Change: {change}." if change else "")
            )
        why = differs(finding)
        if why:
            lines.append(f"- **where they differ**: {escaped(sentence(why), _OURS)}")
        lines.append("")
    return lines


def _evidence(evidence: Evidence, formula: str) -> tuple[str, str, str]:
    return (
        f"{code(evidence.measure)} = {escaped(formula, _OURS)}"
        if formula
        else code(evidence.measure),
        escaped(with_unit(evidence.value, evidence.unit)),
        escaped(comparison(evidence)),
    )


def _curves(run: Run, diagnosis: Diagnosis) -> list[str]:
    """Sparklines of what matters; the drawing of the loop stands above them."""
    lines = ["### The update", "", "```text", *drawn(diagnosis.links), "```", ""]
    if not diagnosis.links:
        lines = []
    view = View(run.head(diagnosis.row + 1))
    rows = [_curve(series) for series in curves_that_matter(view, diagnosis)]
    if rows:
        lines += [f"### Iterations {_span(view)}", ""]
        lines += _table(("column", "over the iterations", "least", "largest", "last"), rows)
    return lines


def _span(view: View) -> str:
    numbers = view.iterations.middle
    return f"{number(float(numbers[0]))} to {number(float(numbers[-1]))}"


def _curve(series: Series) -> tuple[str, ...]:
    extent = series.extent
    least, largest = ("NaN", "NaN") if extent is None else map(number, extent)
    last = series.last
    return (code(series.name), code(sparkline(series)), least, largest, number(last))


def _run_facts(run: Run, diagnosis: Diagnosis, path: str) -> list[str]:
    metadata = run.metadata
    rows = [("path", code(path))]
    told = ("env_id", "algorithm", "seed", "tool_version", "version", "git_commit")
    rows += [(key, code(metadata[key])) for key in told if metadata.get(key) is not None]
    packages = metadata.get("packages")
    if isinstance(packages, dict) and packages:
        few = list(packages.items())[:_ENTRIES]
        versions = ", ".join(f"{shortened(name, 40)} {shortened(v, 40)}" for name, v in few)
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
        f"{escaped(sentence(finding.title), _OURS)}"
    )


def _also(diagnosis: Diagnosis) -> list[str]:
    _, others = split_findings(diagnosis)
    return ["### Also found", "", *map(_line, others), ""] if others else []


def _details(diagnosis: Diagnosis) -> list[str]:
    explained, _ = split_findings(diagnosis)
    folded: list[str] = []
    if explained:
        folded += ["Explained by the cause:", "", *map(_line, explained), ""]
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
    unjudged = [a for a in diagnosis.answers if a.answer == "unknown"]
    if unjudged:
        folded += [
            "Not judged:",
            "",
            *(f"- {a.code} {escaped(a.name)}: {escaped(a.reason, 100)}" for a in unjudged),
            "",
        ]
    return ["<details><summary>Details</summary>", "", *folded, "</details>", ""] if folded else []


def _log(run: Run, diagnosis: Diagnosis) -> list[str]:
    lines: list[str] = []
    source = run.source
    if source is not None:
        lines.append(f"- Read as {escaped(understood(run))}.")
        if source.not_understood:
            from runlog.importers.suggestions import suggested_map

            keys = [key for key in source.not_understood if len(key) <= _NAMED][:_ENTRIES]
            lines += ["- Not understood; name what you know:", *_code_block(suggested_map(keys))]
        lines += [f"- Assumed: {escaped(sentence(said))}" for said in source.assumptions[:_ENTRIES]]
    lines += [f"- {escaped(sentence(note))}" for note in run.notes[:_ENTRIES]]
    if len(run.notes) > _ENTRIES:
        lines.append(f"- And {len(run.notes) - _ENTRIES} more notes like these.")
    lines += [f"- Ignored {c}: {escaped(reason, 100)}" for c, reason in diagnosis.ignored]
    candidates = other_candidates(diagnosis)
    if candidates:
        lines.append(f"- Candidates left: {', '.join(candidates)}.")
    for entry in diagnosis.log_next[:1]:
        between = ", ".join(entry.decides)
        lines.append(f"- The column that would decide first: {code(entry.column)} ({between}):")
        lines += _code_block(entry.snippet.splitlines())
    return ["### Log", "", *lines, ""] if lines else []


def _code_block(lines: Sequence[str]) -> list[str]:
    """Code inside a list's entry: indented, so that no fence in it can end it."""
    return ["", *(f"      {visible(line)}" for line in lines), ""]

"""The sections of the HTML report, each a heading and what stands below it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.diagnosis import Diagnosis, Finding
from analyzer.reports.page.loop import drawn
from analyzer.reports.page.markup import Child, Markup, joined, table, tag
from analyzer.reports.wording import (
    comparison,
    differs,
    evidence_line,
    facts,
    first_line,
    formulas_of,
    number,
    other_candidates,
    sentence,
    shown_finding,
    since,
    split_findings,
    understood,
    with_unit,
)
from runlog.run import Run

_EVENTS = 200
"""Events shown, the latest."""
Rows = list[tuple[Child, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Charts drawn: those that matter, every column by group with its count, names left out."""

    matter: Markup
    every: tuple[tuple[str, int, Markup], ...]
    left_out: tuple[str, ...]


def top(run: Run, diagnosis: Diagnosis, *, path: str) -> Markup:
    """Verdict, state, what was found, which run."""
    told = f"{path}: {', '.join(facts(run, diagnosis))}."
    return tag(
        "header",
        tag("h1", first_line(run, diagnosis)),
        tag("p", sentence(diagnosis.headline), class_="headline") if diagnosis.headline else None,
        tag("p", told, class_="soft"),
        tag("p", sentence(run.state.reason), class_="soft") if run.state.reason else None,
        class_=diagnosis.verdict,
    )


def sections(run: Run, diagnosis: Diagnosis, figures: Figures, *, path: str) -> Iterator[Markup]:
    """Everything below the verdict; what is empty is left out."""
    sick = diagnosis.cause is not None
    explained, others = split_findings(diagnosis)
    yield from _section("Cause" if sick else "Verdict", _cause(diagnosis))
    yield from _section("The update, link by link", _loop(diagnosis))
    yield from _section("Evidence", _evidence(shown_finding(diagnosis)))
    yield from _section("Fix" if sick else "What to do", _fixes(shown_finding(diagnosis)))
    yield from _section("Iterations", _legend(diagnosis), figures.matter)
    yield from _section("Explained by the cause", _findings(explained))
    yield from _section("Also found", _findings(others))
    yield from _section("Not decided", _not_decided(diagnosis))
    yield from _section("The guide", _guide(diagnosis))
    yield from _section("Ignored", _ignored(diagnosis))
    yield from _section("Every rule", _folded("What each of them answers", _rules(diagnosis)))
    yield from _section("Every column", _every(figures))
    yield from _section("This log", _log(run))
    yield from _section("Run", _facts(run, path))


def _section(title: str, *body: Markup | None) -> Iterator[Markup]:
    if any(body):
        yield tag("section", tag("h2", title), *body)


def _cause(diagnosis: Diagnosis) -> Markup | None:
    shown = shown_finding(diagnosis)
    if shown is None:
        return None
    told = shown.title.lower() in diagnosis.headline.lower()
    told_by = f"Link: {shown.link}. {shown.sureness} Code: {shown.code}."
    return joined(
        None if told else tag("p", sentence(shown.title)),
        tag("p", sentence(shown.why)),
        tag("p", told_by, class_="soft"),
    )


def _loop(diagnosis: Diagnosis) -> Markup | None:
    return tag("div", drawn(diagnosis.links), class_="wide") if diagnosis.links else None


def _evidence(shown: Finding | None) -> Markup | None:
    if shown is None or not shown.evidence:
        return None
    formulas = formulas_of(shown.code)
    rows: Rows = []
    for e in shown.evidence:
        made = tag("small", f"= {formulas[e.measure]}") if e.measure in formulas else None
        named = joined(tag("code", e.measure), made)
        rows.append((named, with_unit(e.value, e.unit), comparison(e)))
    return table(("measure", "value", "compared with"), rows)


def _fixes(shown: Finding | None) -> Markup | None:
    if shown is None or not shown.fixes:
        return None
    items = []
    for fix in shown.fixes:
        guide = fix.origin.startswith("guide")
        origin = f"The guide ({fix.origin.removeprefix('guide ')}): " if guide else "Founded: "
        change = ", ".join(f"{key} = {number(value)}" for key, value in (fix.change or {}).items())
        items.append(
            tag(
                "li",
                tag("strong", origin),
                sentence(fix.text),
                joined(" Change: ", tag("code", change), ".") if change else None,
                None if guide else tag("small", f"Source: {sentence(fix.source)}"),
            )
        )
    why = differs(shown)
    if why:
        items.append(tag("li", tag("strong", "Where they differ: "), sentence(why)))
    return tag("ul", *items, class_="fixes")


def _legend(diagnosis: Diagnosis) -> Markup:
    cause = diagnosis.cause
    first = None if cause is None else cause.first_bad_iteration
    begun = "" if first is None else f"Dotted: iteration {first}, the first bad one. "
    said = f"{begun}Dashed: what a number is compared with. ×: not finite."
    return tag("p", said, class_="soft")


def _findings(findings: Sequence[Finding]) -> Markup | None:
    rows: Rows = [
        (
            tag("span", f.level, class_=f"level-{f.level}"),
            tag("code", f.code),
            joined(
                f"{f.name}: {sentence(f.title)}",
                *(tag("small", evidence_line(e)) for e in f.evidence),
            ),
            since(f),
            f.explained_by,
        )
        for f in findings
    ]
    return table(("level", "code", "what", "when", "explained by"), rows) if rows else None


def _not_decided(diagnosis: Diagnosis) -> Markup | None:
    parts: list[Markup] = []
    candidates = other_candidates(diagnosis)
    if candidates:
        parts.append(tag("p", f"Candidates left: {', '.join(candidates)}."))
    for best in diagnosis.log_next[:1]:
        tells = ", ".join(best.decides)
        parts.append(
            tag(
                "p",
                "The column that would decide first: ",
                tag("code", best.column),
                f" (it tells of {tells}). Log it:",
            )
        )
        lines = "\n".join(joined(line) for line in best.snippet.splitlines())
        parts.append(tag("pre", Markup(lines)))
    return joined(*parts) if parts else None


def _guide(diagnosis: Diagnosis) -> Markup | None:
    rows: Rows = [
        (
            f"§{check.section} {check.title}",
            tag("span", check.answer, class_="yes" if check.answer == "yes" else None),
            joined(tag("code", check.measure), f" = {number(check.value)}"),
        )
        for check in diagnosis.guide.checks
    ]
    if not rows:
        return None
    section = diagnosis.guide.section
    said = f"Section {section} says yes first." if section else "None of its checks says yes."
    return joined(tag("p", said), table(("check", "answer", "value"), rows))


def _ignored(diagnosis: Diagnosis) -> Markup | None:
    rows: Rows = [(tag("code", code), reason) for code, reason in diagnosis.ignored]
    return table(("code", "reason"), rows) if rows else None


def _rules(diagnosis: Diagnosis) -> Markup | None:
    rows: Rows = [
        (
            tag("code", a.code),
            a.name,
            a.link,
            tag("span", a.answer, class_="yes" if a.answer == "yes" else None),
            joined(a.reason, *(tag("small", evidence_line(e)) for e in a.evidence)),
        )
        for a in diagnosis.answers
    ]
    return table(("code", "name", "link", "answer", "numbers"), rows) if rows else None


def _every(figures: Figures) -> Markup | None:
    parts = [_folded(f"{name.capitalize()} ({n})", charts) for name, n, charts in figures.every]
    if figures.left_out:
        parts.append(tag("p", f"Not drawn: {', '.join(figures.left_out)}.", class_="soft"))
    return joined(*parts) if parts else None


def _log(run: Run) -> Markup | None:
    parts: list[Markup] = []
    source = run.source
    if source is not None:
        parts.append(tag("p", f"Read as: {understood(run)}."))
        if source.not_understood:
            parts.append(tag("p", f"Not understood: {', '.join(source.not_understood)}."))
        parts += [tag("p", f"Assumed: {sentence(said)}") for said in source.assumptions]
    parts += [tag("p", f"Note: {sentence(note)}") for note in run.notes]
    return joined(*parts) if parts else None


def _facts(run: Run, path: str) -> Markup:
    rows: Rows = [("path", tag("code", path)), ("iterations", str(len(run)))]
    if run.attempts > 1:
        rows.append(("attempt", f"{run.attempt} of {run.attempts}"))
    rows.append(("state", run.state.name))
    for key, value in run.metadata.items():
        if value is not None and key != "config":
            rows.append((key, tag("code", _plain(value))))
    config = run.metadata.get("config")
    settings: Rows = []
    if isinstance(config, dict):
        settings = [(key, tag("code", _plain(value))) for key, value in config.items()]
    events: Rows = [(str(e.row), e.kind, e.text) for e in run.events[-_EVENTS:]]
    return joined(
        table(("", ""), rows),
        _folded(f"Settings ({len(settings)})", table(("setting", "value"), settings)),
        _folded(f"Events ({len(run.events)})", table(("after row", "kind", "what"), events)),
    )


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _folded(title: str, body: Markup | None) -> Markup:
    return tag("details", tag("summary", title), body) if body else Markup("")

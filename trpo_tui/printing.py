"""What `analyze` prints: the report on one run, or the table of several, in the format asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.reports.tables import Judged
from runlog.errors import UserError
from trpo_tui.analysis import analyze_run

if TYPE_CHECKING:
    from analyzer.diagnosis import Diagnosis
    from analyzer.reports.why import Why
    from runlog.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What to print. `why`: one code whose numbers are wanted, None for the whole report."""

    form: str = "text"
    why: str | None = None
    guide_only: bool = False
    verbose: bool = False
    colour: bool = False
    plain: bool = False
    notes: tuple[str, ...] = ()
    """Said of all runs at once, where a report does not say them itself."""


def report(path: str) -> str:
    """The text report of the run at `path`, as this terminal shows it."""
    from trpo_tui.options import speaks_plainly, wants_color

    style = Style(colour=wants_color("auto"), plain=speaks_plainly())
    return printed([analyze_run(path)], style, several=False)


def printed(found: Sequence[Judged], style: Style, *, several: bool) -> str:
    """The report on one path; for `several` a table as text, else one report after the other."""
    if several and style.form == "text" and not style.guide_only and style.why is None:
        from analyzer.reports.tables import table

        return table(found, plain=style.plain, notes=style.notes)
    if style.form == "html" and len(found) > 1:
        raise UserError("--format html is a page of one run: give one PATH, or --format markdown")
    one: Mapping[str, Callable[[Judged, Style], str]]
    one = {"text": _text, "markdown": _markdown, "json": _json, "html": _html}
    between = "" if style.form == "json" else "\n"
    return between.join(one[style.form](judged, style) for judged in found)


def _text(judged: Judged, style: Style) -> str:
    from analyzer.reports.as_text import guide_only, text

    if judged.run is None or judged.diagnosis is None:
        return f"{judged.error}\n"
    run, diagnosis, path = judged.run, judged.diagnosis, judged.path
    if style.why is not None:
        found, convert = _why(style.why, run, diagnosis, path)
        from analyzer.reports.why_text import why_text

        return why_text(found, path=path, convert=convert, plain=style.plain)
    if style.guide_only:
        return guide_only(diagnosis, path=path, plain=style.plain)
    return text(
        run,
        diagnosis,
        path=path,
        colour=style.colour,
        verbose=style.verbose,
        plain=style.plain,
    )


def _markdown(judged: Judged, style: Style) -> str:
    if judged.run is None or judged.diagnosis is None:
        return f"{judged.error}\n"
    if style.why is not None or style.guide_only:
        return f"```\n{_text(judged, style)}```\n"
    from analyzer.reports.as_markdown import markdown

    return markdown(judged.run, judged.diagnosis, path=judged.path)


def _html(judged: Judged, style: Style) -> str:
    from analyzer.reports.page import page, preformatted

    if judged.run is None or judged.diagnosis is None or style.why or style.guide_only:
        return preformatted(judged.path, _text(judged, style))
    return page(judged.run, judged.diagnosis, path=judged.path)


def _json(judged: Judged, style: Style) -> str:
    from analyzer.reports.as_json import as_json, dumps, guide_json

    if judged.run is None or judged.diagnosis is None:
        return dumps({"path": judged.path, "error": judged.error}) + "\n"
    found: Mapping[str, object]
    if style.why is not None:
        from analyzer.reports.why import why_json

        found = why_json(
            _why(style.why, judged.run, judged.diagnosis, judged.path)[0], path=judged.path
        )
    elif style.guide_only:
        found = guide_json(judged.diagnosis, path=judged.path)
    else:
        found = as_json(judged.run, judged.diagnosis, path=judged.path)
    return dumps(found) + "\n"


def _why(code: str, run: "Run", diagnosis: "Diagnosis", path: str) -> tuple["Why", str]:
    """What one rule says, and the command that makes the table its lines read (empty: it is there)."""
    from shlex import quote

    from analyzer.answers import answers
    from analyzer.reports.explaining import rule_called
    from analyzer.reports.why import why

    judged = answers(run, ignore=dict(diagnosis.ignored))
    table = _table_of(path)
    made = table or "run.parquet"
    found = why(rule_called(code), judged, table=made)
    return found, "" if table else f"trpo-tui convert {quote(path)} -o {made}"


def _table_of(path: str) -> str | None:
    """The Parquet file that pandas and DuckDB can open without us."""
    for file in (Path(path), Path(path) / "run.parquet"):
        if file.suffix == ".parquet" and file.is_file():
            return str(file)
    return None

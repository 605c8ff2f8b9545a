"""The HTML file around the sections: style, scripts and data inside it, everything else forbidden."""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

from analyzer.diagnosis import Diagnosis
from analyzer.reports.as_json import tool
from analyzer.reports.page.chart import figure, hovered
from analyzer.reports.page.markup import Markup, joined, tag
from analyzer.reports.page.sections import Figures, sections, top
from analyzer.reports.series import Series, axis, logged
from analyzer.reports.what_matters import curves_that_matter
from analyzer.reports.wording import first_line
from analyzer.view import View
from runlog.run import Run
from runlog.schema import BY_NAME

_MOST_CURVES = 160
"""Columns of a log beyond these are named, not drawn."""
_POINTS, _SMOOTH = 60_000, 800
"""Points of all charts together, and of one of them, at most; they decide how large the file is."""


def page(run: Run, diagnosis: Diagnosis, *, path: str) -> str:
    """The whole report as one HTML file."""
    shown = run.head(diagnosis.row + 1)
    view = View(shown)
    iterations = axis(view)
    cause = diagnosis.cause
    first = None
    if cause is not None and cause.first_bad_iteration is not None:
        at = (view.iterations.middle == cause.first_bad_iteration).nonzero()[0]
        first = float(iterations[at[0]]) if len(at) else None
    matter, (groups, left_out) = curves_that_matter(view, diagnosis), _every_column(view)
    count = len(matter) + sum(len(curves) for _, curves in groups)
    points = min(_SMOOTH, _POINTS // max(1, count))
    charts: list[dict[str, Any]] = []

    def draw(curves: Sequence[Series]) -> Markup:
        figures = []
        for series in curves:
            figures.append(figure(series, iterations, first, len(charts)))
            charts.append(hovered(series, iterations, points))
        return tag("div", *figures, class_="charts")

    figures = Figures(
        matter=draw(matter),
        every=tuple((name, len(curves), draw(curves)) for name, curves in groups),
        left_out=left_out,
    )
    body = joined(top(run, diagnosis, path=path), *sections(run, diagnosis, figures, path=path))
    return _document(
        f"{first_line(run, diagnosis)} · {path}", body, {"first": first, "charts": charts}
    )


def preformatted(title: str, report: str) -> str:
    """A report that is text already, as a page without scripts."""
    return _document(title, tag("pre", Markup(_lines(report))), None)


def _lines(report: str) -> str:
    return "\n".join(joined(line) for line in report.splitlines())


def _every_column(view: View) -> tuple[list[tuple[str, list[Series]]], tuple[str, ...]]:
    """Every column of numbers by its group, and the names for which there is no room."""
    names = [n for n, type_ in view.run.types.items() if type_ in ("int64", "float64", "bool")]
    names = [name for name in names if name not in ("seed", "iteration", "attempt")]
    groups: dict[str, list[Series]] = {}
    for name in names[:_MOST_CURVES]:
        series = logged(view, name)
        if not series.empty:
            group = BY_NAME[name].group if name in BY_NAME else "not declared"
            groups.setdefault(group, []).append(series)
    return list(groups.items()), tuple(names[_MOST_CURVES:])


def _document(title: str, body: Markup, data: dict[str, Any] | None) -> str:
    style = _asset("uPlot.min.css") + _asset("report.css") if data else _asset("report.css")
    scripts = [_asset("uPlot.iife.min.js"), _asset("report.js")] if data else []
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    made_by = tool()
    licence = " Charts: uPlot, MIT licence, © Leon Sorokin." if data else ""
    end = f"trpo-tui {made_by['version']}, {made_by['rules']} rules.{licence}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    parts = [tag("main", body), tag("footer", end)]
    if data is not None:
        numbers = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
        parts.append(tag("script", Markup(numbers), type="application/json", id="series"))
    parts += [tag("script", Markup(script)) for script in scripts]
    return f"<!doctype html>\n{tag('html', head, tag('body', *parts), lang='en')}\n"


def _asset(name: str) -> str:
    return resources.files("analyzer.reports.page").joinpath(name).read_text("utf-8")


def _hash(source: str) -> str:
    """What a content security policy calls an inline script or style by."""
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"

"""The report for programs: one strict JSON object a run, one line each."""

import json
import math
from collections.abc import Mapping
from typing import Any

from analyzer.diagnosis import Diagnosis, Finding
from analyzer.reports import json_shape as shape
from runlog.run import Run

SCHEMA: shape.Version = 1


def as_json(run: Run, diagnosis: Diagnosis, *, path: str) -> dict[str, Any]:
    """The object of one run; non-finite numbers are strings."""
    cause = diagnosis.cause
    found: shape.Report = {
        "schema": SCHEMA,
        "tool": tool(),
        "path": path,
        "run": dict(run.metadata),
        "import": None
        if run.source is None
        else {
            "format": run.source.format,
            "attempts": run.source.attempts,
            "understood": run.source.understood,
            "not_understood": run.source.not_understood,
        },
        "iterations": diagnosis.iterations,
        "state": {
            "name": run.state.name,
            "last_iteration": run.state.last_iteration,
            "last_row_time": run.state.last_row_time,
            "reason": run.state.reason,
        },
        "verdict": diagnosis.verdict,
        "cause": None
        if cause is None
        else {
            "code": cause.code,
            "name": cause.name,
            "title": cause.title,
            "link": cause.link,
            "confidence": cause.confidence,
            "base": _base(cause),
            "first_bad_iteration": cause.first_bad_iteration,
        },
        "guide": {"section": diagnosis.guide.section, "answer": diagnosis.guide.answer},
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "not_assessable": [
            {"code": a.code, "needs": a.needs} for a in diagnosis.answers if a.answer == "unknown"
        ],
        "not_applicable": [
            {"code": a.code, "why": a.reason}
            for a in diagnosis.answers
            if a.answer == "not applicable"
        ],
        "candidates": diagnosis.candidates,
        "log_next": [
            {"column": entry.column, "decides": entry.decides, "snippet": entry.snippet}
            for entry in diagnosis.log_next
        ],
        "ignored": [{"code": code, "reason": reason} for code, reason in diagnosis.ignored],
        "notes": run.notes,
    }
    return {key: _strict(value) for key, value in found.items()}


def guide_json(diagnosis: Diagnosis, *, path: str) -> dict[str, Any]:
    """The guide's own answer alone, with its six checks."""
    guide = diagnosis.guide
    checks: list[shape.GuideCheck] = [
        {
            "section": check.section,
            "title": check.title,
            "answer": check.answer,
            "measure": check.measure,
            "value": check.value,
        }
        for check in guide.checks
    ]
    found: shape.GuideOnly = {
        "schema": SCHEMA,
        "tool": tool(),
        "path": path,
        "guide": {"section": guide.section, "answer": guide.answer, "checks": checks},
    }
    return {key: _strict(value) for key, value in found.items()}


def tool() -> shape.Tool:
    """The version of this program, and how many rules it knows."""
    from importlib.metadata import PackageNotFoundError, version

    from analyzer.rules import RULES

    try:
        own = version("trpo-tui")
    except PackageNotFoundError:
        own = "unknown"
    return {"version": own, "rules": len(RULES)}


def dumps(found: Mapping[str, Any]) -> str:
    """One compact line of strict JSON in ASCII, without its line end."""
    return json.dumps(_strict(found), allow_nan=False, separators=(",", ":"))


def _base(finding: Finding) -> shape.Base | None:
    base = finding.base
    return None if base is None else {"right": base.right, "of": base.of, "log": base.log}


def _finding(finding: Finding) -> shape.Finding:
    return {
        "code": finding.code,
        "name": finding.name,
        "title": finding.title,
        "link": finding.link,
        "level": finding.level,
        "answer": finding.answer,
        "confidence": finding.confidence,
        "base": _base(finding),
        "first_bad_iteration": finding.first_bad_iteration,
        "last_bad_iteration": finding.last_bad_iteration,
        "explained_by": finding.explained_by,
        "evidence": [
            {
                "measure": e.measure,
                "value": e.value,
                "comparison": e.comparison,
                "bound": e.bound,
                "unit": e.unit,
            }
            for e in finding.evidence
        ],
        "fixes": [
            {"text": f.text, "origin": f.origin, "source": f.source, "change": f.change}
            for f in finding.fixes
        ],
    }


def _strict(value: Any) -> Any:
    """The value in types JSON has; NaN and the infinities become their names."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): _strict(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(inner) for inner in value]
    plain = getattr(value, "tolist", None)  # numpy's numbers and arrays
    return _strict(plain()) if callable(plain) else str(value)

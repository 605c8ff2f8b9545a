"""What is kept of a judging: lines in RESULTS.md, the confusion matrix, every judgement as JSON."""

import datetime as dt
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench_judging import Score
from results import RESULTS

HERE = Path(__file__).resolve().parent


def record(name: str, figures: dict[str, Any]) -> None:
    """Add one line to RESULTS.md: date, commit, part, figures."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    f = figures
    told = (
        f"| {dt.date.today()} | {commit} | {name} "
        f"| {_top_1(f)} "
        f"| {f['right']} of {f['harmful']} | {len(f['harmless'])} | {', '.join(f['below_80']) or '–'} "
        f"| {f['false_alarms']} of {f['healthy_prefixes']} ({f['alarmed_runs']} of {f['healthy']} runs, "
        f"≤ {f['alarm_bound']:.1%}) | {_number(f['delay_identity_median'])} / {_number(f['delay_window_p90'])} "
        f"| {_number(f['onset_error_median'])} / {_number(f['onset_error_p90'])} | {f['suppressed']} "
        f"| {f['guide_right']} "
        f"| {_number(f['calibration']['brier'])} / {_number(f['calibration']['ece'])} |\n"
    )
    text = RESULTS.read_text(encoding="utf-8")
    mark = "<!-- scorings -->\n"
    RESULTS.write_text(text.replace(mark, told + mark), encoding="utf-8")


def record_last(figures: dict[str, dict[str, Any]]) -> None:
    """Put the last scoring's confidences, faults and printed forms between their marks."""
    begin, end = "<!-- last scoring -->\n", "<!-- /last scoring -->"
    text = RESULTS.read_text(encoding="utf-8")
    before, rest = text.split(begin)
    _, after = rest.split(end)
    told = "\n".join((_confidences(figures), _faults(figures), _printed_forms(figures)))
    RESULTS.write_text(f"{before}{begin}{told}{end}{after}", encoding="utf-8")


def _confidences(figures: dict[str, dict[str, Any]]) -> str:
    """Of every part: what was said with which confidence, and how often it was right."""
    rows = [
        f"| {part} | {each['from']:.1f} … {each['from'] + 0.1:.1f} | {each['n']} "
        f"| {each['said']:.2f} | {each['right']:.2f} |"
        for part, found in figures.items()
        for each in found["calibration"]["bins"]
    ]
    head = "| part | confidence | causes named | said on average | right |\n|---|---|---|---|---|\n"
    return f"Confidences of the last scoring, where the fault was not harmless:\n\n{head}" + (
        "\n".join(rows) + "\n"
    )


def _faults(figures: dict[str, dict[str, Any]]) -> str:
    """Of every part: the faults that were not always named."""
    rows = []
    for part, found in figures.items():
        missed = [f"{kind} {n}" for kind, n in found["by_fault"].items() if not _all_of(n)]
        whole = len(found["by_fault"]) - len(missed)
        rows.append(f"| {part} | {whole} | {', '.join(missed) or '–'} |")
    head = "| part | faults always named | the others, right/runs |\n|---|---|---|\n"
    return f"Faults of the last scoring:\n\n{head}" + "\n".join(rows) + "\n"


def _all_of(right_of_runs: str) -> bool:
    right, runs = right_of_runs.split("/")
    return right == runs


def _printed_forms(figures: dict[str, dict[str, Any]]) -> str:
    """The same held-out runs with only what each format prints, as its importer reads it."""
    printed = next((f["printed"] for f in figures.values() if "printed" in f), {})
    rows = [
        f"| {name} | {f['top_1']:.1%} | {f['wrong']:.1%} | {f['alarms']:.1%} |"
        for name, f in printed.items()
    ]
    if not rows:
        return ""
    head = (
        "| columns of | macro top-1 | harmful runs named otherwise | healthy runs with an alarm |\n"
        "|---|---|---|---|\n"
    )
    return (
        "The held-out runs again with only the columns and digits that each format prints (a fault "
        f"whose columns are not printed cannot be named):\n\n{head}" + "\n".join(rows) + "\n"
    )


def _top_1(figures: dict[str, Any]) -> str:
    low, high = figures["interval"]
    return f"{figures['macro_top_1']:.1%} ({low:.1%} … {high:.1%})" if figures["harmful"] else "–"


def _number(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3g}"


def save(path: Path, scores: Sequence[Score], without: frozenset[str]) -> None:
    """Every judgement as one JSON line, for the table, the picture and the calibration."""
    with path.open("w", encoding="utf-8") as file:
        for score in scores:
            told = {
                "run": score.case.title,
                "kind": score.case.kind,
                "part": score.case.part,
                "trainer": score.case.trainer,
                "env": score.case.env,
                "label": score.case.label,
                "harmless": score.case.title in without,
                "verdict": score.verdict,
                "cause": score.cause,
                "confidence": score.confidence,
                "first_bad": score.first_bad,
                "onset": score.case.onset,
                "first_right": score.first_right,
                "alarm_codes": score.alarm_codes,
                "printed": score.printed,
            }
            file.write(json.dumps(told) + "\n")

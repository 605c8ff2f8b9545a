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

"""The fault bench's figures: what has no effect, who named what, and what is written of it."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))

import bench_record
from bench_case import Case
from bench_confusion import confusion, table, write_confusion
from bench_judging import Score
from bench_scores import harmless, summary
from calibrate import named
from diagnosis_peers import guide, this_analyzer
from diagnosis_peers import table as peers_table

NO_SCORES: Mapping[str, Any] = {
    "confidence": None,
    "first_bad": None,
    "alarm_codes": (),
    "first_right": None,
    "findings": (),
    "recursion_error": 0.0,
}


def score(
    name: str,
    cause: str | None = None,
    *,
    label: tuple[str, ...] = (),
    final: float = 1.0,
    alarms: tuple[int, ...] = (),
    guide: int | None = None,
) -> Score:
    """What was said of a run whose return is `final` throughout."""
    fault = name.rpartition("-")[0] if label else ""
    case = Case(
        name=name, part="held", env="Hopper-v5", seed=0, iterations=2, fault=fault, label=label
    )
    return Score(
        case=case,
        path=Path(name),
        iterations=2,
        verdict="fault" if cause else "healthy",
        cause=cause,
        alarms=alarms,
        returns=(final, final),
        guide=guide,
        **NO_SCORES,
    )


SCORES = (
    score("healthy-Hopper-control-0", final=5.0),
    score("healthy-Hopper-control-1", final=9.0, alarms=(2,), guide=1),
    score("dead-critic-0", "TRPO701", label=("TRPO701",)),
    score("dead-critic-1", "TRPO103", label=("TRPO701",)),
    score("still-reward-0", None, label=("TRPO101",), guide=1),
    score("slow-reward-0", "TRPO103", label=("TRPO103",), final=7.0),
)
WITHOUT = frozenset({"slow-reward-0"})


def test_a_fault_is_harmless_where_the_return_is_no_lower_than_the_worst_control() -> None:
    assert harmless(SCORES) == WITHOUT


def test_the_confusion_matrix_counts_what_was_said_of_each_fault() -> None:
    found = confusion(SCORES, WITHOUT)
    assert list(found) == ["still-reward", "dead-critic", "– healthy runs", "– without effect"]
    assert found["dead-critic"] == {("TRPO701", True): 1, ("TRPO103", False): 1}
    assert found["still-reward"] == {("healthy", False): 1}
    assert found["– healthy runs"] == {("healthy", True): 2}
    assert found["– without effect"] == {("TRPO103", False): 1}
    assert "| dead-critic | 2 | TRPO701 × 1 | TRPO103 × 1 |" in table(found)


def test_the_confusion_matrix_is_drawn_beside_its_table(tmp_path: Path) -> None:
    write_confusion(SCORES, WITHOUT, "some runs", tmp_path)
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert "(confusion.png)" in (tmp_path / "confusion.md").read_text(encoding="utf-8")


def test_a_part_without_faults_is_recorded_without_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("before\n<!-- scorings -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(bench_record, "RESULTS", results)
    bench_record.record("seeds", summary(SCORES[:1], WITHOUT))
    line = results.read_text(encoding="utf-8").splitlines()[1]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[2:5] == ["seeds", "–", "0 of 0"]
    assert cells[8:10] == ["– / –", "– / –"]
    assert cells[-1] == "– / –"


def test_a_recorded_line_holds_rounded_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("<!-- scorings -->\n", encoding="utf-8")
    monkeypatch.setattr(bench_record, "RESULTS", results)
    figures = summary(SCORES, WITHOUT) | {"delay_window_p90": 12.400000000000006}
    assert math.isclose(figures["macro_top_1"], 0.25)
    bench_record.record("all", figures)
    line = results.read_text(encoding="utf-8").splitlines()[0]
    assert "| 25.0% (" in line
    assert "| – / 12.4 |" in line


def test_this_analyzer_and_the_guide_stand_in_one_table_of_the_same_runs() -> None:
    ours, tree = list(peers_table([this_analyzer(SCORES), guide(SCORES)], SCORES))[2:]
    assert ours == "| this analyzer, cause only | all | 25.0% | 0 of 2 | 1 of 3 | 1 of 2 | 0 |"
    assert (
        tree == "| the guide's own tree, section only | 6 | 50.0% | 1 of 2 | 1 of 3 | 1 of 2 | 0 |"
    )


def test_naming_a_fault_without_effect_is_right_and_naming_another_is_wrong() -> None:
    told = {"label": ["TRPO103"], "harmless": True, "cause": "TRPO103"}
    printed = [["sb3", "fault", "TRPO105", 0.5], ["sb3", "fault", "TRPO602", 0.5]]
    assert list(named([told | {"printed": printed}])) == [
        ("whole log", "TRPO103", True),
        ("printed table", "TRPO105", False),
        ("printed table", "TRPO602", False),
    ]

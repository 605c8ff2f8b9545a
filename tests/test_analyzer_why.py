"""`--why`: one rule's parts and numbers, and lines of code that compute the numbers again."""

import contextlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from analyzer.answers import answers
from analyzer.interval import largest
from analyzer.measure import Measure, derived, latest
from analyzer.reports.as_json import dumps
from analyzer.reports.why import AROUND, Why, why, why_json
from analyzer.reports.why_text import why_text
from analyzer.rules import BY_CODE, RULES
from analyzer.spelled import names_in, spelled
from analyzer.view import View
from runlog.reader import open_run
from runlog.run import Run, run_of

SAMPLES = sorted(Path("sample_logs").resolve().glob("*/run.parquet"))
QUICK = ("TRPO101-constant-reward", "TRPO205-flipped-gradient", "healthy-hopper")


def constant_from(first: int, rows: int = 20, **columns: float) -> Run:
    """A run whose rewards are all 1 from iteration `first` on."""
    return run_of(
        [
            {
                "iteration": i,
                "reward_min": 1.0,
                "reward_max": 1.0 if i >= first else 1.5,
                "episodes_terminated": 0,
                **columns,
            }
            for i in range(1, rows + 1)
        ],
        metadata={"algorithm": "trpo", "dtype": "float32"},
    )


def of(code: str, run: Run, **ignore: str) -> Why:
    return why(BY_CODE[code], answers(run, ignore=ignore))


def run_pandas(line: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(line, {})  # noqa: S102 it is what a user does with the line
    return out.getvalue()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id=path.parent.name,
            marks=() if path.parent.name in QUICK else (pytest.mark.slow,),
        )
        for number, path in enumerate(SAMPLES)
        if number % 4 == 0 or path.parent.name in QUICK
    ],
)
def test_both_lines_give_the_measures_value(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = open_run(path)
    judged = answers(run)
    whole = pd.read_parquet(path)  # once for all lines; the next test lets a line read by itself
    monkeypatch.setattr(pd, "read_parquet", lambda _path, columns: whole[columns])
    done = set()
    for rule in RULES:
        view = next(j.view for j in judged.judged if j.rule is rule)
        measures = {m.name: m for grade in rule.grades for m in grade.when.measures}
        for entry in why(rule, judged, table=str(path)).recompute:
            if entry.duckdb in done:
                continue
            done.add(entry.duckdb)
            row = int(np.flatnonzero(run.column("iteration").values == entry.iteration)[0])
            got = duckdb.execute(entry.duckdb).fetchall()
            printed = run_pandas(entry.pandas)
            if entry.computes:
                expected = [measures[name].of(view).at(row) for name in entry.measures]
                assert got == [pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)]
                again = [float(number) for number in printed.split()]
                assert again == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
            else:
                first, last = max(0, row - AROUND), min(len(run) - 1, row + AROUND)
                assert len(got) == last - first + 1
                assert printed.splitlines()[0].split() == list(entry.measures)
                assert len(printed.splitlines()) == len(got) + 1
                numbers = [
                    (place, name)
                    for place, name in enumerate(entry.measures)
                    if run.types[name] in ("int64", "float64")
                ]
                for place, name in numbers:
                    column = run.column(name)
                    assert [cells[place] for cells in got] == [
                        pytest.approx(column.values[r], nan_ok=True) if column.present[r] else None
                        for r in range(first, last + 1)
                    ]
    assert done


def test_a_line_reads_the_table_by_itself() -> None:
    path = Path("sample_logs") / "TRPO101-constant-reward" / "run.parquet"
    found = why(BY_CODE["TRPO101"], answers(open_run(path)), table=str(path))
    assert run_pandas(found.recompute[0].pandas).startswith("0.0 4.76837158203125e-07 1.0")


def test_most_comparisons_of_numbers_can_be_computed_again() -> None:
    """A measure that became a window by accident would lose its line without a word."""
    run = open_run(Path("sample_logs") / "healthy-hopper")
    view = View(run)
    for name, expected in {
        "reward_range": "reward_max - reward_min",
        "kl_over_quadratic_model": "kl_full_step / (max_kl - full_step_norm ** 2 * damping * 0.5)",
        "step_applied": "step_parameter_delta_norm / (full_step_norm * step_fraction)",
        "return_margin": "episode_return_mean - 3800.0",
    }.items():
        measure = next(m for rule in RULES for m in rule.measures if m.name == name)
        at = latest(measure.of(view).present, len(run) - 1)
        assert spelled(measure, view, at) == expected


def spelled_on(measure: Measure, **columns: float) -> str | None:
    return spelled(measure, View(run_of([{"iteration": 1, **columns}])), 0)


def test_parentheses_stand_where_the_arithmetic_needs_them() -> None:
    made = derived("x", "1", "", lambda v: v["kl"] - (v["entropy"] - (v["lam"] + 1.0)), "kl")
    assert spelled_on(made, kl=1.0, entropy=2.0, lam=0.5) == "kl - (entropy - (lam + 1.0))"
    made = derived("y", "1", "", lambda v: 2.0 / (v["kl"] / v["entropy"]), "kl")
    assert spelled_on(made, kl=1.0, entropy=2.0) == "2.0 / (kl / entropy)"
    made = derived("z", "1", "", lambda v: (-v["kl"]).square() * -0.5, "kl")
    assert spelled_on(made, kl=1.0) == "(-kl) ** 2 * (-0.5)"


def test_an_expression_names_the_columns_that_are_there() -> None:
    made = derived("x", "1", "", lambda v: v["log_ratio_std"].or_else(v["ratio_std"]), "ratio_std")
    assert spelled_on(made, ratio_std=0.1) == "ratio_std"
    made = derived("y", "1", "", lambda v: largest(v["value_min"].abs(), v["value_max"]), "")
    assert spelled_on(made, value_max=2.0) == "value_max"
    assert spelled_on(made, value_min=-1.0, value_max=2.0) == "max(abs(value_min), value_max)"


def test_a_setting_that_only_the_configuration_tells_is_a_number() -> None:
    run = run_of([{"iteration": 1, "kl": 0.02}], metadata={"config": {"max_kl": 0.01}})
    made = derived("x", "1", "", lambda v: v["kl"] / v["max_kl"], "kl max_kl")
    assert spelled(made, View(run), 0) == "kl / 0.01"


def test_what_looks_at_other_rows_has_no_expression() -> None:
    made = next(m for rule in RULES for m in rule.measures if m.name == "return_rise")
    rows = [{"iteration": i, "episode_return_mean": float(i % 7)} for i in range(1, 31)]
    view = View(run_of(rows))
    assert made.of(view).present[29]
    assert spelled(made, view, 29) is None


def test_numbers_with_exponents_are_no_columns() -> None:
    assert names_in("max(abs(kl), 3.8e-06) * exp(-lam) ** 2.0") == ("kl", "lam")


def test_the_numbers_reach_from_three_before_to_three_after_the_first_bad_one() -> None:
    found = of("TRPO101", constant_from(9))
    assert found.first_bad_iteration == 9
    assert found.shown == (6, 7, 8, 9, 10, 11, 12)
    named = {numbers.name: numbers.values for numbers in found.numbers}
    assert named["reward_range"] == (0.5, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0)
    lines = why_text(found, path="r").splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:1] == ["iteration"])
    shown = lines[start + 1 : start + 8]
    assert [line.startswith(">") for line in shown] == [False] * 3 + [True] + [False] * 3


def test_each_comparison_says_how_far_it_is_from_its_bound() -> None:
    run = constant_from(30)
    found = of("TRPO101", run)
    assert (found.answer, found.first_bad_iteration) == ("no", None)
    part = next(p for p in found.parts if p.measure == "reward_range")
    assert part.answer == "no"
    assert (part.value, part.comparison) == (0.5, "≤")
    assert part.distance == pytest.approx(0.5, rel=1e-5)
    assert found.shown[-1] == 20
    assert not found.refuted_by
    assert "0.5 reward against 7.153e-07: 0.5 above" in why_text(found, path="r")


def test_a_yes_says_what_would_refute_it() -> None:
    ways = of("TRPO101", constant_from(9)).refuted_by
    assert {"reward_range > 4ε·max|r|, once", "reward_size ≤ 0", "terminations > 0"} <= set(ways)


def test_what_it_suppresses_and_what_explains_it_are_named() -> None:
    rows = {"advantage_raw_std": 0.0, "value_min": 0.0, "value_max": 0.0, "kl": 0.01}
    run = constant_from(1, 20, **rows)
    cause = of("TRPO101", run)
    assert "TRPO106" in {related.code for related in cause.explains}
    effect = of("TRPO106", run)
    assert effect.explained_by is not None
    assert effect.explained_by.code == "TRPO101"
    assert "explained by TRPO101" in why_text(effect, path="r")


def test_an_unknown_rule_says_which_columns_to_log_and_how() -> None:
    found = of("TRPO201", constant_from(1))
    assert found.answer == "unknown"
    assert "gradient_norm" in found.needs
    assert "log.iteration(..., gradient_norm=flat_gradient.norm())" in found.log_next
    assert "gradient_norm=flat_gradient.norm()" in why_text(found, path="r")


def test_rules_that_do_not_apply_or_were_ignored_say_so() -> None:
    run = constant_from(1)
    ppo = replace(run, metadata={"algorithm": "ppo"})
    assert "ppo has no conjugate gradient" in why_text(of("TRPO301", ppo), path="r")
    assert of("TRPO101", run, TRPO101="known").reason == "ignored as asked: known"
    assert of("TRPO101", run_of([])).reason == "no iteration has been logged yet"


def test_columns_that_another_finding_contradicts_are_named() -> None:
    rows = [
        {"iteration": i, "kl": 0.0, "log_ratio_std": 0.1, "max_kl": 0.01, "full_step_norm": 0.1}
        for i in range(1, 13)
    ]
    found = of("TRPO604", run_of(rows, metadata={"algorithm": "trpo"}))
    assert found.not_believed == ("kl (TRPO002)",)


@pytest.mark.parametrize("path", [SAMPLES[0], SAMPLES[-1]], ids=lambda path: path.parent.name)
@pytest.mark.parametrize("plain", [False, True])
def test_every_rule_fits_eighty_columns_but_for_code(path: Path, plain: bool) -> None:
    judged = answers(open_run(path))
    for rule in RULES:
        found = why(rule, judged, table="run.parquet")
        text = why_text(found, path="r", plain=plain)
        code = re.compile(r"  (import|SELECT|log\.iteration)")
        assert max(len(line) for line in text.splitlines() if not code.match(line)) <= 80
        assert text.startswith(f"{rule.code} {rule.name}: ")
        assert text.isascii() or not plain


def test_a_log_that_is_no_table_says_how_to_make_one() -> None:
    found = of("TRPO101", constant_from(9))
    told = why_text(found, path="a.log", convert="trpo-tui convert a.log -o run.parquet")
    assert "First make the table\n  trpo-tui convert a.log -o run.parquet\n" in told


def test_a_run_started_twice_is_told_apart_by_its_attempt() -> None:
    rows = [{"iteration": i, "attempt": 2, "kl": 0.0} for i in range(1, 13)]
    run = replace(run_of(rows, metadata={"algorithm": "trpo"}), attempts=2, attempt=2)
    lines = [entry.duckdb for entry in of("TRPO604", run).recompute]
    assert lines
    assert all("attempt = 2 AND iteration" in line for line in lines)


def test_the_json_object_is_strict_and_holds_the_same() -> None:
    found = of("TRPO101", constant_from(9))
    told = json.loads(dumps(why_json(found, path="r")))
    assert set(told) == {"schema", "tool", "path", "why"}
    assert told["why"]["first_bad_iteration"] == 9
    part = next(p for p in told["why"]["parts"] if p["measure"] == "reward_range")
    assert part["distance"] == pytest.approx(-4.76837158203125e-07)
    assert told["why"]["recompute"][0]["duckdb"].startswith("SELECT ")

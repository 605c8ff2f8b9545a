"""`trpo-tui compare`: where runs part, what they were set to, what is said of them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CommandLine

from analyzer.comparison import Comparison, compare
from analyzer.reports.as_json import dumps
from analyzer.reports.comparing import comparing_json, comparing_text, parting_sentence
from runlog.run import Run, run_of
from trpo_tui.cli import run

ROWS = 30
SAMPLES = Path("sample_logs").resolve()


def healthy(
    seed: int = 0,
    *,
    rows: int = ROWS,
    config: dict[str, object] | None = None,
    **changes: tuple[int, float | None],
) -> Run:
    """A run that learns. `changes`: column=(first iteration, new value)."""
    random = np.random.default_rng(seed)
    made = []
    for i in range(1, rows + 1):
        row: dict[str, object] = {
            "iteration": i,
            "seed": seed,
            "time": random.random(),
            "log_std_mean": -0.01 * i + 0.001 * random.normal(),
            "reward_std": 0.5 + 0.05 * random.random(),
            "advantage_raw_std": 3.0 + random.random(),
            "gradient_norm": 0.4 + 0.1 * random.random(),
            "full_step_norm": 0.2 + 0.02 * random.random(),
            "kl": 0.008 + 0.001 * random.random(),
            "episode_return_mean": 10.0 * i + random.normal(),
            "explained_variance_after": 0.5 + 0.1 * random.random(),
        }
        for name, (first, value) in changes.items():
            if i >= first:
                row[name] = value
        made.append(row)
    settings = {"max_kl": 0.01, "lam": 0.97} if config is None else config
    return run_of(made, metadata={"algorithm": "trpo", "seed": seed, "config": settings})


def of(*runs: Run) -> Comparison:
    return compare([(f"r{k}", run) for k, run in enumerate(runs)])


def said(*runs: Run) -> str:
    found = of(*runs)
    return parting_sentence(found, found.pairs[0])


def test_equal_runs_are_the_same_bit_for_bit_whatever_their_clocks_say() -> None:
    found = of(healthy(), healthy(time=(1, 7.0)))
    assert found.pairs[0].exact is None
    assert found.pairs[0].bands is None
    assert found.settings == ()
    assert said(healthy(), healthy()).startswith(
        "A and B are the same, bit for bit, in all 30 iterations they share."
    )


def test_the_first_iteration_and_link_that_part_are_named() -> None:
    bad = healthy(reward_std=(20, 0.0), kl=(20, 0.004), advantage_raw_std=(20, 0.1))
    pair = of(healthy(), bad).pairs[0]
    assert pair.same_until == 19
    assert pair.exact is not None
    assert (pair.exact.iteration, pair.exact.link) == (20, "reward")
    assert [d.column for d in pair.exact.differences] == ["reward_std", "advantage_raw_std", "kl"]
    assert pair.bands is not None
    assert (pair.bands.iteration, pair.bands.link) == (20, "reward")
    assert said(healthy(), bad).startswith(
        "A and B are the same, bit for bit, until iteration 19; at 20 the reward parts first "
        "(reward_std 0.5"
    )
    assert "That is more than another seed changes." in said(healthy(), bad)


def test_a_setting_of_the_step_parts_within_the_first_iteration() -> None:
    tiny = healthy(full_step_norm=(1, 1e-4), config={"max_kl": 1e-7, "lam": 0.97})
    told = said(healthy(), tiny)
    assert told.startswith("A and B begin iteration 1 alike, bit for bit; in it the step parts")
    assert "Set differently: max_kl 0.01 in A, 1e-07 in B." in told
    assert [(s.key, s.values) for s in of(healthy(), tiny).settings] == [
        ("max_kl", ("0.01", "1e-07"))
    ]


def test_the_critics_fit_comes_after_the_step_it_does_not_drive() -> None:
    both = healthy(explained_variance_after=(5, 0.0), full_step_norm=(5, 0.1))
    pair = of(healthy(), both).pairs[0]
    assert pair.exact is not None
    assert [d.link for d in pair.exact.differences] == ["step", "critic"]


@pytest.mark.parametrize("seed", range(1, 9))
def test_another_seed_is_no_difference_of_a_link(seed: int) -> None:
    pair = of(healthy(), healthy(seed)).pairs[0]
    assert pair.exact is not None
    assert pair.exact.iteration == 1
    assert pair.bands is None
    assert said(healthy(), healthy(seed)).startswith(
        f"A and B differ from iteration 1 on, as their seeds do (0, {seed}). "
        "No link ever differs by more than runs of other seeds do."
    )


def test_a_dead_link_stands_out_among_other_seeds() -> None:
    pair = of(healthy(), healthy(3, gradient_norm=(12, 0.0), kl=(12, 0.0))).pairs[0]
    assert pair.bands is not None
    assert (pair.bands.iteration, pair.bands.link) == (12, "gradient")
    assert [d.column for d in pair.bands.differences] == ["gradient_norm", "kl"]


def test_a_difference_that_does_not_last_is_none_of_a_link() -> None:
    rows = healthy(gradient_norm=(8, 9.0), rows=19)
    back = healthy()
    blip = run_of(
        [
            {name: chosen.column(name).values[i] for name in ("iteration", "gradient_norm")}
            for i in range(ROWS)
            for chosen in ((rows if 7 <= i < 19 else back),)
        ]
    )
    pair = of(back, blip).pairs[0]
    assert pair.exact is not None
    assert pair.exact.iteration == 8
    assert pair.bands is None


def test_rounding_is_told_from_a_difference() -> None:
    value = healthy().column("gradient_norm").values[6]
    near = healthy(gradient_norm=(7, float(value) * (1 + 1e-9)), rows=7)
    told = said(healthy(rows=7), near)
    assert "until iteration 6; at 7 they part by rounding only (gradient_norm 0." in told


def test_runs_without_a_common_iteration_are_said_to_have_none() -> None:
    late = run_of([{"iteration": i, "kl": 0.01} for i in range(101, 111)])
    assert "no iteration number in common" in said(healthy(), late)
    assert "They share no iteration number." in comparing_text(of(healthy(), late))


def test_runs_of_different_environments_are_said_to_be() -> None:
    here, there = (
        replace(healthy(), metadata={"env_id": name}) for name in ("Hopper-v5", "Ant-v5")
    )
    assert said(here, there) == (
        "A and B are of different environments (Hopper-v5, Ant-v5). Both are healthy."
    )


def test_an_empty_run_can_be_compared() -> None:
    found = of(healthy(), run_of([]))
    assert found.pairs[0].common == 0
    assert "null" in comparing_text(found)


def test_a_column_only_one_run_logs_is_no_difference() -> None:
    assert of(healthy(), healthy(entropy=(1, 2.0))).pairs[0].exact is None


def test_null_and_nan_are_told_apart() -> None:
    nan = healthy(kl=(9, float("nan")))
    assert of(nan, healthy(kl=(9, float("nan")))).pairs[0].exact is None
    parting = of(nan, healthy(kl=(9, None))).pairs[0].exact
    assert parting is not None
    assert parting.iteration == 9
    assert parting.differences[0].values[1] is None


def test_the_text_fits_eighty_columns_for_any_number_of_runs() -> None:
    for count in (2, 3, 5, 8):
        runs = [healthy(k, config={"max_kl": 0.01 * (k + 1)}) for k in range(count)]
        for plain in (False, True):
            text = comparing_text(of(*runs), plain=plain)
            assert max(map(len, text.splitlines())) <= 80
            assert text.isascii() or not plain


def test_samples_part_where_their_diagnoses_say() -> None:
    from runlog.reader import open_run

    found = compare(
        [
            (name, open_run(SAMPLES / name))
            for name in ("healthy-halfcheetah", "TRPO101-constant-reward")
        ]
    )
    bands = found.pairs[0].bands
    assert bands is not None
    assert (bands.iteration, bands.link) == (1, "reward")
    assert found.sides[1].diagnosis.cause is not None
    assert parting_sentence(found, found.pairs[0]).endswith(
        "A is healthy. B: TRPO101 constant-reward since iteration 1."
    )


def test_the_json_object_is_strict_and_holds_the_same() -> None:
    bad = healthy(reward_std=(20, float("nan")))
    told = json.loads(dumps(comparing_json(of(healthy(), bad))))
    assert set(told) == {"schema", "tool", "runs", "settings", "partings", "last_numbers"}
    parting = told["partings"][0]
    assert (parting["runs"], parting["same_until"]) == (["A", "B"], 19)
    assert parting["exact"]["differences"][0]["values"][1] == "NaN"
    assert parting["bands"] is None


def test_the_command_compares_and_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    bad = str(SAMPLES / "TRPO101-constant-reward")
    assert run(["compare", str(SAMPLES / "healthy-halfcheetah"), bad]) == 0
    out = capsys.readouterr().out
    assert "the reward first (reward_std" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_the_command_refuses_what_it_cannot_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = str(SAMPLES / "healthy-halfcheetah")
    assert run(["compare", good]) == 2
    assert "one run; compare needs two or more" in capsys.readouterr().err
    assert run(["compare", good, str(tmp_path / "none.log")]) == 2
    assert "none.log" in capsys.readouterr().err


def test_a_log_from_standard_input_and_a_file_of_json(cli: CommandLine, tmp_path: Path) -> None:
    log = "".join(
        f"Iteration {i} | Timesteps {2048 * i}\n  Policy loss: -0.01\n  KL divergence: 0.008{i}\n"
        for i in range(1, 6)
    )
    (tmp_path / "a.log").write_text(log, encoding="utf-8")
    done = cli(
        "compare", "a.log", "-", "--format", "json", "-o", "out.json",
        stdin=log.replace("0.0083", "0.0099").encode(),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert told["partings"][0]["same_until"] == 2
    assert "to every printed digit" in told["partings"][0]["sentence"]

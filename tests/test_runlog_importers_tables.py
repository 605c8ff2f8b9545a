"""Tables and JSON lines: the files of real trainings, precision, rewritten headers, any text."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.answers import answers
from runlog.errors import UserError
from runlog.importers import follow_log, read_log
from runlog.importers.folders import foreign_logs_below
from runlog.reader import open_run
from runlog.run import Run

LOGS = Path(__file__).resolve().parent / "foreign_logs"
HEALTHY = (
    "sb3/trpo-pendulum/progress.csv",
    "sb3/trpo-hopper/progress.json",
    "sb3/ppo-cartpole/progress.csv",
    "sb3/a2c-cartpole/progress.json",
    "sb2/trpo/progress.csv",
    "sb2/ppo1/progress.json",
    "sb2/ppo2/progress.csv",
    "sb2/a2c/progress.csv",
    "baselines/trpo/progress.csv",
    "garage/progress.csv",
    "omnisafe/trpo/progress.csv",
    "pfrl/scores.txt",
    "rllib/progress.csv",
    "rllib/result.json",
    "trl/stdout.txt",
)


def text(*lines: str) -> bytes:
    return "\n".join((*lines, "")).encode()


def read(*lines: str, mapping: dict[str, str] | None = None) -> Run:
    return read_log(text(*lines), name="log", mapping=mapping)


def values(run: Run, column: str) -> list[float]:
    found: list[float] = run.column(column).values.tolist()
    return found


def halves(run: Run, column: str) -> list[float]:
    found = run.column(column).resolution
    return [0.0] * len(run) if found is None else found.tolist()


@pytest.mark.parametrize("name", HEALTHY)
def test_no_row_of_a_healthy_training_is_called_a_fault(name: str) -> None:
    judged = answers(open_run(LOGS / name))
    assert [i for i in range(len(judged.run)) if judged.at(i).verdict == "fault"] == []


def test_every_cell_of_a_table_arrives_where_it_belongs() -> None:
    path = LOGS / "sb3" / "trpo-hopper" / "progress.csv"
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    run = open_run(path)
    assert run.source is not None
    assert run.source.format == "sb3 csv"
    assert run.metadata["algorithm"] == "trpo"
    kl = run.column("kl")
    assert [not row["train/kl_divergence_loss"] for row in rows] == (~kl.present).tolist()
    assert values(run, "kl")[1:] == [float(row["train/kl_divergence_loss"]) for row in rows[1:]]
    assert values(run, "iteration") == [float(row["time/iterations"]) for row in rows]
    logs = [np.log(float(row["train/std"])) for row in rows[1:]]
    assert values(run, "log_std_mean")[1:] == pytest.approx(logs)
    assert halves(run, "kl") == [0.0] * len(rows)


def test_the_table_and_the_lines_of_one_training_say_the_same() -> None:
    for path in sorted(LOGS.glob("*/*/progress.json")):
        table, lines = open_run(path.with_suffix(".csv")), open_run(path)
        assert set(table.types) == set(lines.types), path
        for name in table.types:
            np.testing.assert_allclose(
                table.column(name).values, lines.column(name).values, rtol=1e-6
            )


def test_nested_results_are_read_with_their_own_names_for_the_policy() -> None:
    path = LOGS / "rllib" / "result.json"
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    run = open_run(path)
    learned = [record["learners"]["default_policy"] for record in records]
    assert values(run, "kl") == [policy["mean_kl_loss"] for policy in learned]
    assert values(run, "iteration") == [1, 2, 3]
    assert run.source is not None
    assert not any(key.startswith("config/") for key in run.source.not_understood)


def test_means_over_no_episode_are_null() -> None:
    kl = '"info": {"learner": {"default_policy": {"learner_stats": {"kl": 0.01}}}}'
    run = read(
        f'{{"training_iteration": 1, "episode_reward_mean": NaN, "episode_len_mean": NaN, {kl}}}',
        f'{{"training_iteration": 2, "episode_reward_mean": NaN, "episode_len_mean": 9.0, {kl}}}',
    )
    assert run.column("episode_return_mean").present.tolist() == [False, True]
    assert values(run, "kl") == [0.01, 0.01]


def test_a_count_that_is_nan_is_null() -> None:
    run = read("iteration,timesteps,kl", "nan,inf,0.1", "2,3,0.2")
    assert values(run, "iteration") == [1, 2]
    assert run.column("timesteps").present.tolist() == [False, True]


def test_folders_of_other_trainers_below_a_folder_are_found(tmp_path: Path) -> None:
    hopper = tmp_path / "trpo" / "Hopper-v3_1"
    (hopper / "Hopper-v3").mkdir(parents=True)
    (hopper / "Hopper-v3" / "config.yml").write_text("!!python/object", "utf-8")
    (hopper / "0.monitor.csv").write_text('#{"t_start": 5.0}\nr,l,t\n1,2,3\n', "utf-8")
    assert foreign_logs_below(tmp_path) == (hopper,)
    assert len(open_run(hopper)) == 1


def test_quoted_numbers_among_progress_bars_are_read() -> None:
    run = open_run(LOGS / "trl" / "stdout.txt")
    assert len(run) == 30
    assert values(run, "gradient_norm")[0] == 0.7741
    assert values(run, "policy_loss_before")[-1] == -0.06929
    assert "kl" not in run.types  # TRL's is that to another policy


def test_grpo_lines_of_older_versions_hold_nan_and_plain_numbers() -> None:
    line = "{'loss': 0.0, 'grad_norm': nan, 'reward': 0.5, 'reward_std': 0.0, 'kl': 0.3}"
    run = read(
        f" 10%|█         | 1/10 [00:01<00:09,  1.0s/it]\r{line}", line, "{'train_runtime': 9.0}"
    )
    assert len(run) == 2
    assert np.isnan(values(run, "gradient_norm")).all()
    assert run.column("gradient_norm").present.all()


def test_episodes_of_a_monitor_are_rows_that_say_nothing_of_updates() -> None:
    path = LOGS / "sb3" / "trpo-hopper" / "monitor.csv"
    begun = json.loads(path.read_text("utf-8").splitlines()[0][1:])["t_start"]
    first = path.read_text("utf-8").splitlines()[2].split(",")
    run = open_run(path)
    assert values(run, "episode_return_mean")[0] == float(first[0])
    assert values(run, "time")[0] == pytest.approx(begun + float(first[2]))
    assert answers(run).last().verdict == "unknown"


def test_zero_is_exact_in_a_file_of_full_precision_and_not_in_a_rounded_one() -> None:
    full = read("kl,entropy", "0.0,1.2345678901234567", "0.0,1.0")
    assert halves(full, "kl") == [0.0, 0.0]
    rounded = read("kl,entropy", "0.0000,1.2346", "0.0012,1.0")
    assert halves(rounded, "kl") == pytest.approx([5e-5, 5e-5])
    assert halves(rounded, "entropy") == pytest.approx([5e-5, 5e-5])


def test_significant_digits_are_counted_where_a_program_prints_so_many() -> None:
    run = read("kl,entropy", "0.0006445,2.473", "0.5,2.4", "1.25e-05,12.34")
    assert halves(run, "kl") == pytest.approx([5e-8, 5e-5, 5e-8])
    assert halves(run, "entropy") == pytest.approx([5e-4, 5e-4, 5e-3])


def test_numbers_of_single_precision_are_as_precise_as_that() -> None:
    run = read("kl,entropy", "0.008496383,1.433604", "0.5,1.4538014")
    assert halves(run, "kl")[1] == np.spacing(np.float32(0.5)) / 2


def test_a_table_without_iterations_is_counted_and_starts_anew_when_its_steps_fall_back() -> None:
    names = "EpRewMean,meankl,TimestepsSoFar,ev_tdlam_before"
    run = read(
        names, "1,0.01,100,0.1", "2,0.01,200,0.1", "3,0.01,300,0.1", "5,0.02,200,0.1", "6,0,300,0"
    )
    assert run.attempts == 2
    assert values(run, "iteration") == [1, 2, 3]
    assert values(run, "episode_return_mean") == [1, 5, 6]


def test_a_header_in_the_middle_renames_what_follows() -> None:
    run = read("iteration,kl", "1,0.01", "2,0.02", "iteration,entropy,kl", "1,1.5,0.03")
    assert run.attempts == 2
    assert values(run, "entropy") == [1.5]
    assert values(run, "kl") == [0.03]


def test_a_table_rewritten_with_more_columns_is_read_again(tmp_path: Path) -> None:
    names = [f"custom/metric_{i:03}" for i in range(30)]  # a header longer than a glance
    path = tmp_path / "progress.csv"
    head = "time/iterations,time/total_timesteps,rollout/ep_rew_mean," + ",".join(names)
    blanks = "," * len(names)
    path.write_bytes(text(head, f"1,2048,-5.0{blanks}"))
    log = follow_log(path)
    assert len(log.run) == 1
    path.write_bytes(
        text(f"{head},train/approx_kl", f"1,2048,-5.0{blanks},", f"2,4096,-4.0{blanks},0.01")
    )
    run = log.poll()
    assert run is not None
    assert values(run, "iteration") == [1, 2]
    assert run.column("kl").present.tolist() == [False, True]


def test_a_growing_table_and_growing_lines_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    row = {"time/iterations": 1, "time/total_timesteps": 1, "train/approx_kl": 0.5}
    path.write_bytes(text(json.dumps(row)) + b'{"time/iterations": 2, "time/to')
    log = follow_log(path)
    assert values(log.run, "kl") == [0.5]
    with path.open("ab") as file:
        file.write(b'tal_timesteps": 2, "train/approx_kl": 0.25}\n')
    run = log.poll()
    assert run is not None
    assert values(run, "kl") == [0.5, 0.25]


def test_a_cut_last_row_is_not_taken() -> None:
    run = read_log(b"iteration,kl\n1,0.01\n2,0.0", name="log")
    assert values(run, "iteration") == [1]


def test_our_own_columns_are_nobody_elses_and_foreign_ones_can_be_mapped() -> None:
    run = read("iteration,policy_loss,kl,entropy", "1,-0.5,0.01,1.4")
    assert run.source is not None
    assert (run.source.format, run.source.assumptions) == ("csv", ())
    mapped = read("a;b", "1;0.01", "2;0.02", mapping={"a": "iteration", "b": "kl"})
    assert values(mapped, "kl") == [0.01, 0.02]
    with pytest.raises(UserError, match="keys found: a, b"):
        read("a;b", "1;0.01")


def test_what_is_said_between_rows_is_an_event() -> None:
    run = read(
        '{"kl": 0.01, "entropy": 1.0}',
        "RuntimeWarning: invalid value encountered in divide",
        '{"kl": NaN, "entropy": 1.0}',
        "Traceback (most recent call last):",
        "ValueError: nan",
    )
    assert [(event.row, event.kind) for event in run.events] == [(1, "warning"), (2, "exception")]
    assert run.state.name == "crashed"


def test_a_framework_that_is_named_must_be_the_one() -> None:
    with pytest.raises(UserError, match="not rllib"):
        read_log(text("iteration,kl", "1,0.01"), name="log", from_format="rllib")


SNIPPETS = st.sampled_from(
    [
        "time/iterations,train/approx_kl",
        "iteration\tkl\tentropy",
        "1,2,3",
        "iteration,kl",
        "nan,0.5",
        "-3,inf",
        '{"iteration": NaN, "timesteps": -Infinity, "kl": 0.5}',
        "1\t0.5\tnan",
        '{"kl": 1e999, "iteration": 1}',
        '{"a": {"b": [1, {"c": 2}]}}',
        "{'loss': 0.1, 'reward_std': '0.5', 'reward': nan}",
        "{'loss': ",
        '#{"t_start": 1e400}',
        '#{"t_start": 1.5}\nr,l,t',
        '"',
        "{" * 50,
        ",,,,",
        "-inf,1_000,0x10",
    ]
)


@given(st.lists(st.one_of(SNIPPETS, st.text(max_size=30)), max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_text_gives_a_log_or_one_line(lines: list[str]) -> None:
    try:
        run = read_log("\n".join(lines).encode("utf-8", "replace"), name="log")
    except UserError as error:
        message = str(error)
    else:
        message = repr(run.to_pandas().shape)
    assert "\n" not in message

"""`trpo-tui convert`: what is written says the same as what was read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analyzer.answers import answers
from runlog.convert import convert
from runlog.errors import UserError
from runlog.importers import read_log
from runlog.reader import open_run
from runlog.run import Run
from runlog.writer import RunLog

TESTS = Path(__file__).resolve().parent
LOGS = TESTS / "foreign_logs"
SAMPLES = TESTS.parent / "sample_logs"
FORMATS = (
    "sb3/trpo-nan/progress.csv",
    "sb3/ppo-cartpole/progress.json",
    "sb3/trpo-hopper/monitor.csv",
    "rllib/result.json",
    "trl/stdout.txt",
    "pfrl/scores.txt",
    "garage/progress.csv",
    "tensorboard/torch",
    "sb3/trpo-pendulum/stdout.txt",
    "rsl_rl/stdout.txt",
)


def trpo_tui(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trpo_tui", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def assert_same(found: Run, wanted: Run) -> None:
    """Everything a run says of itself, and every cell of it."""
    assert found.types == wanted.types
    assert len(found) == len(wanted)
    for name, type_ in wanted.types.items():
        if type_ == "list<float64>":
            theirs, ours = found.lists(name), wanted.lists(name)
            np.testing.assert_array_equal(theirs.offsets, ours.offsets)
            np.testing.assert_array_equal(theirs.values, ours.values)
            np.testing.assert_array_equal(theirs.entry_present, ours.entry_present)
            np.testing.assert_array_equal(theirs.present, ours.present)
            continue
        column, other = found.column(name), wanted.column(name)
        np.testing.assert_array_equal(column.present, other.present)
        np.testing.assert_array_equal(column.values, other.values)
        zeros = np.zeros(len(wanted))
        np.testing.assert_array_equal(
            zeros if column.resolution is None else column.resolution,
            zeros if other.resolution is None else other.resolution,
        )
    assert found.events == wanted.events
    assert found.state == wanted.state
    assert found.source == wanted.source
    assert found.metadata == wanted.metadata
    assert found.notes == wanted.notes
    assert (found.attempts, found.attempt) == (wanted.attempts, wanted.attempt)


@pytest.mark.parametrize("name", FORMATS)
def test_a_log_and_its_parquet_file_say_the_same(name: str, tmp_path: Path) -> None:
    run = open_run(LOGS / name)
    read = open_run(convert(run, tmp_path / "run.parquet"))
    assert_same(read, run)
    assert_same(open_run(tmp_path), run)
    assert answers(read).last() == answers(run).last()


def test_what_a_log_says_between_its_blocks_and_how_it_ended_is_kept(tmp_path: Path) -> None:
    text = (
        "Iteration 1 | Timesteps 2,048\n  KL divergence: 0.0000\n  Entropy: 1.25\nUserWarning: slow\n"
        "Iteration 2 | Timesteps 4,096\n  KL divergence: nan\n  Entropy: 1.2\n"
        "Traceback (most recent call last):\nValueError: bad\nsrun: error: cut"
    )
    run = read_log(text.encode(), name="log")
    assert run.events
    assert run.notes
    assert run.state.name == "crashed"
    assert run.column("kl").resolution is not None
    assert_same(open_run(convert(run, tmp_path / "x.parquet")), run)


def test_a_sample_and_its_copy_say_the_same(tmp_path: Path) -> None:
    run = open_run(next(SAMPLES.glob("TRPO101-*")))
    read = open_run(convert(run, tmp_path / "x.parquet"))
    assert_same(read, run)
    assert answers(read).last() == answers(run).last()


def test_lists_nulls_extras_and_attempts_of_an_open_run_are_kept(tmp_path: Path) -> None:
    with RunLog(tmp_path / "run") as log:
        for attempt in (1, 2):
            for i in range(1, 5):
                log.iteration(
                    iteration=i,
                    kl=float("nan") if i == 2 else 0.01 * attempt,
                    episode_returns=[1.0, float("inf"), None] if i % 2 else None,
                    my_extra="word" if i == 3 else None,
                )
            log.event("checkpoint", "saved")
        run = open_run(tmp_path / "run")
        read = open_run(convert(run, tmp_path / "x.parquet"))
    assert_same(read, run)
    first = open_run(tmp_path / "run", attempt=1)
    assert_same(open_run(convert(first, tmp_path / "y.parquet"), attempt=1), first)
    with pytest.raises(UserError, match="attempt 1 alone"):
        open_run(tmp_path / "y.parquet", attempt=2)


def test_a_converted_file_can_be_converted(tmp_path: Path) -> None:
    run = open_run(convert(open_run(LOGS / "trl/stdout.txt"), tmp_path / "a.parquet"))
    assert_same(open_run(convert(run, tmp_path / "b.parquet")), run)


def test_resolutions_are_columns_for_other_programs(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    path = convert(open_run(LOGS / "trl/stdout.txt"), tmp_path / "run.parquet")
    table = pq.read_table(path)
    assert table["resolution_gradient_norm"].to_pylist()[0] == pytest.approx(5e-5)
    assert "resolution_iteration" not in table.column_names


def test_one_line_says_what_was_written_and_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    log, out = LOGS / "garage/progress.csv", tmp_path / "run.parquet"
    done = trpo_tui("convert", log, "-o", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"written: {out}: 9 rows, 11 keys understood, 1 not (")
    again = trpo_tui("convert", log, "-o", out)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == f"trpo-tui: {out}: is there already; --force replaces it\n"
    assert trpo_tui("convert", LOGS / "trl/stdout.txt", "-o", out, "--force").returncode == 0
    assert len(open_run(out)) == 30


def test_a_folder_or_a_missing_one_cannot_be_the_output(tmp_path: Path) -> None:
    run = open_run(LOGS / "garage/progress.csv")
    with pytest.raises(UserError, match="a folder; name the file"):
        convert(run, tmp_path)
    with pytest.raises(UserError, match="cannot be written"):
        convert(run, tmp_path / "none" / "run.parquet")


def test_options_are_those_of_analyze(tmp_path: Path) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "run.parquet"
    log.write_text("n,divergence\n1,0.5\n2,0.5\n1,0.25\n", encoding="utf-8")
    done = trpo_tui(
        "convert", log, "-o", out, "--map", "n=iteration", "--map", "divergence=kl",
        "--from", "csv", "--attempt", "1",
    )  # fmt: skip
    assert done.stdout == f"written: {out}: 2 rows, 2 keys understood, 0 not\n"
    run = open_run(out)
    assert run.column("kl").values.tolist() == [0.5, 0.5]
    assert (run.attempts, run.attempt) == (2, 1)

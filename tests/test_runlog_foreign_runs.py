"""Real runs of other trainers: read whole, and never called a fault."""

import lzma
from pathlib import Path

import numpy as np
import pytest

from analyzer.answers import answers
from runlog.importers import read_log
from runlog.run import Run

RUNS = Path(__file__).resolve().parent / "foreign_runs" / "sb3-contrib"
TABLES = sorted(RUNS.glob("*/progress.csv.xz"))
MAPPING = {
    "time/iterations": "iteration",
    "time/total_timesteps": "timesteps",
    "rollout/ep_rew_mean": "episode_return_mean",
    "rollout/ep_len_mean": "episode_length_mean",
    "train/is_line_search_success": "line_search_success",
    "train/explained_variance": "explained_variance",
    "train/kl_divergence_loss": "kl",
    "train/value_loss": "value_loss_after",
}


def imported(path: Path) -> Run:
    """progress.csv of one run through the importer for tables."""
    return read_log(lzma.decompress(path.read_bytes()), name=path.parent.name, mapping=MAPPING)


def test_there_are_foreign_runs() -> None:
    assert TABLES


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.parent.name)
def test_every_row_of_a_progress_file_is_read(path: Path) -> None:
    lines = lzma.decompress(path.read_bytes()).decode().splitlines()
    run = imported(path)
    assert len(run) == len(lines) - 1
    steps = run.column("timesteps").values
    assert (np.diff(steps) == steps[0]).all()
    assert run.column("kl").present[1:].all()  # the first row is written before any update


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.parent.name)
def test_no_prefix_of_a_healthy_foreign_run_is_called_a_fault(path: Path) -> None:
    judged = answers(imported(path))
    alarms = [i for i in range(len(judged.run)) if judged.at(i).verdict == "fault"]
    assert alarms == []


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.parent.name)
def test_the_printed_tables_hold_the_numbers_of_the_progress_file(path: Path) -> None:
    printed = lzma.decompress((path.parent / "log.txt.xz").read_bytes()).decode()
    shown = [line.split("|")[2] for line in printed.splitlines() if " total_timesteps " in line]
    assert [float(value) for value in shown] == imported(path).column("timesteps").values.tolist()

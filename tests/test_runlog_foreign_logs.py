"""Every real log in foreign_logs: recognised, whole, and judged as its README says."""

import ast
import csv
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from analyzer.answers import answers
from runlog.errors import UserError
from runlog.reader import open_run
from runlog.run import Run

LOGS = Path(__file__).resolve().parent / "foreign_logs"
Found = Callable[[Path, str], list[float]]

SB3 = {
    "time/total_timesteps": ("timesteps", 1.0),
    "rollout/ep_rew_mean": ("episode_return_mean", 1.0),
    "rollout/ep_len_mean": ("episode_length_mean", 1.0),
    "train/explained_variance": ("explained_variance", 1.0),
}
SB3_TRPO = SB3 | {
    "train/kl_divergence_loss": ("kl", 1.0),
    "train/policy_objective": ("policy_loss", -1.0),
    "train/is_line_search_success": ("line_search_success", 1.0),
}
SB3_PPO = SB3 | {
    "train/approx_kl": ("kl", 1.0),
    "train/entropy_loss": ("entropy", -1.0),
    "train/policy_gradient_loss": ("policy_loss", 1.0),
}
SB3_A2C = SB3 | {"train/entropy_loss": ("entropy", -1.0), "train/policy_loss": ("policy_loss", 1.0)}
SEARCH = {
    "EpRewMean": ("episode_return_mean", 1.0),
    "EpLenMean": ("episode_length_mean", 1.0),
    "TimestepsSoFar": ("timesteps", 1.0),
    "meankl": ("kl", 1.0),
    "surrgain": ("policy_loss", -1.0),
    "entropy": ("entropy", 1.0),
}
BASELINES = SEARCH | {"ev_tdlam_before": ("explained_variance", 1.0)}
SB2 = SEARCH | {"explained_variance_tdlam_before": ("explained_variance", 1.0)}
CUT = {"explained_variance_tdlam_before": "explained_variance_t..."}
"""Keys that boxes show cut."""
PPO1 = {
    "EpRewMean": ("episode_return_mean", 1.0),
    "loss_kl": ("kl", 1.0),
    "loss_ent": ("entropy", 1.0),
    "loss_pol_surr": ("policy_loss", 1.0),
}
PPO2 = {
    "total_timesteps": ("timesteps", 1.0),
    "approxkl": ("kl", 1.0),
    "policy_entropy": ("entropy", 1.0),
    "policy_loss": ("policy_loss", 1.0),
    "explained_variance": ("explained_variance", 1.0),
}
A2C = {"total_timesteps": ("timesteps", 1.0), "policy_entropy": ("entropy", 1.0)}
GARAGE = {
    "TotalEnvSteps": ("timesteps", 1.0),
    "Evaluation/AverageReturn": ("episode_return_mean", 1.0),
    "GaussianMLPPolicy/KL": ("kl", 1.0),
    "GaussianMLPPolicy/dLoss": ("actual_improvement", 1.0),
    "GaussianMLPPolicy/Entropy": ("entropy", 1.0),
}
OMNISAFE = {
    "TotalEnvSteps": ("timesteps", 1.0),
    "Metrics/EpRet": ("episode_return_mean", 1.0),
    "Misc/gradient_norm": ("gradient_norm", 1.0),
    "Misc/H_inv_g": ("step_direction_norm", 1.0),
    "Misc/FinalStepNorm": ("parameter_delta_norm", 1.0),
}
RSL_RL = {
    "Total steps": ("timesteps", 1.0),
    "Mean reward": ("episode_return_mean", 1.0),
    "Mean surrogate loss": ("policy_loss", 1.0),
    "Mean entropy loss": ("entropy", 1.0),
    "Mean value loss": ("value_loss_after", 1.0),
}
PFRL = {
    "steps": ("timesteps", 1.0),
    "mean": ("episode_return_mean", 1.0),
    "average_kl": ("kl", 1.0),
    "average_entropy": ("entropy", 1.0),
}
RLLIB = {
    "num_env_steps_sampled_lifetime": ("timesteps", 1.0),
    "env_runners/episode_return_mean": ("episode_return_mean", 1.0),
    "learners/default_policy/mean_kl_loss": ("kl", 1.0),
    "learners/default_policy/entropy": ("entropy", 1.0),
}
TRL = {
    "reward": ("episode_return_mean", 1.0),
    "grad_norm": ("gradient_norm", 1.0),
    "entropy": ("entropy", 1.0),
}


def in_a_box(path: Path, key: str) -> list[float]:
    """The numbers of a key in printed tables `| key | value |`."""
    row = re.compile(rf"\| +{re.escape(CUT.get(key, key).rpartition('/')[2])} +\| (\S+) +\|")
    return [float(value) for value in row.findall(path.read_text("utf-8"))]


def in_a_box_of_whole_keys(path: Path, key: str) -> list[float]:
    """The same where keys have slashes of their own."""
    row = re.compile(rf"│ {re.escape(key)} +│ (\S+) +│")
    return [float(value) for value in row.findall(path.read_text("utf-8"))]


def after_a_key(path: Path, key: str) -> list[float]:
    """The numbers that follow a key at the start of its line."""
    row = re.compile(rf"^ *{re.escape(key)}:? +(-?\d\S*)", re.MULTILINE)
    return [float(value) for value in row.findall(path.read_text("utf-8"))]


def in_a_column(path: Path, key: str) -> list[float]:
    """The cells of a table's column."""
    lines = path.read_text("utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t" if "\t" in lines[0] else ",")
    return [float(row[key]) for row in rows if row[key]]


def in_json(path: Path, key: str) -> list[float]:
    """The numbers of a key, or of a path of keys, in lines of JSON."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        value = row = json.loads(line)
        if key not in row:
            for step in key.split("/"):
                value = value.get(step) if isinstance(value, dict) else None
        else:
            value = row[key]
        if value is not None:
            found.append(float(value))
    return found


def in_dictionaries(path: Path, key: str) -> list[float]:
    """The numbers of a key in printed Python dictionaries."""
    dictionaries = re.findall(r"\{'loss'.*?\}", path.read_text("utf-8"))
    return [float(ast.literal_eval(one)[key]) for one in dictionaries]


PRINTED: Mapping[str, tuple[Found, str, int, Mapping[str, tuple[str, float]]]] = {
    **{f"sb3/{n}": (in_a_box, "sb3", 10, SB3_TRPO) for n in ("trpo-pendulum", "trpo-hopper")},
    "sb3/trpo-constant": (in_a_box, "sb3", 10, SB3_TRPO),
    "sb3/trpo-nan": (in_a_box, "sb3", 2, SB3_TRPO),
    "sb3/ppo-pendulum": (in_a_box, "sb3", 10, SB3_PPO),
    "sb3/ppo-cartpole": (in_a_box, "sb3", 10, SB3_PPO),
    "sb3/ppo-learning-rate": (in_a_box, "sb3", 2, SB3_PPO),
    "sb3/a2c-cartpole": (in_a_box, "sb3", 40, SB3_A2C),
    "rl_zoo3": (in_a_box, "sb3", 8, SB3_TRPO),
    "baselines/trpo": (in_a_box, "baselines-trpo", 12, BASELINES),
    "baselines/zero": (in_a_box, "baselines-trpo", 12, BASELINES),
    "baselines/failing": (in_a_box, "baselines-trpo", 12, BASELINES),
    "baselines/ppo2": (in_a_box, "baselines", 23, PPO2),
    "sb2/trpo": (in_a_box, "baselines-trpo", 12, SB2),
    "sb2/trpo-zero": (in_a_box, "baselines-trpo", 12, SB2),
    "sb2/ppo1": (in_a_box, "baselines-ppo1", 47, PPO1),
    "sb2/ppo2": (in_a_box, "baselines", 24, PPO2),
    "sb2/a2c": (in_a_box, "baselines", 25, A2C),
    "garage": (after_a_key, "garage", 9, GARAGE),
    "omnisafe/trpo": (in_a_box_of_whole_keys, "omnisafe", 6, OMNISAFE),
    "omnisafe/tiny": (in_a_box_of_whole_keys, "omnisafe", 12, OMNISAFE),
    "rsl_rl": (after_a_key, "rsl-rl", 30, RSL_RL),
    "trl": (in_dictionaries, "trl jsonl", 30, TRL),
}
"""By folder of a stdout.txt: how to find its numbers here, its format, rows and keys."""

FILES: Mapping[str, tuple[Found, str, int, Mapping[str, tuple[str, float]]]] = {
    "sb2/trpo/log.txt": (in_a_box, "baselines-trpo", 12, SB2),
    "pfrl/scores.txt": (in_a_column, "chainerrl csv", 10, PFRL),
    "rllib/progress.csv": (in_a_column, "rllib csv", 8, RLLIB),
    "rllib/result.json": (in_json, "rllib jsonl", 3, RLLIB),
}
"""The same for files that are not what a folder's stdout.txt says."""

REST = {
    "baselines/one-action/stdout.txt",
    "mushroom/stdout.txt",
    "pfrl/stdout.txt",
    "sb3/trpo-restarted/stdout.txt",
    "tianshou/trpo/stdout.txt",
}
"""Printed text of which something else is said below."""

BROKEN = {
    "baselines/failing": "TRPO604",
    "sb3/ppo-learning-rate": "TRPO001",
    "sb3/trpo-nan": "TRPO001",
}
"""Folders whose stdout.txt shows a fault, and its code."""
UNDECIDED = ("baselines/zero", "sb2/trpo-zero", "omnisafe/tiny")
"""Broken in a way that the numbers in the text do not prove."""
UNSEEN = ("sb3/trpo-constant",)
"""Every reward 1, which means of returns do not show."""


def values(run: Run, column: str) -> list[float]:
    """A column's values where there are some."""
    found = run.column(column)
    return [float(value) for value in found.values[found.present]]


def tables() -> dict[str, tuple[Found, str, int, Mapping[str, tuple[str, float]]]]:
    """Every file this test reads by itself."""
    known = {f"{folder}/stdout.txt": told for folder, told in PRINTED.items()} | dict(FILES)
    kinds = {"progress.csv": (in_a_column, "csv"), "progress.json": (in_json, "jsonl")}
    for folder, (_, name, rows, keys) in PRINTED.items():
        for file, (find, kind) in kinds.items():
            if (LOGS / folder / file).exists():
                known[f"{folder}/{file}"] = (find, f"{name} {kind}", rows, keys)
    return known


@pytest.mark.parametrize("name", sorted(tables()))
def test_every_number_of_a_real_log_is_in_its_column(name: str) -> None:
    find, format_, rows, keys = tables()[name]
    run = open_run(LOGS / name)
    assert run.source is not None
    assert (run.source.format, len(run)) == (format_, rows)
    for key, (column, factor) in keys.items():
        expected = [factor * value for value in find(LOGS / name, key)]
        assert expected, key
        np.testing.assert_array_equal(values(run, column), expected, err_msg=key)


def test_every_file_is_tested() -> None:
    tested = set(tables()) | REST
    files = {path.relative_to(LOGS).as_posix() for path in LOGS.rglob("*") if path.is_file()}
    by_others = re.compile(
        r"(README|MEANINGS)\.md|.*monitor\.csv|.*events\.out.*|rl_zoo3/trpo/.*|tensorboard/.*"
    )
    assert {name for name in files - tested if not by_others.fullmatch(name)} == set()


@pytest.mark.parametrize("folder", sorted(set(PRINTED) - set(BROKEN) - {*UNDECIDED, *UNSEEN}))
def test_no_row_of_a_healthy_log_is_called_a_fault(folder: str) -> None:
    judged = answers(open_run(LOGS / folder / "stdout.txt"))
    assert [i for i in range(len(judged.run)) if judged.at(i).verdict == "fault"] == []


@pytest.mark.parametrize(("folder", "code"), BROKEN.items())
def test_a_broken_log_is_called_what_it_is(folder: str, code: str) -> None:
    run = open_run(LOGS / folder / "stdout.txt")
    diagnosis = answers(run).at(len(run) - 1)
    assert diagnosis.cause is not None
    assert diagnosis.cause.code == code


@pytest.mark.parametrize("folder", UNDECIDED)
def test_a_log_that_does_not_tell_is_not_called_healthy(folder: str) -> None:
    run = open_run(LOGS / folder / "stdout.txt")
    assert answers(run).at(len(run) - 1).verdict == "unknown"


def test_a_run_started_again_into_its_text_is_two_attempts() -> None:
    path = LOGS / "sb3" / "trpo-restarted" / "stdout.txt"
    run = open_run(path)
    assert (run.attempt, len(run)) == (2, 10)
    for key, (column, factor) in SB3_TRPO.items():
        printed = in_a_box(path, key)[-len(values(run, column)) :]
        assert values(run, column) == [factor * value for value in printed]


def test_a_gradient_of_zero_is_a_skipped_update_of_a_crashed_run() -> None:
    run = open_run(LOGS / "baselines" / "one-action" / "stdout.txt")
    assert run.column("update_outcome").values.tolist() == ["skipped-gradient"]
    assert run.state.name == "crashed"
    assert "UnboundLocalError" in str(run.state.reason)


@pytest.mark.parametrize(
    ("folder", "rows", "first", "last"),
    [
        ("skrl", 16, -1472.661376953125, -1075.1898193359375),
        ("tianshou/trpo", 12, -1118.16650390625, -962.5439453125),
        ("tianshou/tiny", 12, -1111.3072509765625, -1269.1142578125),
    ],
)
def test_returns_of_event_files_are_those_that_tensorboard_reads(
    folder: str, rows: int, first: float, last: float
) -> None:
    run = open_run(next((LOGS / folder).glob("events*")))
    returns = values(run, "episode_return_mean")
    assert (len(run), returns[0], returns[-1]) == (rows, first, last)


@pytest.mark.parametrize("name", ["mushroom", "pfrl", "tianshou/trpo"])
def test_text_of_a_format_that_is_not_known_is_one_line_that_names_its_keys(name: str) -> None:
    with pytest.raises(UserError, match=r"no known log format \(keys found: "):
        open_run(LOGS / name / "stdout.txt")

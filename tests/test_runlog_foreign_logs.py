"""Every real log in foreign_logs: recognised, whole, and judged as its README says."""

import re
from collections.abc import Mapping
from pathlib import Path

import foreign_numbers as known
import numpy as np
import pytest
from foreign_numbers import Found, after_a_key, in_a_box, in_a_column, in_json

from analyzer.answers import answers
from runlog.errors import UserError
from runlog.reader import open_run
from runlog.run import Run

LOGS = Path(__file__).resolve().parent / "foreign_logs"
Told = tuple[Found, str, int, Mapping[str, tuple[str, float]]]
"""How to find a file's numbers without the importers; its format, rows, and columns by key."""

PRINTED: Mapping[str, Told] = {
    **{f"sb3/{n}": (in_a_box, "sb3", 10, known.SB3_TRPO) for n in ("trpo-pendulum", "trpo-hopper")},
    "sb3/trpo-constant": (in_a_box, "sb3", 10, known.SB3_TRPO),
    "sb3/trpo-nan": (in_a_box, "sb3", 2, known.SB3_TRPO),
    "sb3/ppo-pendulum": (in_a_box, "sb3", 10, known.SB3_PPO),
    "sb3/ppo-cartpole": (in_a_box, "sb3", 10, known.SB3_PPO),
    "sb3/ppo-learning-rate": (in_a_box, "sb3", 2, known.SB3_PPO),
    "sb3/a2c-cartpole": (in_a_box, "sb3", 40, known.SB3_A2C),
    "rl_zoo3": (in_a_box, "sb3", 8, known.SB3_TRPO),
    "baselines/trpo": (in_a_box, "baselines-trpo", 12, known.BASELINES),
    "baselines/zero": (in_a_box, "baselines-trpo", 12, known.BASELINES),
    "baselines/failing": (in_a_box, "baselines-trpo", 12, known.BASELINES),
    "baselines/ppo2": (in_a_box, "baselines", 23, known.PPO2),
    "sb2/trpo": (in_a_box, "baselines-trpo", 12, known.SB2),
    "sb2/trpo-zero": (in_a_box, "baselines-trpo", 12, known.SB2),
    "sb2/ppo1": (in_a_box, "baselines-ppo1", 47, known.PPO1),
    "sb2/ppo2": (in_a_box, "baselines", 24, known.PPO2),
    "sb2/a2c": (in_a_box, "baselines", 25, known.A2C),
    "garage": (after_a_key, "garage", 9, known.GARAGE),
    "omnisafe/trpo": (known.in_a_box_of_whole_keys, "omnisafe", 6, known.OMNISAFE),
    "omnisafe/tiny": (known.in_a_box_of_whole_keys, "omnisafe", 12, known.OMNISAFE),
    "rsl_rl": (after_a_key, "rsl-rl", 30, known.RSL_RL),
    "mushroom": (after_a_key, "mushroom-rl", 10, known.MUSHROOM),
    "trl/constant": (known.in_dictionaries, "trl jsonl", 30, known.TRL),
    "trl": (known.in_dictionaries, "trl jsonl", 30, known.TRL),
}
"""By folder of a stdout.txt: how to find its numbers here, its format, rows and keys."""

FILES: Mapping[str, Told] = {
    "sb2/trpo/log.txt": (in_a_box, "baselines-trpo", 12, known.SB2),
    "pfrl/scores.txt": (in_a_column, "chainerrl csv", 10, known.PFRL),
    "rllib/progress.csv": (in_a_column, "rllib csv", 8, known.RLLIB),
    "rllib/result.json": (in_json, "rllib jsonl", 3, known.RLLIB),
}
"""The same for files that are not what a folder's stdout.txt says."""

REST = {
    "baselines/one-action/stdout.txt",
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
UNSEEN = ("sb3/trpo-constant", "trl/constant")
"""Every reward 1."""


def values(run: Run, column: str) -> list[float]:
    """A column's values where there are some."""
    found = run.column(column)
    return [float(value) for value in found.values[found.present]]


def tables() -> dict[str, Told]:
    """Every file this test reads by itself."""
    found = {f"{folder}/stdout.txt": told for folder, told in PRINTED.items()} | dict(FILES)
    kinds = {"progress.csv": (in_a_column, "csv"), "progress.json": (in_json, "jsonl")}
    for folder, (_, name, rows, keys) in PRINTED.items():
        for file, (find, kind) in kinds.items():
            if (LOGS / folder / file).exists():
                found[f"{folder}/{file}"] = (find, f"{name} {kind}", rows, keys)
    return found


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
    for key, (column, factor) in known.SB3_TRPO.items():
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


@pytest.mark.parametrize("name", ["pfrl", "tianshou/trpo"])
def test_text_of_a_format_that_is_not_known_is_one_line_that_names_its_keys(name: str) -> None:
    with pytest.raises(UserError, match=r"no known log format \(keys found: "):
        open_run(LOGS / name / "stdout.txt")

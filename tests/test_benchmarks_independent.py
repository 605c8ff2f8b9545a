"""The fault bench's independent trainers: they learn as TRPO does, and break as they are told."""

import math
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))

from bench_case import Case
from independent import plain_faults, sb3_trpo
from independent.cases import MISTAKES, cases
from independent.run import place, train

from analyzer.rules import RULES
from runlog import open_run
from runlog.run import Run

SMALL: dict[str, dict[str, Any]] = {
    "plain": {"environments": 2, "steps": 64, "vf_iters": 5},
    "sb3": {"n_steps": 32, "batch_size": 128, "n_critic_updates": 2},
}


def made(out: Path, trainer: Any, fault: str = "", onset: int = 0, iterations: int = 3) -> Run:
    """A short run, small enough for a test."""
    case = Case(
        name=fault or "healthy",
        part="held",
        trainer=trainer,
        env="InvertedPendulum-v5",
        seed=5,
        iterations=iterations,
        settings=SMALL[trainer],
        fault=fault,
        onset=onset,
    )
    assert train((case, out)) == (case.name, "")
    return open_run(place(out, case))


def numbers(run: Run, column: str) -> list[float]:
    return [float(value) for value in run.column(column).values]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A healthy run of the plain trainer."""
    return made(tmp_path_factory.mktemp("plain"), "plain")


@pytest.fixture(scope="module")
def sb3(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A healthy run of sb3-contrib's."""
    return made(tmp_path_factory.mktemp("sb3"), "sb3")


def test_the_plain_trainer_obeys_the_identities(plain: Run) -> None:
    step, direction = numbers(plain, "full_step_norm"), numbers(plain, "step_direction_norm")
    expected = numbers(plain, "expected_improvement")
    for s, x, gain in zip(step, direction, expected, strict=True):
        assert gain * s / x == pytest.approx(2 * 0.01, rel=1e-2)
    assert numbers(plain, "ratio_before_mean") == pytest.approx([1.0] * 3, abs=1e-6)
    assert all(0 < kl <= 0.015 for kl in numbers(plain, "kl"))
    moved = numbers(plain, "parameter_delta_norm")
    applied = [f * s for f, s in zip(numbers(plain, "step_fraction"), step, strict=True)]
    assert moved == pytest.approx(applied, rel=1e-3)


def test_the_plain_trainer_logs_the_advantages_of_its_own_window(plain: Run) -> None:
    window = {
        name: list(plain.lists(f"window_{name}")[0])
        for name in ("reward", "value", "next_value", "advantage", "terminated", "truncated")
    }
    for t in range(len(window["reward"]) - 1):
        following = window["next_value"][t] * (1 - window["terminated"][t])
        delta = window["reward"][t] + 0.99 * following - window["value"][t]
        goes_on = 1 - max(window["terminated"][t], window["truncated"][t])
        rest = 0.99 * 0.97 * goes_on * window["advantage"][t + 1]
        assert window["advantage"][t] == pytest.approx(delta + rest, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("fault", "column", "value"),
    [
        ("self-referential-kl", "kl", 0.0),
        ("parameters-not-applied", "parameter_delta_norm", 0.0),
        ("detached-gradient", "gradient_norm", 0.0),
        ("zero-step", "full_step_norm", 0.0),
        ("flipped-line-search", "step_fraction", 0.0),
    ],
)
def test_a_mistake_of_the_plain_trainer_begins_at_its_onset(
    tmp_path: Path, plain: Run, fault: str, column: str, value: float
) -> None:
    values = numbers(made(tmp_path, "plain", fault, onset=2), column)
    healthy = numbers(plain, column)
    assert values[0] == healthy[0]
    assert values[2] == value != healthy[2]


@pytest.mark.parametrize(
    ("fault", "column", "broken"),
    [
        ("flipped-gradient", "step_fraction", 0.0),
        ("frozen-critic", "value_parameter_delta_norm", 0.0),
        ("constant-reward", "reward_std", 0.0),
    ],
)
def test_a_mistake_around_sb3_begins_at_its_onset(
    tmp_path: Path, sb3: Run, fault: str, column: str, broken: float
) -> None:
    values = numbers(made(tmp_path, "sb3", fault, onset=3), column)
    healthy = numbers(sb3, column)
    assert values[:2] == healthy[:2]
    assert values[2] == broken != healthy[2]


def test_a_trainer_that_breaks_over_its_fault_leaves_its_run(tmp_path: Path) -> None:
    case = Case(
        name="broken",
        part="held",
        trainer="sb3",
        env="InvertedPendulum-v5",
        seed=5,
        iterations=2,
        settings=SMALL["sb3"],
        fault="nan-reward",
        onset=1,
    )
    _, trouble = train((case, tmp_path))
    run = open_run(place(tmp_path, case))
    assert trouble.startswith("ValueError")
    assert math.isnan(numbers(run, "reward_mean")[0])
    assert run.state.name == "crashed"


def test_every_mistake_can_be_made_and_its_label_is_a_rule() -> None:
    codes = {rule.code for rule in RULES}
    faults = {"plain": plain_faults.FAULTS, "sb3": sb3_trpo.FAULTS}
    for mistake in MISTAKES:
        assert 1 <= len(mistake.label) <= 2
        assert set(mistake.label) <= codes
        assert all(mistake.fault in faults[trainer] for trainer in mistake.trainers)
    for trainer, known in faults.items():
        assert set(known) == {m.fault for m in MISTAKES if trainer in m.trainers}


def test_the_independent_runs_are_as_many_as_promised() -> None:
    found = cases()
    assert len({(case.trainer, case.name) for case in found}) == len(found)
    assert sum(case.trainer == "plain" and not case.label for case in found) >= 20
    assert sum(case.trainer == "sb3" and not case.label for case in found) >= 10

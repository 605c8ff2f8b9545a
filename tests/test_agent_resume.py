"""A resumed run equals the uninterrupted one, bit for bit, however it was interrupted."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from torch import nn

from agent import checkpoint
from agent.__main__ import main
from agent.config import Config
from agent.reproduction import difference
from agent.training import Training
from agent.trpo_agent import TRPOAgent
from runlog import RunLog, open_run
from runlog.run import Run
from runlog.schema import BY_NAME

SMALL = (
    "--steps-per-iteration=96",
    "--environments=3",
    "--warm-up-steps=48",
    "--vf-iters=2",
    "--hidden=16,16",
)
TASKS = ("HalfCheetah-v5", "Hopper-v5", "Ant-v5", "Own-v0")


class Own(gymnasium.Env[Any, Any]):
    """A noisy point of the user's own, whose state can be stored; it may stop its own process."""

    action_space = Box(-1.0, 1.0, (2,), np.float32)
    observation_space = Box(-np.inf, np.inf, (2,), np.float64)
    signalled = False

    def __init__(self, at: int = 0, sends: str = "") -> None:
        self.at, self.sends, self.steps = at, sends, 0
        self.place = np.zeros(2)
        self.goals: dict[str, Any] = {"path": [np.zeros(2, dtype=np.float32)], "n": 0}

    def save_state(self) -> dict[str, Any]:
        return {"place": self.place, "goals": self.goals, "steps": self.steps}

    def restore_state(self, state: dict[str, Any]) -> None:
        self.place, self.goals, self.steps = state["place"], state["goals"], state["steps"]

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = self.np_random.normal(size=2)
        self.goals = {"path": [self.np_random.normal(size=2).astype(np.float32)], "n": 0}
        return self.place.copy(), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        if self.steps == self.at and not Own.signalled:
            Own.signalled = True
            os.kill(os.getpid(), getattr(signal, self.sends))
        self.place = self.place + 0.1 * action + 0.01 * self.np_random.normal(size=2)
        self.goals["n"] += 1
        if self.goals["n"] % 7 == 0:
            self.goals["path"].append(self.np_random.normal(size=2).astype(np.float32))
        reward = -float(np.abs(self.place - self.goals["path"][-1]).sum())
        return self.place.copy(), reward, bool(abs(self.place[0]) > 2.5), False, {}


class Mute(Own):
    """The same, but nobody can ask it for its state."""

    save_state = None  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def _own() -> Iterator[None]:
    Own.signalled = False
    gymnasium.register("Own-v0", Own, max_episode_steps=40)
    gymnasium.register("Mute-v0", Mute, max_episode_steps=40)
    yield
    del gymnasium.registry["Own-v0"], gymnasium.registry["Mute-v0"]


def _train(run: Path, *arguments: str, env: str = "Own-v0") -> int:
    return main(["train", f"--env={env}", f"--out={run}", *SMALL, *arguments])


def _theta(run: Path) -> torch.Tensor:
    state = checkpoint.latest(run)[0]
    parts = [
        *state["policy"].values(),
        *(v for v in state["critic"].values() if torch.is_tensor(v)),
    ]
    return torch.cat([part.reshape(-1).double() for part in parts])


def _assert_equal(resumed: Path, whole: Path) -> None:
    one, other = open_run(whole), open_run(resumed)
    assert len(one) == len(other)
    assert difference(one, other) is None
    assert torch.equal(_theta(whole), _theta(resumed))


def _kinds(run: Run) -> list[str]:
    return [event.kind for event in run.events]


def _assert_same_rows(one: Training, other: Training) -> None:
    """Both train to their end alike."""
    rows = 0
    for left, right in zip(one, other, strict=True):
        rows += 1
        for name, value in left.items():
            if name not in BY_NAME or not BY_NAME[name].clocked:
                assert repr(value) == repr(right[name]), name
    assert rows == 3
    assert torch.equal(one.policy.theta(), other.policy.theta())
    assert torch.equal(one.critic.theta, other.critic.theta)


@pytest.mark.parametrize("env", TASKS)
@pytest.mark.parametrize("rewards", ["--normalise-rewards", "--no-normalise-rewards"])
def test_snapshot_in_another_training_goes_on_bit_for_bit(
    env: str, rewards: str, tmp_path: Path
) -> None:
    config = Config(
        env=env,
        iterations=6,
        steps_per_iteration=96,
        environments=3,
        warm_up_steps=48,
        vf_iters=2,
        normalise_rewards=rewards == "--normalise-rewards",
    )
    one = Training.from_config(config)
    for _ in range(3):
        next(one)
    path = checkpoint.save(tmp_path, one.snapshot())
    other = Training.from_config(config)
    assert other.restore(checkpoint.load(path)) is None
    _assert_same_rows(one, other)


class Shared(nn.Module):
    """A policy whose first layer is the critic's too."""

    def __init__(self, trunk: nn.Module, outputs: int) -> None:
        super().__init__()
        self.trunk, self.head = trunk, nn.Linear(8, outputs)
        self.outputs = outputs

    def forward(self, observation: torch.Tensor) -> Any:
        head = self.head(self.trunk(observation))
        return head if self.outputs == 1 else head.chunk(2, -1)


def test_own_policy_and_critic_with_shared_layers_go_on_bit_for_bit(tmp_path: Path) -> None:
    def make() -> Training:
        torch.manual_seed(3)
        trunk = nn.Sequential(nn.Linear(2, 8), nn.Tanh())
        policy, critic = Shared(trunk, 4), Shared(trunk, 1)
        env = gymnasium.make("Own-v0")
        return TRPOAgent(env, policy, critic=critic, iterations=6, steps_per_iteration=96)

    one, other = make(), make()
    for _ in range(3):
        next(one)
    path = checkpoint.save(tmp_path, one.snapshot())
    assert other.restore(checkpoint.load(path)) is None
    _assert_same_rows(one, other)


def _child(run: Path, *arguments: str, env: str = "Own-v0") -> list[str]:
    """The command that trains as a process of its own, which knows `Own-v0` too."""
    here = Path(__file__)
    code = (
        f"import sys; sys.path.append({str(here.parent)!r})\n"
        f"import gymnasium, {here.stem} as tests\n"
        "from agent.__main__ import main\n"
        "gymnasium.register('Own-v0', tests.Own, max_episode_steps=40)\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-P", "-c", code, "train", f"--env={env}", f"--out={run}"]
    return [*command, *SMALL, *arguments]


def _interrupt(run: Path, number: int, rows: int, *arguments: str, env: str) -> int:
    """Train as a process, send it a signal after so many rows, and return its exit code."""
    command = _child(run, "--iterations=1000000", *arguments, env=env)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            while not (run / "run.json").exists() or len(open_run(run)) < rows:
                assert process.poll() is None
                time.sleep(0.02)
        finally:
            process.send_signal(number)
    return process.returncode


@pytest.mark.parametrize(("env", "name"), [("HalfCheetah-v5", "SIGTERM"), ("Hopper-v5", "SIGKILL")])
def test_interrupted_process_goes_on_as_if_nothing_had_happened(
    env: str, name: str, tmp_path: Path
) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    number = getattr(signal, name)
    every = "--checkpoint-every=7"  # a killed run has rows beyond its checkpoint, nearly always
    code = _interrupt(cut, number, 10, every, "--normalise-rewards", env=env)
    assert code == (-number if name == "SIGKILL" else 128 + number)
    rows = len(open_run(cut))
    last = f"--iterations={rows + 4}"
    assert main(["train", f"--resume={cut}", last]) == 0
    assert _train(whole, every, last, "--normalise-rewards", env=env) == 0
    _assert_equal(cut, whole)
    resumed = open_run(cut)
    assert "environments-reset" not in _kinds(resumed)
    assert resumed.column("iteration").values.tolist() == list(range(1, rows + 5))


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("rewards", ["--normalise-rewards", "--no-normalise-rewards"])
def test_run_stopped_in_the_middle_of_a_batch_goes_on_as_if_nothing_had_happened(
    name: str, rewards: str, tmp_path: Path
) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    at = (f"--env-arg=at={16 + 2 * 32 + 7}", f"--env-arg=sends={name}", rewards, "--iterations=5")
    assert _train(cut, *at) == 128 + getattr(signal, name)
    assert len(open_run(cut)) == 2
    assert main(["train", f"--resume={cut}"]) == 0
    assert _train(whole, *at) == 0
    _assert_equal(cut, whole)


def test_killed_in_the_middle_of_a_batch_the_rows_after_the_checkpoint_are_superseded(
    tmp_path: Path,
) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    at = f"--env-arg=at={16 + 5 * 32 + 7}"  # after warm-up, in iteration 6
    kill = (at, "--env-arg=sends=SIGKILL", "--checkpoint-every=3", "--iterations=9")
    done = subprocess.run(_child(cut, *kill), stderr=subprocess.DEVNULL, check=False)
    assert done.returncode == -signal.SIGKILL
    killed = open_run(cut)
    assert (len(killed), killed.state.name) == (5, "killed")
    Own.signalled = True
    assert main(["train", f"--resume={cut}"]) == 0
    assert _train(whole, *kill) == 0
    _assert_equal(cut, whole)
    resumed = open_run(cut)
    assert resumed.attempts == 2
    assert resumed.column("attempt").values.tolist() == [1] * 3 + [2] * 6
    assert open_run(cut, attempt=1).column("iteration").values.tolist() == [1, 2, 3, 4, 5]


def test_signal_before_the_first_iteration_is_done_leaves_a_run_that_goes_on(
    tmp_path: Path,
) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    at = ("--env-arg=sends=SIGTERM", "--env-arg=at=3", "--iterations=3")
    assert _train(cut, *at) == 128 + signal.SIGTERM
    stopped = open_run(cut)
    assert (len(stopped), stopped.state.reason) == (0, "SIGTERM after iteration 0")
    assert main(["train", f"--resume={cut}"]) == 0
    assert _train(whole, *at) == 0
    _assert_equal(cut, whole)


def test_environments_without_a_state_start_anew_and_an_event_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    at = ("--env-arg=sends=SIGTERM", f"--env-arg=at={16 + 2 * 32 + 7}", "--iterations=4")
    assert _train(run, *at, env="Mute-v0") == 128 + signal.SIGTERM
    assert main(["train", f"--resume={run}"]) == 0
    resumed = open_run(run)
    assert resumed.column("iteration").values.tolist() == [1, 2, 3, 4]
    (said,) = (event.text for event in resumed.events if event.kind == "environments-reset")
    assert "the checkpoint of iteration 2; they cannot hand over their state" in said
    assert said in capsys.readouterr().err.splitlines()


def test_other_arguments_of_the_environment_are_in_force_in_new_episodes(tmp_path: Path) -> None:
    run = tmp_path / "run"
    at = ("--env-arg=sends=SIGTERM", f"--env-arg=at={16 + 2 * 32 + 7}", "--iterations=4")
    assert _train(run, *at) == 128 + signal.SIGTERM
    assert main(["train", f"--resume={run}", "--env-arg=at=0"]) == 0
    resumed = open_run(run)
    (said,) = (event.text for event in resumed.events if event.kind == "environments-reset")
    assert "they are made with other arguments" in said


@pytest.mark.parametrize(
    "fault", ["stale-old-policy", "nan-reward@2", "tiny-max-kl@4", "critic-first"]
)
def test_run_with_a_fault_goes_on_with_it(fault: str, tmp_path: Path) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    at = (f"--env-arg=at={16 + 2 * 32 + 7}", "--env-arg=sends=SIGTERM", "--iterations=5")
    assert _train(cut, *at, f"--fault={fault}") == 128 + signal.SIGTERM
    assert main(["train", f"--resume={cut}"]) == 0
    assert _train(whole, *at, f"--fault={fault}") == 0
    _assert_equal(cut, whole)


@pytest.mark.parametrize(
    ("sends", "code"), [(("SIGTERM",), 143), (("SIGTERM",) * 2, 143), (("SIGINT",) * 2, 130)]
)
def test_signals_while_a_checkpoint_is_written_cost_nothing(
    sends: tuple[str, ...], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent before the new file has its name: a second Ctrl-C does not wait for that."""
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    replace, left = Path.replace, list(sends)

    def interrupted(self: Path, target: Path) -> Path:
        while left and target.name == "000000000002.pt":
            signal.raise_signal(getattr(signal, left.pop()))
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.Path, "replace", interrupted)
        assert _train(cut, "--iterations=4", "--checkpoint-every=1") == code
    assert checkpoint.latest(cut)[0]["iteration"] == 2
    assert open_run(cut).state.name == "stopped"
    assert main(["train", f"--resume={cut}"]) == 0
    assert _train(whole, "--iterations=4", "--checkpoint-every=1") == 0
    _assert_equal(cut, whole)


def test_signal_that_comes_with_the_last_iteration_stops_nothing(tmp_path: Path) -> None:
    run = tmp_path / "run"
    last = f"--env-arg=at={16 + 2 * 32}"
    assert _train(run, last, "--env-arg=sends=SIGTERM", "--iterations=2") == 0
    assert open_run(run).state.name == "finished"


def test_finished_run_goes_on_in_another_folder_and_equals_the_longer_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short, longer, whole = (tmp_path / name for name in ("short", "longer", "whole"))
    assert _train(short, "--iterations=4", "--fault=nan-reward@3") == 0
    content = (short / "run.parquet").read_bytes()
    assert main(["train", f"--resume={short}", "--iterations=6"]) == 2
    assert "goes on with it in another folder" in capsys.readouterr().err
    assert main(["train", f"--resume={short}", f"--out={longer}"]) == 2
    assert "--iterations 4: 4 are done already; give more than 4\n" in capsys.readouterr().err
    assert not longer.exists()
    assert main(["train", f"--resume={short}", "--iterations=6", f"--out={longer}"]) == 0
    assert _train(whole, "--iterations=6", "--fault=nan-reward@3") == 0
    _assert_equal(longer, whole)
    run = open_run(longer)
    assert (run.attempts, run.state.name) == (1, "finished")
    before = {file.path.name for file in checkpoint.stored(short)}
    assert before <= {file.path.name for file in checkpoint.stored(longer)}
    assert run.column("time").values[:4].tolist() == open_run(short).column("time").values.tolist()
    assert (short / "run.parquet").read_bytes() == content


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--seed=4", "is one with --seed 0: leave out --seed 4, or train anew"),
        ("--hidden=8", "is one with --hidden 16,16: leave out --hidden 8"),
        ("--environments=5", "is one with --environments 3: leave out --environments 5"),
        ("--no-normalise-observations", "is one with --normalise-observations: leave out --no-n"),
        (
            "--normalise-rewards",
            "is one with --no-normalise-rewards: leave out --normalise-rewards",
        ),
        ("--env=Pendulum-v1", "is a run on Own-v0: leave out --env Pendulum-v1"),
    ],
)
def test_settings_a_run_has_from_its_start_cannot_change(
    flag: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _cut(tmp_path)
    assert main(["train", f"--resume={run}", flag]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"trpo-tui train: --resume {run} ")
    assert said in told
    assert open_run(run).state.name == "stopped"


def test_other_settings_may_change_stay_changed_and_an_event_says_so(tmp_path: Path) -> None:
    run = _cut(tmp_path)
    assert main(["train", f"--resume={run}", "--max-kl=0.02", "--iterations=7"]) == 0
    resumed = open_run(run)
    assert resumed.column("max_kl").values.tolist() == [0.01] * 2 + [0.02] * 5
    (said,) = (event.text for event in resumed.events if event.kind == "resumed")
    assert "max_kl: 0.01 -> 0.02" in said
    again = tmp_path / "again"
    assert main(["train", f"--resume={run}", f"--out={again}", "--iterations=8"]) == 0
    assert open_run(again).column("max_kl").values.tolist() == [0.01] * 2 + [0.02] * 6


def test_a_run_that_is_being_written_is_not_resumed_by_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _cut(tmp_path)
    capsys.readouterr()
    with RunLog(run) as log:
        assert main(["train", f"--resume={run}", "--iterations=7"]) == 2
        said = capsys.readouterr().err
        assert f"{run}: process {os.getpid()} on " in said
        assert "is writing this run; stop it or choose another folder" in said
        assert said.count("\n") == 1
        log.stop("enough")
    assert len(open_run(run)) == 2


def _cut(tmp_path: Path) -> Path:
    """A run stopped after two of its four iterations."""
    run = tmp_path / "run"
    at = ("--env-arg=sends=SIGTERM", f"--env-arg=at={16 + 2 * 32 + 7}", "--iterations=4")
    assert _train(run, *at) == 128 + signal.SIGTERM
    return run

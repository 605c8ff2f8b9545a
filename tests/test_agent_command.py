"""`trpo-tui train` as a process: what it leaves behind however it ends."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.envs.classic_control import PendulumEnv

from agent import checkpoint
from agent.__main__ import main
from agent.arguments import env_args
from agent.config import Config, config_of, settings
from agent.flags import parser
from agent.mujoco_warnings import MujocoWarnings
from agent.stop_signals import StopSignals
from agent.training import Training
from runlog import RunLog, open_run
from runlog.errors import UserError
from runlog.schema import BY_NAME

SMALL = ["--steps-per-iteration=64", "--environments=2", "--warm-up-steps=0", "--vf-iters=1"]
STEPS = 32
"""Steps of one world in an iteration of the small runs."""


class Trap(PendulumEnv):
    """A pendulum that sends a signal to its own process, or raises, at a given step."""

    sent = False

    def __init__(self, at: int = 0, sends: str = "") -> None:
        super().__init__()
        self.at, self.sends, self.steps = at, sends, 0

    def step(self, action: Any) -> Any:
        self.steps += 1
        if self.steps == self.at and not Trap.sent:
            Trap.sent = True
            if not self.sends:
                raise FloatingPointError("the motor burnt out")
            signal.raise_signal(getattr(signal, self.sends))
        return super().step(action)


@pytest.fixture(autouse=True)
def _trap() -> Iterator[None]:
    Trap.sent = False
    gymnasium.register("Trap-v0", Trap, max_episode_steps=50)
    yield
    del gymnasium.registry["Trap-v0"]


def _train(run: Path, *arguments: str, env: str = "Trap-v0", iterations: int = 4) -> int:
    return main(
        ["train", f"--env={env}", f"--out={run}", f"--iterations={iterations}", *SMALL, *arguments]
    )


def test_finished_run_holds_every_iteration_and_says_what_it_was(tmp_path: Path) -> None:
    assert _train(tmp_path / "run", "--seed=5", "--max-kl=0.02") == 0
    run = open_run(tmp_path / "run")
    assert run.state.name == "finished"
    assert run.column("iteration").values.tolist() == [1, 2, 3, 4]
    assert set(run.column("max_kl").values) == {0.02}
    assert (run.metadata["env_id"], run.metadata["seed"]) == ("Trap-v0", 5)
    assert run.metadata["config"]["max_kl"] == 0.02
    assert run.metadata["command"].startswith("trpo-tui train --env=Trap-v0 ")
    seconds = run.column("seconds_logging")
    assert seconds.present.tolist() == [False, True, True, True]


def test_checkpoints_hold_tensors_numbers_and_text_only(tmp_path: Path) -> None:
    _train(tmp_path / "run", "--checkpoint-every=1", iterations=6)
    regular = [file for file in checkpoint.stored(tmp_path / "run") if not file.kind]
    assert [file.iteration for file in regular] == [0, 4, 5, 6]
    assert torch.load(regular[-1].path, weights_only=True)["iteration"] == 6
    assert [path.name for path in (tmp_path / "run" / "checkpoints").glob(".tmp*")] == []


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_signal_leaves_a_sealed_run_that_goes_on(tmp_path: Path, name: str, code: int) -> None:
    run = tmp_path / "run"
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    at = 2 * STEPS + 5  # in the third iteration
    assert _train(run, f"--env-arg=sends={name}", f"--env-arg=at={at}") == code
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    stopped = open_run(run)
    assert stopped.state.name == "stopped"
    assert stopped.state.reason == f"{name} after iteration 2"
    assert len(stopped) == 2
    assert main(["train", f"--resume={run}", "--env-arg=at=0"]) == 0
    resumed = open_run(run)
    assert resumed.state.name == "finished"
    assert resumed.column("iteration").values.tolist() == [1, 2, 3, 4]
    assert resumed.column("timesteps").values.tolist() == [64, 128, 192, 256]
    assert "environments-reset" in {event.kind for event in resumed.events}
    before, after = (run_.column("policy_parameter_norm").values for run_ in (stopped, resumed))
    assert after[:2].tolist() == before.tolist()
    assert after[2] != after[1]


def test_exception_is_sealed_into_the_log_and_can_be_gone_on_from(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(FloatingPointError, match="burnt out"):
        _train(run, f"--env-arg=at={STEPS + 3}")
    crashed = open_run(run)
    assert crashed.state.name == "crashed"
    assert "the motor burnt out" in (crashed.state.reason or "")
    assert len(crashed) == 1
    assert main(["train", "--resume", f"--out={run}", "--env-arg=at=0"]) == 0
    assert len(open_run(run)) == 4


def test_second_ctrl_c_does_not_wait() -> None:
    asked: list[bool] = []
    with StopSignals(lambda: asked.append(True)) as signals:
        signal.raise_signal(signal.SIGINT)
        assert (asked, signals.exit_code) == ([True], 130)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals(lambda: None) as signals:
            signal.raise_signal(signal.SIGHUP)
            assert signals.received is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_like_repeats_a_run_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    _train(first, "--seed=3", env="Pendulum-v1")
    capsys.readouterr()
    assert main(["train", f"--like={first}", f"--out={second}"]) == 0
    assert f"reproduced: all 4 iterations of {first}" in capsys.readouterr().err
    names = [name for name, spec in BY_NAME.items() if not spec.clocked and not spec.is_list]
    one, other = open_run(first), open_run(second)
    for name in names:
        assert repr(one.column(name).values.tolist()) == repr(other.column(name).values.tolist())
    assert main(["train", f"--like={first}", f"--out={third}", "--damping=0.2"]) == 0
    assert "not reproduced: in iteration 1 " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env=HalfCheeta-v5"], "did you mean HalfCheetah-v5"),
        (["--env=CartPole-v1"], "continuous"),
        (["--fault=gremlins"], "no such fault"),
        (["--max-kl=-1"], "--max-kl -1.0: must be above 0"),
        (["--gamma=2"], "--gamma 2.0: must be between 0 and 1"),
        (["--iterations=many"], "--iterations"),
        (["--no-such-flag"], "--no-such-flag (trpo-tui train --help lists what there is)"),
        (["--maxkl", "3"], "--maxkl 3 (did you mean --max-kl? trpo-tui train --help"),
        (["--step-per-iteration=3"], "did you mean --steps-per-iteration?"),
        (["--env-arg=5"], "NAME=VALUE"),
        (["--preset=nowhere.toml"], "nowhere.toml"),
        (["--resume"], "--resume RUN"),
        (["--resume=nowhere"], "no run there"),
        (["--like=nowhere"], "nowhere"),
    ],
)
def test_mistake_is_one_line_exit_code_2_and_no_folder(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_own_environment_is_found_in_a_module_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trpo_own_world.py").write_text(
        "import gymnasium\n"
        "from gymnasium.envs.classic_control import PendulumEnv\n"
        "gymnasium.register('Own-v0', PendulumEnv, max_episode_steps=50)\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    assert _train(tmp_path / "run", env="trpo_own_world:Own-v0", iterations=1) == 0
    assert open_run(tmp_path / "run").metadata["env_id"] == "trpo_own_world:Own-v0"
    del gymnasium.registry["Own-v0"]


def test_run_that_is_there_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _train(tmp_path / "run", iterations=1)
    assert _train(tmp_path / "run", iterations=1) == 2
    assert main(["train", f"--resume={tmp_path / 'run'}"]) == 2
    assert "reached its end, or was finalized; --out ANOTHER goes on" in capsys.readouterr().err


def test_without_out_a_folder_of_its_own_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    assert main(["train", "--env=Pendulum-v1", "--iterations=1", *SMALL]) == 0
    (run,) = (tmp_path / "runs").iterdir()
    assert run.name.endswith("-Pendulum-v1-4711")
    assert open_run(run).metadata["job_id"] == "4711"


def test_flags_win_over_the_preset(tmp_path: Path) -> None:
    preset = tmp_path / "gentle.toml"
    preset.write_text("max_kl = 0.005\ngamma = 0.9\nhidden = [8, 8]\n", "utf-8")
    _train(tmp_path / "run", f"--preset={preset}", "--gamma=0.95", iterations=1)
    config = open_run(tmp_path / "run").metadata["config"]
    assert (config["max_kl"], config["gamma"], config["hidden"]) == (0.005, 0.95, [8, 8])


def test_unknown_or_mistyped_settings_of_a_preset_are_named() -> None:
    with pytest.raises(UserError, match="unknown setting 'max_lk'"):
        config_of({"max_lk": 1.0}, "file")
    with pytest.raises(UserError, match="seed = 'x' is not of type int"):
        config_of({"seed": "x"}, "file")


def test_config_survives_being_stored() -> None:
    config = Config(env="Pendulum-v1", env_args={"g": 9.0}, hidden=(8,), fault=("zero-reward",))
    assert config_of(config.as_dict(), "stored") == config


def test_environment_arguments_are_json_where_they_parse_and_text_otherwise() -> None:
    pairs = ["a=1", "b=walk", 'c={"d": [1, 2]}', "e=x=y", "f=true"]
    assert env_args(pairs) == {"a": 1, "b": "walk", "c": {"d": [1, 2]}, "e": "x=y", "f": True}


def test_every_setting_is_a_flag_with_its_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["--help"])
    assert ended.value.code == 0
    words = " ".join(capsys.readouterr().out.split())
    for setting in settings():
        flag = "env-arg" if setting.name == "env_args" else setting.name.replace("_", "-")
        assert f"--{flag}" in words
        assert setting.meaning in words


def test_help_does_not_wait_for_torch() -> None:
    code = "import sys, agent.__main__ as m\ntry:\n m.main(['train', '--help'])\nexcept SystemExit:\n print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.endswith("False\n")


def test_mujoco_is_heard_and_writes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    warnings = MujocoWarnings()
    env = gymnasium.make("InvertedPendulum-v5", disable_env_checker=True)
    env.reset(seed=0)
    warnings.new()
    for _ in range(3):
        env.step(np.array([np.nan], dtype=np.float32))
    assert len([text for text in warnings.new() if "CTRL" in text]) == 1
    assert warnings.new() == []
    assert list(tmp_path.iterdir()) == []


def test_training_from_a_script_leaves_no_file_of_mujoco(tmp_path: Path) -> None:
    code = """if True:
        import warnings
        import numpy as np
        from agent.envs.gym import make_batch
        batch = make_batch("HalfCheetah-v5", 1, {})
        batch.reset(0)
        with warnings.catch_warnings(record=True) as caught:
            batch.step(np.full((1, 6), np.nan, dtype=np.float32))
        print(len([w for w in caught if "MuJoCo" in str(w.message)]))
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == "1\n"
    assert list(tmp_path.iterdir()) == []


def test_checkpoint_that_cannot_be_written_costs_a_warning_not_the_training(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / checkpoint.FOLDER).write_text("in the way", "utf-8")
    assert _train(run) == 0
    done = open_run(run)
    assert len(done) == 4
    assert any("no checkpoint" in event.text for event in done.events if event.kind == "warning")


def test_resuming_with_nothing_left_to_do_is_refused_and_leaves_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    config = Config(env="Pendulum-v1", iterations=4, steps_per_iteration=64, environments=4)
    training = Training.from_config(config)
    with RunLog(run, **training.metadata) as log:
        log.iteration(**next(training))
        log.iteration(**next(training))
        checkpoint.save(run, training.snapshot())
        log.stop("SIGTERM")
    assert main(["train", f"--resume={run}", "--iterations=2"]) == 2
    assert "2 are done already; give more than 2" in capsys.readouterr().err
    assert main(["train", f"--resume={run}", "--env=MountainCarContinuous-v0"]) == 2
    assert (
        "is a run on Pendulum-v1: leave out --env MountainCarContinuous-v0"
        in capsys.readouterr().err
    )
    assert open_run(run).state.name == "stopped"


@pytest.mark.parametrize("device", ["cuda:99", "toaster"])
def test_a_device_that_is_not_there_is_one_line(
    device: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert (
        main(["train", "--env=Pendulum-v1", f"--device={device}", f"--out={tmp_path / 'x'}"]) == 2
    )
    err = capsys.readouterr().err
    assert err.startswith(f"trpo-tui train: --device {device}: ")
    assert len(err.splitlines()) == 1

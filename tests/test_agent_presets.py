"""Presets: settings by environment, below the flags and above the defaults."""

from pathlib import Path

import pytest

from agent.__main__ import main
from agent.arguments import config_from
from agent.config import Config, config_of
from agent.flags import parser
from agent.presets import TUNED, environments, preset
from runlog import open_run
from runlog.errors import UserError

BY_TABLE = """
max_kl = 0.02
gamma = 0.9
env_args = {g = 9.0}

[Pendulum-v1]
gamma = 0.95

["Hopper-v5"]
lam = 0.5
"""


def _config(*arguments: str) -> Config:
    return config_from(parser().parse_args(arguments))


@pytest.mark.parametrize("env", environments())
def test_shipped_settings_are_settings(env: str) -> None:
    values = preset(TUNED, env)
    assert config_of({"env": env} | values, "here").normalise_rewards
    assert _config("--preset=tuned", f"--env={env}") == config_of({"env": env} | values, "here")


def test_the_six_benchmarked_tasks_have_a_preset() -> None:
    tasks = {"HalfCheetah", "Hopper", "Walker2d", "Ant", "Swimmer", "Humanoid"}
    assert {f"{task}-v5" for task in tasks} <= set(environments())


def test_defaults_yield_to_the_top_of_the_file_that_to_its_table_and_all_to_flags(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BY_TABLE, "utf-8")
    config = _config(f"--preset={path}", "--env=Pendulum-v1")
    assert (config.max_kl, config.gamma, config.lam) == (0.02, 0.95, 0.97)
    assert config.env_args == {"g": 9.0}
    other = _config(f"--preset={path}", "--env=Hopper-v5", "--lam=0.6", "--env-arg=h=1")
    assert (other.gamma, other.lam, other.env_args) == (0.9, 0.6, {"g": 9.0, "h": 1})


def test_an_environment_named_without_a_version_has_the_settings_of_its_highest_one(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('["Hop-v4"]\nmax_kl = 0.5\n["Hop-v12"]\nmax_kl = 0.25\n["Hopper-v13"]\n')
    assert preset(str(file), "Hop")["max_kl"] == 0.25
    assert preset(str(file), "Hop-v4")["max_kl"] == 0.5
    with pytest.raises(UserError, match="no settings for Hop-v5"):
        preset(str(file), "Hop-v5")


def test_file_may_name_its_environment(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('env = "Pendulum-v1"\n' + BY_TABLE, "utf-8")
    assert _config(f"--preset={path}").gamma == 0.95
    assert _config(f"--preset={path}", "--env=Hopper-v5").lam == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BY_TABLE, "no settings for HalfCheetah-v5; it has Pendulum-v1, Hopper-v5"),
        ("max_lk = 1", "unknown setting 'max_lk'; known: env, env_args, seed"),
        ("[Pendulum-v1]\nlam = 'x'", "table Pendulum-v1: lam = 'x' is not of type float"),
        ("[Pendulum-v1]\nmax_lk = 1", "table Pendulum-v1: unknown setting 'max_lk'"),
        ("[Pendulum-v1]\nlam = 2", "table Pendulum-v1: --lam 2.0: must be between 0 and 1"),
        ("[Pendulum-v1]\nenv = 'x'", "the table's name is its environment; leave out env"),
        ("gamma = -1", "--gamma -1.0: must be between 0 and 1"),
        ("max_kl == 1", "Invalid value"),
        ("max_kl = 1\nmax_kl = 2", "Cannot overwrite a value"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UserError) as error:
        _config(f"--preset={path}")
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["nowhere.toml", "tuend", "", "\0", "."])
def test_preset_that_is_not_there_is_one_line(name: str) -> None:
    with pytest.raises(UserError) as error:
        preset(name)
    assert str(error.value).startswith(f"--preset {name}: ")
    assert "\n" not in str(error.value)


def test_file_that_is_not_text_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="utf-8"):
        preset(str(path))


@pytest.mark.parametrize("flag", ["--resume=x", "--like=x"])
def test_preset_does_not_go_with_a_run_that_has_settings_of_its_own(flag: str) -> None:
    with pytest.raises(UserError, match="--preset does not go with"):
        _config("--preset=tuned", flag)


def test_run_says_what_was_in_force_and_where_it_came_from(tmp_path: Path) -> None:
    run = tmp_path / "run"
    small = ["--iterations=1", "--steps-per-iteration=64", "--warm-up-steps=64", "--vf-iters=1"]
    task = "--env=InvertedPendulum-v5"
    assert main(["train", task, "--preset=tuned", f"--out={run}", *small]) == 0
    metadata = open_run(run).metadata
    assert "--preset=tuned" in metadata["command"]
    in_force = preset(TUNED, "InvertedPendulum-v5") | {"vf_iters": 1, "steps_per_iteration": 64}
    assert metadata["config"].items() >= in_force.items()

"""Starting the agent: its own module, unchanged arguments, nobody else's packages."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runlog.errors import UserError
from trpo_tui import agent_process

Cli = Callable[..., subprocess.CompletedProcess[str]]


def test_the_agent_is_started_as_a_module_and_never_from_the_current_folder() -> None:
    line = agent_process.command_line(["train", "--env", "Hopper-v5"])

    assert line == [sys.executable, "-P", "-m", "agent", "train", "--env", "Hopper-v5"]


@pytest.mark.parametrize("command", ["train", "probe-env", "motions", "render"])
def test_the_agents_commands_hand_their_arguments_on_unchanged(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trpo_tui.cli import run

    handed: list[list[str]] = []
    monkeypatch.setattr(agent_process, "run_agent", lambda arguments: handed.append(arguments) or 7)
    arguments = ["--help", "--env-arg", "a=--b", "--", "-x", "--version"]

    assert run([command, *arguments]) == 7
    assert handed == [[command, *arguments]]


def test_help_of_train_is_the_agents_own(cli: Cli) -> None:
    done = cli("train", "--help")

    assert done.returncode == 0
    assert "--max-kl" in done.stdout
    assert "--fault" in done.stdout


def test_the_agents_mistakes_are_one_line_and_exit_code_2(cli: Cli) -> None:
    done = cli("train", "--env", "NoSuchTask-v5", "--out", "run")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "NoSuchTask" in done.stderr


def test_a_users_own_agent_py_is_not_run(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("print('the wrong one')")

    done = cli("train", "--help", cwd=tmp_path)

    assert "the wrong one" not in done.stdout
    assert "--max-kl" in done.stdout


@pytest.mark.parametrize("name", agent_process.OWN)
def test_another_projects_package_is_refused_by_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(UserError, match=f"package {name} .*stands in the way"):
        agent_process.check_packages()


def test_our_own_packages_are_accepted() -> None:
    agent_process.check_packages()


def test_a_base_installation_says_what_training_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        agent_process, "find_spec", lambda name: None if name == "torch" else object()
    )

    with pytest.raises(UserError, match=r"torch: pip install 'trpo-tui\[train\]'"):
        agent_process.check_training()


BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
from trpo_tui.cli import run
sys.exit(run(sys.argv[1:]))
"""


def test_a_base_installation_analyzes_and_watches(tmp_path: Path) -> None:
    from runlog.writer import RunLog

    with RunLog(tmp_path / "run") as log:
        for i in range(1, 6):
            log.iteration(iteration=i, kl=0.009, gradient_norm=0.4)
    extras = ["torch", "gymnasium", "mujoco", "agent", "hypothesis", "pytest", "pyte"]
    script = BLOCKED.format(blocked=json.dumps(extras))
    for arguments in (["analyze", "run"], ["watch", "--plain", "run"], ["rules"]):
        done = subprocess.run(
            [sys.executable, "-P", "-c", script, *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONUTF8": "1"},
            capture_output=True,
        )
        assert done.stderr == b""
        assert done.returncode == 0

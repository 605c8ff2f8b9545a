"""The house: what is written about the program is true of it."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trpo_tui.cli import COMMANDS
from trpo_tui.generate import PAGES, ROOT, stale

Cli = Callable[..., subprocess.CompletedProcess[str]]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shell_lines() -> Iterator[str]:
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL):
        for line in block.splitlines():
            yield line.partition("#")[0].strip()


def our_commands() -> list[list[str]]:
    """Words after `trpo-tui` of every command the README shows."""
    lines = [part.strip() for line in shell_lines() for part in line.split("|")]
    return [shlex.split(line)[1:] for line in lines if line.startswith("trpo-tui ")]


def test_generated_pages_are_fresh() -> None:
    assert stale(ROOT) == ()


def test_the_check_of_generated_pages_finds_a_stale_one(tmp_path: Path) -> None:
    assert stale(tmp_path) == tuple(PAGES)


def test_the_readme_shows_every_command() -> None:
    shown = {words[0] for words in our_commands()} | ({"demo"} if "make demo" in README else set())

    assert shown == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_the_readme_shows_exists(command: str, cli: Cli) -> None:
    flags = {w for words in our_commands() if words[0] == command for w in words if w[:2] == "--"}
    if command == "watch":
        flags.add("--plain")

    done = cli(command, "--help")

    assert done.returncode == 0
    assert flags <= set(re.findall(r"--[a-z-]+", done.stdout))


def test_the_readmes_script_logs_a_run_that_can_be_analyzed(cli: Cli, tmp_path: Path) -> None:
    [script] = [code for code in python_blocks() if "range(1, 101)" in code]
    (tmp_path / "train.py").write_text(script)
    subprocess.run([sys.executable, "train.py"], cwd=tmp_path, check=True)

    done = cli("analyze", "runs/mine")

    assert done.returncode == 0
    assert "100 iterations" in done.stdout


def test_the_readmes_own_policy_trains(cli: Cli, tmp_path: Path) -> None:
    [script] = [code for code in python_blocks() if "TRPOAgent" in code]
    shorter = script.replace("iterations=10", "iterations=2, steps_per_iteration=256")
    assert shorter != script
    (tmp_path / "train.py").write_text(shorter)
    subprocess.run([sys.executable, "train.py"], cwd=tmp_path, check=True)

    done = cli("analyze", "runs/pendulum")

    assert done.returncode == 0
    assert "2 iterations" in done.stdout


def test_the_readmes_callback_logs_a_run_of_stable_baselines3(cli: Cli, tmp_path: Path) -> None:
    [script] = [code for code in python_blocks() if "RunLogCallback" in code]
    shorter = script.replace("50_000", "4_096")
    assert shorter != script
    (tmp_path / "train.py").write_text(shorter)
    subprocess.run([sys.executable, "train.py"], cwd=tmp_path, check=True)

    done = cli("analyze", "runs/sb3")

    assert done.returncode == 0
    assert "2 iterations" in done.stdout


def python_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_readme_links_to_pages_that_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_readme_names_the_command_of_the_tests() -> None:
    assert "`make test`" in README

"""The demo: two trainings side by side, what is said of them, and what happens when one fails."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runlog.errors import UserError
from runlog.run import Run, run_of
from trpo_tui import demo

Cli = Callable[..., subprocess.CompletedProcess[str]]


def made_run(reward: tuple[float, float], true: list[float], *, broken: bool) -> Run:
    rows = [
        {
            "iteration": i,
            "reward_min": reward[0],
            "reward_max": reward[1],
            "reward_mean": 1.0 if broken else value,
            "kl": 0.008,
            "gradient_norm": 0.25,
            "max_kl": 0.01,
            "line_search_success": i != 3,
        }
        | ({"reward_term_true": value} if broken else {})
        for i, value in enumerate(true, start=1)
    ]
    return run_of(rows, metadata={"horizon": 50})


def test_the_comparison_shows_reward_range_and_true_return_of_both_runs() -> None:
    broken = made_run((1.0, 1.0), [-1.2] * 12, broken=True)
    healthy = made_run((-2.5, 0.0), [-1.2] * 6 + [-0.4] * 6, broken=False)

    lines = demo.comparison(broken, healthy)

    assert max(map(len, lines)) <= 80
    cells = {line[:43].strip(): line[43:].split() for line in lines[1:]}
    assert cells["reward of a step, smallest … largest"] == ["1", "…", "1", "-2.5", "…", "0"]
    assert cells["true return of 50 steps, first 5 iterations"] == ["-60", "-60"]
    assert cells["true return of 50 steps, last 5 iterations"] == ["-60", "-20"]
    assert cells["KL divergence, median"] == ["0.0080", "0.0080"]
    assert cells["line search accepted"] == ["11", "of", "12", "11", "of", "12"]


def test_a_folder_that_holds_the_demo_already_is_refused(tmp_path: Path) -> None:
    (tmp_path / "constant-reward").mkdir()

    with pytest.raises(UserError, match="there already"):
        demo.demo(tmp_path, 12, lines=True)


def test_a_training_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "ENVIRONMENT", "NoSuchTask-v5")

    with pytest.raises(UserError, match=r"did not start: .*NoSuchTask"):
        demo.demo(tmp_path, 12, lines=True)


@pytest.mark.parametrize(
    ("found", "program"), [("/usr/bin/trpo-tui", "trpo-tui"), (None, ".venv/bin/trpo-tui")]
)
def test_three_commands_that_can_be_typed_follow_the_demo(
    found: str | None, program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: found)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/trpo-tui")])

    commands = [line for line in demo.what_next(tmp_path)[1:] if not line.startswith("  #")]

    assert len(commands) == 3
    assert all(line.strip().startswith(f"{program} ") for line in commands)


@pytest.mark.slow
def test_the_demo_names_the_constant_reward_and_the_healthy_run_improves(
    cli: Cli, tmp_path: Path
) -> None:
    done = cli("demo", "--keep", tmp_path / "kept")

    assert done.returncode == 0
    assert done.stderr == ""
    assert "FAULT TRPO101 constant-reward since iteration 1" in done.stdout
    rows = {line[:44].strip(): line[44:].split() for line in done.stdout.splitlines()}
    first = [float(x) for x in rows["true return of 50 steps, first 5 iterations"]]
    last = [float(x) for x in rows["true return of 50 steps, last 5 iterations"]]
    assert rows["reward of a step, smallest … largest"][:3] == ["1", "…", "1"]
    assert abs(last[0] - first[0]) < 10
    assert last[1] - first[1] > 20
    assert (tmp_path / "kept" / "without-the-fault" / "run.parquet").exists()


@pytest.mark.slow
def test_ctrl_c_ends_the_demo_and_its_training(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "trpo_tui", "demo", "--plain", "--keep", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUTF8": "1"},
        start_new_session=True,
    )
    assert child.stdout is not None
    while b"live" not in (line := child.stdout.readline()):
        assert line
    os.killpg(child.pid, signal.SIGINT)

    _, errors = child.communicate(timeout=60)

    from runlog.reader import open_run

    assert child.returncode == 130
    assert errors == b""
    assert open_run(tmp_path / "constant-reward").state.name == "stopped"


@pytest.mark.parametrize("below", ["", "sub/folder"])
def test_a_file_in_the_place_of_the_folder_is_refused(
    below: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UserError, match="a file stands in the way"):
        demo.demo(tmp_path / "file" / below, 12, lines=True)

    assert "Training" not in capsys.readouterr().out


def test_a_missing_library_is_told_before_anything_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trpo_tui.agent_process.NEEDED", ("no_such_library",))

    with pytest.raises(UserError, match="training needs no_such_library"):
        demo.demo(tmp_path / "new", 12, lines=True)

    assert capsys.readouterr().out == ""
    assert not (tmp_path / "new").exists()

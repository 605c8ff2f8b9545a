"""A bare `trpo-tui` says what lies here and how to look at it."""

from pathlib import Path

import pytest

from runlog.writer import RunLog
from trpo_tui.cli import run
from trpo_tui.here import found_in

BLOCK = "Iteration {i} | Timesteps {i}00\n  Policy loss: -0.01\n  KL divergence: 0.008\n"


def fill(folder: Path) -> None:
    text = "".join(BLOCK.format(i=i) for i in range(1, 4))
    (folder / "train.log").write_text(text)
    (folder / "notes.txt").write_text("nothing to see\n")
    (folder / "empty.log").write_text("")
    with RunLog(folder / "runs" / "one") as log:
        log.iteration(iteration=1, kl=0.01)


def test_runs_and_logs_are_found_here_and_below_runs(tmp_path: Path) -> None:
    fill(tmp_path)

    found = {thing.path.relative_to(tmp_path).as_posix(): thing for thing in found_in(tmp_path)}

    assert found.keys() == {"train.log", "runs/one"}
    assert found["train.log"].iterations == 3
    assert found["runs/one"].iterations == 1


def test_a_bare_call_names_the_command_that_opens_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path)
    monkeypatch.chdir(tmp_path)

    assert run([]) == 0

    out = capsys.readouterr().out
    assert "train.log: guide text, 3 iterations → trpo-tui watch train.log" in out
    assert "1 iteration → trpo-tui watch runs/one" in out


def test_an_empty_folder_gets_help_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run([]) == 0
    assert "Found here" not in capsys.readouterr().out

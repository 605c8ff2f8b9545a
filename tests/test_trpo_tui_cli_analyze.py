"""`trpo-tui analyze`: exit codes, formats, several paths, what to leave out, what to fail on."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runlog.writer import RunLog
from trpo_tui.cli import run

Cli = Callable[..., subprocess.CompletedProcess[str]]

BROKEN = """
Iteration {i} | Timesteps {steps}
  Avg episode reward: 0.0001  ← Too small!
  Min/Max reward: 0.0001 / 0.0001  ← All the same!
  Advantages - mean: 0.000000, std: 0.000000
  Returns - mean: 0.0001, std: 0.000000
  Policy loss: -0.0000
  KL divergence: 0.000000
  Entropy: 39.5
  Value loss: 0.0000
  Line search: ✗ Failed

  [DEBUG]
    Advantages (raw): mean=0.000000, std=0.000000
    Gradient norm: 0.000000
    Step direction norm: 0.000000
    Full step norm: 0.000000
    Expected improvement: 0.000000
"""
HEALTHY = {"kl": 0.009, "gradient_norm": 0.4, "advantage_raw_std": 1.5, "line_search_success": True}


def broken_log(folder: Path, name: str = "train.log", iterations: int = 12) -> Path:
    blocks = [BROKEN.format(i=i, steps=2048 * i) for i in range(1, iterations + 1)]
    (folder / name).write_text("".join(blocks), encoding="utf-8")
    return folder / name


def healthy_run(folder: Path) -> Path:
    with RunLog(folder) as log:
        for i in range(1, 13):
            log.iteration(iteration=i, reward_min=-1.0, reward_max=1.0 + i, **HEALTHY)
    return folder


def json_lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_fault_is_exit_code_1_and_a_healthy_run_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["analyze", str(broken_log(tmp_path))]) == 1
    assert "TRPO101" in capsys.readouterr().out
    assert run(["analyze", str(healthy_run(tmp_path / "run"))]) == 0


def test_json_is_one_object_on_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["analyze", str(broken_log(tmp_path)), "--format", "json"])

    [found] = json_lines(capsys.readouterr().out)
    assert found["verdict"] == "fault"
    assert found["iterations"] == 12
    assert found["schema"] == 1


def test_a_log_comes_through_standard_input(cli: Cli, tmp_path: Path) -> None:
    done = cli("analyze", "-", stdin=broken_log(tmp_path).read_bytes())

    assert done.returncode == 1
    assert done.stderr == ""
    assert "TRPO101" in done.stdout.splitlines()[0]


def test_one_unreadable_path_among_several_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(broken_log(tmp_path)), str(tmp_path / "missing")]

    code = run(["analyze", *paths, "--format", "json"])

    first, second = json_lines(capsys.readouterr().out)
    assert code == 2
    assert first["verdict"] == "fault"
    assert second.keys() == {"path", "error"}
    assert second["path"] == paths[1]


def test_a_folder_of_runs_is_a_table_with_one_line_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("one", "two", "deeper/three")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        healthy_run(tmp_path / name)

    code = run(["analyze", str(tmp_path)])

    out = capsys.readouterr().out
    assert code == 0
    assert all(out.count(f"{Path(name).name} ") == 1 for name in names)
    assert "3 runs" in out


def test_an_ignored_code_is_no_fault_and_its_reason_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(broken_log(tmp_path))

    run(
        ["analyze", path, "--format", "json", "--ignore", "101=it is a test", "--ignore", "TRPO106"]
    )

    [found] = json_lines(capsys.readouterr().out)
    assert {"code": "TRPO101", "reason": "it is a test"} in found["ignored"]  # type: ignore[operator]  # a list
    assert found["cause"] is None or found["cause"]["code"] not in ("TRPO101", "TRPO106")  # type: ignore[index]  # a dict


@pytest.mark.parametrize(
    ("wanted", "code"),
    [("TRPO101", 1), ("TRPO1", 1), ("101", 1), ("TRPO9", 2), ("TRPO3,killed", 1), ("killed", 0)],
)
def test_fail_on_decides_what_is_exit_code_1(tmp_path: Path, wanted: str, code: int) -> None:
    assert run(["analyze", str(broken_log(tmp_path)), "--fail-on", wanted]) == code


def test_a_state_can_be_failed_on(tmp_path: Path) -> None:
    path = str(healthy_run(tmp_path / "run"))

    assert run(["analyze", path]) == 0
    assert run(["analyze", path, "--fail-on", "finished"]) == 1


def test_a_key_of_another_name_is_mapped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "progress.csv"
    rows = "".join(f"{i},0.009,0.4\n" for i in range(1, 13))
    path.write_text("iteration,mean_kl,gnorm\n" + rows)
    pairs = ["--map", "mean_kl=kl", "--map", "gnorm=gradient_norm"]

    run(["analyze", str(path), *pairs, "--format", "json"])

    [found] = json_lines(capsys.readouterr().out)
    assert found["iterations"] == 12
    assert "mean_kl" in found["import"]["understood"]  # type: ignore[index]  # a dict


def test_the_guide_alone_names_its_first_section(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["analyze", str(broken_log(tmp_path)), "--guide-only"])

    out = capsys.readouterr().out
    assert out.startswith("The guide says section 1")
    assert "Cause" not in out


def test_why_shows_the_numbers_of_one_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["analyze", str(broken_log(tmp_path)), "--why", "constant-reward"])

    assert "reward_range" in capsys.readouterr().out


def test_a_report_goes_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report.md"

    run(["analyze", str(broken_log(tmp_path)), "--format", "markdown", "-o", str(out)])

    assert capsys.readouterr().out == ""
    assert "TRPO101" in out.read_text(encoding="utf-8")


def test_color_is_there_only_when_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(broken_log(tmp_path))

    run(["analyze", path])
    without = capsys.readouterr().out
    run(["analyze", path, "--color", "always"])
    colored = capsys.readouterr().out

    assert "\x1b" not in without
    assert "\x1b[" in colored


def test_a_locale_without_unicode_gets_a_report(cli: Cli, tmp_path: Path) -> None:
    done = cli("analyze", broken_log(tmp_path), PYTHONUTF8="0", PYTHONIOENCODING="ascii")

    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.isascii()
    assert "TRPO101" in done.stdout


def test_nan_everywhere_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with RunLog(tmp_path / "run") as log:
        for i in range(1, 13):
            log.iteration(
                iteration=i, **dict.fromkeys(HEALTHY, float("nan")) | {"kl": float("nan")}
            )

    assert run(["analyze", str(tmp_path / "run"), "--format", "json"]) == 1
    [found] = json_lines(capsys.readouterr().out)
    assert found["cause"]["code"] == "TRPO001"  # type: ignore[index]  # a dict


@pytest.mark.parametrize("command", ["analyze", "rules"])
def test_a_full_disk_under_the_output_is_one_line(command: str, tmp_path: Path) -> None:
    arguments = [str(broken_log(tmp_path))] if command == "analyze" else []
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "trpo_tui", command, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert done.returncode == 2
    lines = done.stderr.decode().splitlines()
    assert lines == ["trpo-tui: the output cannot be written (No space left on device)"]

"""The command line: help, mistakes in one line, exit codes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trpo_tui.cli import COMMANDS, module_of, run, short_help

Cli = Callable[..., subprocess.CompletedProcess[str]]


def only_line(text: str) -> str:
    lines = text.splitlines()
    assert len(lines) == 1, text
    return lines[0]


def test_a_bare_call_prints_help_in_twelve_lines() -> None:
    lines = short_help().splitlines()

    assert len(lines) <= 12
    assert all(len(line) <= 90 for line in lines)
    words = " ".join(lines).replace(",", " ").replace(":", " ").split()
    assert set(COMMANDS) <= set(words)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_can_be_loaded(name: str) -> None:
    from importlib import import_module

    assert import_module(module_of(name)).command.name == name


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("analyze",),
        ("analyze", "--no-such-option", "x"),
        ("analyze", "x", "--format", "pdf"),
        ("analyze", "x", "--attempt", "zero"),
        ("analyze", "x", "--map", "kl"),
        ("analyze", "x", "--map", "mean_kl=kll"),
        ("analyze", "x", "--ignore", "999"),
        ("analyze", "x", "--fail-on", "TRPO9"),
        ("explain", "999"),
        ("explain",),
        ("finalize", "no-such-run"),
        ("watch", "no-such-run", "--plain"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(arguments)

    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert only_line(captured.err).startswith("trpo-tui: ")


def test_a_misspelt_column_is_answered_with_the_one_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["analyze", "x", "--map", "mean_kl=gradient_nrom"])

    assert "did you mean gradient_norm?" in capsys.readouterr().err


def test_ctrl_c_ends_with_130_and_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("trpo_tui.here.say_what_is_here", interrupted)

    assert run([]) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_went_away_is_no_error(tmp_path: Path) -> None:
    script = "import sys; from trpo_tui.cli import main; sys.argv = ['x', 'rules']; main()"
    child = subprocess.Popen(
        [sys.executable, "-u", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.close()
    assert child.stderr is not None

    assert child.stderr.read() == b""
    assert child.wait() == 141


def bad_inputs(folder: Path) -> dict[str, Path]:
    """Paths that hold no log, each with its own mistake."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"iteration": [1, 2, 3], "kl": [0.1, 0.2, 0.3]})
    pq.write_table(table, folder / "whole.parquet")
    whole = (folder / "whole.parquet").read_bytes()
    strings = pa.table({"iteration": [1, 2], "kl": ["much", "little"]})
    pq.write_table(strings, folder / "strings.parquet")
    (folder / "truncated.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "damaged.parquet").write_bytes(b"PAR1" + bytes(range(256)) + b"PAR1")
    (folder / "empty.log").write_bytes(b"")
    (folder / "empty.parquet").write_bytes(b"")
    (folder / "poem.log").write_text("Whose woods these are I think I know.\n" * 40)
    (folder / "noise.log").write_bytes(bytes(range(256)) * 40)
    (folder / "folder").mkdir()
    names = (
        "missing",
        "strings.parquet",
        "truncated.parquet",
        "damaged.parquet",
        "empty.log",
        "empty.parquet",
        "poem.log",
        "noise.log",
        "folder",
    )
    return {name: folder / name for name in names}


def refused(done: subprocess.CompletedProcess[str], path: Path) -> None:
    assert done.returncode == 2, path.name
    assert done.stdout == "", path.name
    line = only_line(done.stderr)
    assert line.startswith("trpo-tui: "), path.name
    assert path.name in line, path.name


def test_analyzing_what_is_no_log_is_one_line_and_exit_code_2(cli: Cli, tmp_path: Path) -> None:
    for path in bad_inputs(tmp_path).values():
        refused(cli("analyze", path), path)


def test_watching_what_can_become_no_log_is_one_line_and_exit_code_2(
    cli: Cli, tmp_path: Path
) -> None:
    for path in bad_inputs(tmp_path).values():
        if path.suffix != ".log":  # a log may still grow into one
            refused(cli("watch", "--plain", path), path)


def test_standard_input_that_is_no_log_is_one_line_and_exit_code_2(cli: Cli) -> None:
    for text in (b"", b"Whose woods these are I think I know.\n"):
        done = cli("analyze", "-", stdin=text)

        assert done.returncode == 2
        assert only_line(done.stderr).startswith("trpo-tui: ")

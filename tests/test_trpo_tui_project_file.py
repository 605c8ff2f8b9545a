"""`trpo-tui.toml`: found, read, added to by the command line, and never silent."""

import json
from pathlib import Path

import pytest

from runlog.errors import UserError
from runlog.writer import RunLog
from trpo_tui.cli import run
from trpo_tui.project_file import NAME, project_file, read

BLOCK = """Iteration {i} | Timesteps {i}000
  Min/Max reward: 0.0001 / 0.0001
  Advantages - mean: 0.000000, std: 0.000000
  mean_divergence: 0.000000
  [DEBUG]
    Advantages (raw): mean=0.000000, std=0.000000
    Gradient norm: 0.000000
"""
PROJECT = """fail-on = ["TRPO3", "killed"]

[map]
mean_divergence = "kl"

[ignore]
TRPO101 = "a constant reward is meant here"

[verify]
command = ["python", "train.py", "--seed", "1"]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the file at its root and a log in a folder below, where one stands."""
    (tmp_path / ".git").mkdir()
    (tmp_path / NAME).write_text(PROJECT)
    below = tmp_path / "src" / "env"
    below.mkdir(parents=True)
    (below / "train.log").write_text("".join(BLOCK.format(i=i) for i in range(1, 13)))
    monkeypatch.chdir(below)
    return tmp_path


def written(folder: Path, text: str) -> Path:
    (folder / NAME).write_text(text)
    return folder / NAME


def test_it_is_found_above_and_holds_what_it_says(project: Path) -> None:
    found = project_file()

    assert found is not None
    assert found.path == project / NAME
    assert found.mapping == {"mean_divergence": "kl"}
    assert found.ignore == {"TRPO101": "a constant reward is meant here"}
    assert found.fail_on == ("TRPO3", "killed")
    assert found.verify_command == ("python", "train.py", "--seed", "1")


def test_one_above_the_repository_or_above_a_folder_without_one_is_not_ours(
    tmp_path: Path,
) -> None:
    (tmp_path / "inside" / ".git").mkdir(parents=True)
    (tmp_path / "loose").mkdir()
    written(tmp_path, PROJECT)

    assert project_file(tmp_path / "inside") is None
    assert project_file(tmp_path / "loose") is None
    assert project_file(tmp_path) is not None


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("form", ["text", "markdown", "json", "html"])
def test_every_report_says_what_came_from_it(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["analyze", "train.log", "--format", form])

    said = " ".join(capsys.readouterr().out.replace("\\", "").split())
    assert code == 0  # the fault is none of those it fails on
    assert "a constant reward is meant here" in said
    assert "trpo-tui.toml reads mean_divergence as kl" in said.replace("<wbr>", "")
    assert "trpo-tui.toml ignores TRPO101" in said
    assert "trpo-tui.toml lets analyze fail only on TRPO3, killed" in said


@pytest.mark.usefixtures("project")
def test_a_table_of_runs_and_a_single_number_are_not_silent_either(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["analyze", "train.log", "train.log"])
    table = " ".join(capsys.readouterr().out.split())
    run(["analyze", "train.log", "--why", "101"])
    run(["analyze", "train.log", "--guide-only"])
    beside = capsys.readouterr().err

    assert "Ignored TRPO101: a constant reward is meant here." in table
    assert "trpo-tui.toml reads mean_divergence as kl" in table
    assert beside.count("trpo-tui.toml ignores TRPO101") == 2


@pytest.mark.usefixtures("project")
def test_the_command_line_wins_and_adds(capsys: pytest.CaptureFixture[str]) -> None:
    wins = ["--map", "mean_divergence=entropy", "--ignore", "101=mine", "--ignore", "106"]

    code = run(["analyze", "train.log", "--format", "json", *wins, "--fail-on", "TRPO2"])

    found = json.loads(capsys.readouterr().out)
    ignored = {entry["code"]: entry["reason"] for entry in found["ignored"]}
    assert ignored == {"TRPO101": "mine", "TRPO106": ""}
    assert "entropy" in run_columns(["train.log", *wins[:2]], capsys)
    assert code == int(any(f["code"].startswith(("TRPO2", "TRPO3")) for f in found["findings"]))
    assert code == 1


def run_columns(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The columns a command line reads the log's keys as."""
    from runlog.reader import open_run

    assert run(["convert", *arguments, "-o", "columns.parquet"]) == 0
    capsys.readouterr()
    return list(open_run("columns.parquet").types)


@pytest.mark.usefixtures("project")
def test_watch_reads_and_ignores_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    with RunLog("live") as log:
        for i in range(1, 13):
            log.iteration(iteration=i, reward_min=0.5, reward_max=0.5, reward_std=0.0)

    run(["watch", "--plain", "live"])

    said = capsys.readouterr().out
    assert said.splitlines()[1] == "trpo-tui.toml ignores TRPO101"
    assert "The rewards are all the same" not in said
    assert "TRPO101" not in said.partition("ignores TRPO101")[2]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[map]\n\nkl_mean = 'kll'\n", 3, "map.kl_mean: there is no column kll (did you mean kl?)"),
        ("[ignore]\nTRPO999 = 'x'\n", 2, "ignore.TRPO999: TRPO999: no such rule"),
        ("[ignore]\nTRPO605 = ''\n", 2, "ignore.TRPO605: write the reason"),
        ("ignore = ['TRPO605']\n", 1, "ignore: write a table, [ignore]"),
        ("# mine\nfail_on = ['TRPO1']\n", 2, "fail_on: unknown; did you mean fail-on?"),
        ("fail-on = 'TRPO1'\n", 1, "fail-on: write a list"),
        ("\nfail-on = ['dead']\n", 2, "fail-on: dead: neither a code"),
        ("[ignore]\nTRPO605 = 'x'\nfail-on = ['TRPO1']\n", 3, "write it above every [table]"),
        ("[verify]\nprogram = ['x']\n", 2, "verify.program: unknown"),
        ("[verify]\ncommand = []\n", 2, "verify.command: empty"),
        ("[map]\n'a.b' = 3\n", 2, "map.a.b: write a column's name"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(
    text: str, line: int, said: str, tmp_path: Path
) -> None:
    path = written(tmp_path, text)

    with pytest.raises(UserError) as error:
        read(path)

    assert str(error.value).startswith(f"{path}:{line}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_toml_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no TOML: .*line 1"):
        read(written(tmp_path, "[map\n"))


@pytest.mark.parametrize(
    ("wanted", "code"),
    [("zero-gradient", 1), ("constant-reward", 0), ("fault", 1), ("TRPO", 1), ("crashed,TRPO4", 0)],
)
def test_families_names_and_states_can_be_failed_on(
    wanted: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.log").write_text("".join(BLOCK.format(i=i) for i in range(1, 13)))

    assert run(["analyze", "train.log", "--ignore", "101", "--fail-on", wanted]) == code

"""`report`: what goes into a zip to publish, what does not, and that the zip is a run again."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from agent.__main__ import main as agent
from runlog.errors import UserError
from runlog.reader import follow, open_run
from runlog.writer import RunLog
from trpo_tui.bug_report import bug_report
from trpo_tui.cli import run
from trpo_tui.redaction import Known, Redactor, known_of

HOME = "/home/mallory/very-private/project"
TOKEN = "hf_QmZ0aXc9LrT4vKpW7"  # noqa: S105 nobody's
COMMAND = f"python {HOME}/train.py --hub-token {TOKEN} --out={HOME}/runs/first"


def private_run(folder: Path) -> Path:
    """A run that crashed, whose every kind of text holds a home path and a token."""
    log = RunLog(
        folder,
        env_id="Hopper-v5",
        seed=4,
        config={"env": "Hopper-v5", "motion": f"{HOME}/clip.txt", "wandb_api_key": TOKEN},
        command=COMMAND,
        git_remote="https://mallory:pa55word@git.example.org/very-private.git",
        host="node07.cluster.example.org",
        job_id="4711007",
    )
    log.event("warning", f"mallory@example.org: {HOME}/a b.txt is no clip; node07 said {TOKEN}")
    for i in range(1, 6):
        log.iteration(iteration=i, kl=0.01, remark=f"saved to {HOME}/model.pt with {TOKEN}")
    log.iteration(iteration=1, kl=0.02)
    error = RuntimeError(f'File "{HOME}/train.py", line 3: bad token={TOKEN} in job 4711007')
    log.__exit__(RuntimeError, error, None)
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return private_run(tmp_path_factory.mktemp("private") / "run")


@pytest.fixture(scope="module")
def zipped(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("zipped") / "bug.zip"
    assert run(["report", str(source), "-o", str(out)]) == 0
    return out


def everything_in(path: Path) -> bytes:
    """The zip's own bytes and those of its files, and every text of its Parquet file."""
    with zipfile.ZipFile(path) as file:
        data = b"".join(file.read(name) for name in file.namelist())
    found = open_run(path)
    texts = json.dumps([dict(found.metadata), found.records, found.state.reason], default=str)
    cells = [c for n, t in found.types.items() if t == "string" for c in found.column(n).values]
    return path.read_bytes() + data + (texts + "".join(map(str, cells))).encode()


@pytest.mark.parametrize("kind", ["crashed", "published", "converted"])
def test_no_byte_of_a_home_or_a_token_is_left(kind: str, source: Path, tmp_path: Path) -> None:
    given, out = source, tmp_path / "bug.zip"
    if kind == "published":
        given = private_run(tmp_path / "published")
        assert run(["finalize", str(given)]) == 0
    if kind == "converted":
        given = tmp_path / "one.parquet"
        assert run(["convert", str(source), "-o", str(given)]) == 0

    assert run(["report", str(given), "-o", str(out)]) == 0

    data = everything_in(out).lower()
    secrets = (HOME, TOKEN, "/home/", "mallory", "very-private", "pa55word", "node07", "4711007")
    for word in secrets:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert word.lower().encode(encoding) not in data, (word, encoding)
    assert b"train.py" in data


def test_a_log_of_another_trainer_is_cut_too(tmp_path: Path) -> None:
    log, out = tmp_path / "train.log", tmp_path / "bug.zip"
    block = "Iteration {} | Timesteps {}\n  KL divergence: 0.000000\n  Policy loss: -0.0000\n"
    crash = (
        f'Traceback (most recent call last):\n  File "{HOME}/t.py", line 3\nValueError: {TOKEN}\n'
    )
    log.write_text("".join(block.format(i, 2048 * i) for i in range(1, 12)) + crash)

    assert run(["report", str(log), "-o", str(out)]) == 0

    data = everything_in(out)
    assert b"mallory" not in data
    assert TOKEN.encode() not in data
    found = open_run(out)
    assert found.source is not None
    assert found.column("kl").resolution is not None
    assert len(found) == 11


def test_what_goes_in_and_what_was_cut_is_said_without_a_value(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bug.zip"

    run(["report", str(source), "-o", str(out)])

    said = capsys.readouterr().out
    with zipfile.ZipFile(out) as file:
        names = file.namelist()
    assert names == ["report.html", "report.json", "report.md", "run.parquet", "versions.txt"]
    assert all(name in said for name in names)
    for kind in ("home", "secret", "host", "job", "git-remote"):
        assert f"{kind} " in said.partition("cut (kind, times)")[2]
    assert "settings cut: motion, wandb_api_key" in said
    assert TOKEN not in said
    assert HOME not in said.replace(str(out), "")


def test_the_zip_is_the_run_with_every_attempt(source: Path, zipped: Path) -> None:
    before, after = open_run(source), open_run(zipped)

    assert (after.attempts, len(after), after.state.name) == (2, len(before), "crashed")
    first = open_run(zipped, attempt=1)
    np.testing.assert_array_equal(
        first.column("kl").values, open_run(source, attempt=1).column("kl").values
    )
    assert first.column("remark").values[0] == "saved to <home>/.../model.pt with <secret>"
    assert after.metadata["seed"] == 4
    assert follow(zipped).poll() is None


def test_a_home_of_windows_and_the_users_own_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/gpfs/groups/rl7/trudy")
    command = r"python C:\Users\Jane Roe\train.py /Users/ken/x /gpfs/groups/rl7/trudy/b/d.py"
    with RunLog(tmp_path / "run", command=command) as log:
        log.iteration(iteration=1, kl=0.1)

    report = bug_report(open_run(tmp_path / "run"), "bug.zip", ignore={}, notes=())

    assert json.loads(report.files["report.json"])["run"]["command"] == (
        "python <home>/train.py <home> <home>/.../d.py"
    )
    for word in (b"Jane", b"Roe", b"ken/", b"rl7", b"trudy"):
        assert not any(word in data for data in report.files.values())


WORD = "correcthorse"


@pytest.mark.parametrize(
    ("text", "private"),
    [
        (f"--password {WORD}", WORD),
        (f"bad key token={WORD}", WORD),
        (f"['--token', '{WORD}']", WORD),
        (f'"api_key": "{WORD}"', WORD),
        (rf"{{\"token\": \"{WORD}\"}}", WORD),
        (f"Authorization: Bearer {WORD}.x.y", WORD),
        (f"https://me:{WORD}@example.org/x", WORD),
        (f"{WORD}@example.org", WORD),
        ("WANDB_API_KEY=" + "0123456789abcdef" * 2 + "01234567", "89ab"),
        ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
        ("ghp_abcdefghij0123456789", "abcdefghij"),
        ("d41d8cd98f00b204e9800998ecf8427e", "98f00b"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "FEMI"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----", "MIIB"),
    ],
)
def test_what_has_the_shape_of_a_secret_is_cut(text: str, private: str) -> None:
    redactor = Redactor(Known())

    cut = redactor.text(f"before {text} after")

    assert cut.startswith("before ")
    assert cut.endswith(" after")
    assert private not in cut
    assert redactor.cut.total() == 1


def test_what_one_text_names_a_secret_is_cut_where_it_stands_without_a_name() -> None:
    texts = (f"train.py --token {WORD}7", f"RuntimeError: {WORD}7 was refused")
    metadata = {
        "command": texts[0],
        "config": {"args": ["--api-key", WORD], "password": "opensesame"},
    }

    redactor = Redactor(known_of(texts, metadata, {}, ""))

    assert redactor.text(texts[1]) == "RuntimeError: <secret> was refused"
    assert redactor.text("opensesame?") == "<secret>?"
    assert redactor.value("", metadata)["config"]["args"] == ["--api-key", "<secret>"]


@pytest.mark.parametrize(
    "text",
    [
        "python -P -m agent train --env Hopper-v5 --max-kl 0.01 --fault constant-reward@5",
        "runs/20261123-042512-InvertedPendulum-v5-12345/checkpoints/000000000100.pt",
        "max_tokens=512 keys=3 monkey=1 KeyError: 'kl'",
        "/usr/lib/python3.11/site-packages/torch/nn/modules/linear.py:125",
        "TRPO101, 3.11.7, torch 2.13.0+cpu, 1e-05",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor(Known()).text(text) == text


def test_the_same_run_makes_the_same_zip_which_is_replaced_only_with_force(
    source: Path, zipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bug.zip"
    out.write_text("mine")

    assert run(["report", str(source), "-o", str(out)]) == 2
    assert "--force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert run(["report", str(source), "-o", str(out), "--force"]) == 0
    assert out.read_bytes() == zipped.read_bytes()


def test_what_is_ignored_is_in_the_reports_with_its_reason_cut(
    source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "bug.zip"

    run(["report", str(source), "-o", str(out), "--ignore", f"605=see {HOME}/notes.md"])

    with zipfile.ZipFile(out) as file:
        ignored = json.loads(file.read("report.json"))["ignored"]
        for name in ("report.md", "report.html"):
            assert b"TRPO605" in file.read(name)
    assert ignored == [{"code": "TRPO605", "reason": "see <home>/.../notes.md"}]


def test_analyze_and_convert_open_the_zip(
    zipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    run(["analyze", str(zipped), "--format", "json"])

    found = json.loads(capsys.readouterr().out)
    assert (found["path"], found["state"]["name"]) == (str(zipped), "crashed")
    assert run(["convert", str(zipped), "-o", str(tmp_path / "again.parquet")]) == 0


def test_a_live_run_can_be_reported_and_its_zip_watched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bug.zip"
    with RunLog(tmp_path / "live") as log:
        log.iteration(iteration=1, kl=0.01)
        assert run(["report", str(tmp_path / "live"), "-o", str(out)]) == 0

        assert run(["watch", "--plain", str(out)]) == 0

    assert open_run(out).state.name == "running"
    assert "At the end" in capsys.readouterr().out


def with_member(path: Path, name: str, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return path


def test_a_zip_that_is_no_report_is_one_clear_line(tmp_path: Path) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(b"PK\x03\x04 cut")

    for path, said in (
        (with_member(tmp_path / "other.zip", "a.txt", b"a"), "no run.parquet"),
        (with_member(tmp_path / "bomb.zip", "run.parquet", bytes(10**7)), "would unpack to"),
        (with_member(tmp_path / "wrong.zip", "run.parquet", b"PAR1 no"), "not a readable Parquet"),
        (cut, "not a readable zip"),
    ):
        with pytest.raises(UserError, match=said) as error:
            open_run(path)
        assert str(path) in str(error.value)


def test_training_like_a_report_reproduces_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, out = tmp_path / "first", tmp_path / "bug.zip"
    small = [
        "--env=Pendulum-v1",
        "--iterations=2",
        "--warm-up-steps=0",
        "--steps-per-iteration=64",
        "--environments=2",
    ]
    assert agent(["train", *small, "--seed=7", f"--out={first}"]) == 0
    assert run(["report", str(first), "-o", str(out)]) == 0

    assert agent(["train", f"--like={out}", f"--out={tmp_path / 'second'}"]) == 0

    assert f"\nreproduced: all 2 iterations of {out}" in capsys.readouterr().err

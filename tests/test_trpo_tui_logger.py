"""The one-file logger, run by every Python that is here, and read as a run of our own."""

import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import runlog
from runlog import RunLog, open_run
from runlog.errors import UserError
from runlog.publish import finalize
from runlog.schema import COLUMNS
from runlog.trpo_log import KINDS
from runlog.trpo_log import RunLog as OneFile

KINDS_OF_EVENTS = ["note", "crashed", "resumed", "note", "finished"]
LOGGER = Path(runlog.__file__).parent / "trpo_log.py"
PLACES = sorted(
    (Path.home() / ".pyenv" / "versions").glob("*/bin/python"),
    key=lambda place: [int(part) for part in re.findall(r"\d+", place.parts[-3])],
)
OLD = [str(p) for p in PLACES if re.match(r"2|3\.[0-5]\.", p.parts[-3])]
PYTHONS = [*(str(p) for p in PLACES if str(p) not in OLD), sys.executable]
OLDEST = PYTHONS[0]
WRITE = """
import os, sys
sys.path.insert(0, sys.argv[2])
from trpo_log import RunLog

def kl(i):
    return float("nan") if i % 5 == 0 else float("-inf") if i % 7 == 0 else i / 3

log = RunLog(sys.argv[1], config={"max_kl": 0.01}, env_id="Hopper-v2", seed=7)
with log:
    for i in range(int(sys.argv[3]), int(sys.argv[4])):
        log.iteration(iteration=i, kl=kl(i), timesteps=2048.0 * i, mine=i * 1.5,
                      line_search_success=i % 2, cg_residuals=[1, None, kl(i)],
                      update_outcome="accepted" if i % 2 else None)
        os.write(1, b"%d\\n" % i)
    log.event("note", "a mark \\u20ac")
    exec(sys.argv[5] if len(sys.argv) > 5 else "")
"""


def write(
    folder: Path, first: int, stop: int, then: str = "", python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    command = [python, "-c", WRITE, str(folder), str(folder.parent), str(first), str(stop), then]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trpo_log.py").write_bytes(LOGGER.read_bytes())
    return tmp_path / "run"


def kl(i: int) -> float:
    return float("nan") if i % 5 == 0 else float("-inf") if i % 7 == 0 else i / 3


def check(folder: Path, rows: int) -> None:
    run = open_run(folder)
    numbers = np.arange(1, rows + 1)
    assert run.column("iteration").values.tolist() == numbers.tolist()
    np.testing.assert_array_equal(run.column("kl").values, [kl(i) for i in numbers])
    assert run.column("kl").present.all()
    assert run.column("timesteps").values.tolist() == (2048 * numbers).tolist()
    assert run.column("mine").values.tolist() == (1.5 * numbers).tolist()
    assert run.column("line_search_success").values.tolist() == (numbers % 2).tolist()
    assert run.column("update_outcome").present.tolist() == (numbers % 2 == 1).tolist()
    lists = run.lists("cg_residuals")
    assert lists.entry_present[:3].tolist() == [True, False, True]
    np.testing.assert_array_equal(lists[rows - 1], [1, np.nan, kl(rows)])
    assert run.column("env_id").values[0] == "Hopper-v2"


@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: path.split("/")[-3])
def test_every_python_from_3_6_writes_a_run_that_is_read_exactly(python: str, folder: Path) -> None:
    first = write(folder, 1, 1100, "raise ValueError('no reward')", python)
    assert first.returncode == 1, first.stderr
    state = open_run(folder).state
    assert (state.name, state.reason) == ("crashed", "ValueError: no reward")
    second = write(folder, 1100, 1201, python=python)
    assert second.returncode == 0, second.stderr
    check(folder, 1200)
    run = open_run(folder)
    assert run.state.name == "finished"
    assert run.metadata["config"] == {"max_kl": 0.01}
    assert [e.kind for e in run.events] == KINDS_OF_EVENTS
    assert "a mark €" in [e.text for e in run.events]
    finalize(folder)
    check(folder, 1200)


def test_a_killed_process_loses_no_row_and_goes_on(folder: Path) -> None:
    script = [OLDEST, "-c", WRITE, str(folder), str(folder.parent)]
    with subprocess.Popen([*script, "1", "100000"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = b"".join(process.stdout.readline() for _ in range(1500))
        os.kill(process.pid, signal.SIGKILL)
        said += process.stdout.read()
    acknowledged = int(re.findall(rb"(\d+)\n", said)[-1])
    run = open_run(folder)
    assert len(run) in (acknowledged, acknowledged + 1)
    check(folder, len(run))
    assert run.state.name == "killed"
    assert write(folder, len(run) + 1, len(run) + 4, python=OLDEST).returncode == 0
    check(folder, len(run) + 3)


@pytest.mark.parametrize("python", [OLDEST, sys.executable], ids=["oldest", "this"])
def test_a_worker_does_not_keep_the_lock_of_a_killed_parent(python: str, folder: Path) -> None:
    fork = (
        "import multiprocessing, time\n"
        "worker = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,))\n"
        "worker.start(); print('worker', worker.pid, flush=True)\n"
        "time.sleep(0.3); os.kill(os.getpid(), 9)"
    )
    with (folder.parent / "said").open("w+") as said:  # a pipe would stay open with the worker
        command = [python, "-c", WRITE, str(folder), str(folder.parent), "1", "4", fork]
        subprocess.run(command, stdout=said, check=False)
        said.seek(0)
        worker = int(said.read().split("worker")[1])
    try:
        assert open_run(folder).state.name == "killed"
        assert write(folder, 4, 6).returncode == 0
    finally:
        os.kill(worker, signal.SIGKILL)
    check(folder, 5)


def test_a_signal_handler_may_log_in_the_middle_of_a_row(tmp_path: Path) -> None:
    def handle(*_: object) -> None:
        log.event("signal", "x")
        log.iteration(iteration=1000, kl=1.0)

    write, log = os.write, OneFile(tmp_path)
    before = signal.signal(signal.SIGUSR1, handle)

    def interrupted(descriptor: int, data: bytes) -> int:
        if b'"kl":0.5' in data:
            os.kill(os.getpid(), signal.SIGUSR1)
        return write(descriptor, data)

    try:
        with log, pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "write", interrupted)
            for i in range(1, 5):
                log.iteration(iteration=i, kl=0.5 if i == 2 else 0.1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    run = open_run(tmp_path, attempt=2)
    assert run.column("iteration").values.tolist() == [1, 2, 3, 4]
    assert [e.kind for e in run.events] == ["signal", "finished"]


def test_a_line_cut_off_is_dropped_and_the_run_goes_on(folder: Path) -> None:
    write(folder, 1, 11, "os._exit(9)")
    segment = folder / "wal" / "000000000000.wal"
    whole = segment.read_bytes()
    segment.write_bytes(whole[: whole.rindex(b'{"kind":"event"') - 20])
    assert len(open_run(folder)) == 9
    write(folder, 10, 13)
    check(folder, 12)


def test_run_log_and_the_one_file_continue_each_other(folder: Path) -> None:
    write(folder, 1, 6, "raise KeyboardInterrupt")
    assert open_run(folder).state.reason == "Ctrl-C"
    with RunLog(folder) as log:
        log.stop("for now")
        for i in (6, 7):
            log.iteration(
                iteration=i, kl=kl(i), timesteps=2048 * i, mine=1.5 * i,
                line_search_success=i % 2, cg_residuals=[1.0, None, kl(i)],
                update_outcome="accepted" if i % 2 else None,
            )  # fmt: skip
    assert write(folder, 8, 11).returncode == 0
    check(folder, 10)
    assert open_run(folder).attempts == 1


def test_an_iteration_number_that_does_not_rise_is_the_next_attempt(folder: Path) -> None:
    write(folder, 1, 8, "log.stop('enough')")
    write(folder, 4, 7)
    run = open_run(folder)
    assert (run.attempts, len(run)) == (2, 6)
    assert run.column("attempt").values.tolist() == [1, 1, 1, 2, 2, 2]
    check(folder, 6)


def test_a_second_writer_is_refused_whichever_came_first(folder: Path) -> None:
    then = "import subprocess; RunLog(sys.argv[1])"
    result = write(folder, 1, 3, then)
    assert "another process writes this run" in result.stderr
    with RunLog(folder.parent / "other") as log:
        log.iteration(kl=0.1)
        result = write(folder.parent / "other", 1, 3)
        assert "another process writes this run" in result.stderr
    result = write(folder.parent / "other", 1, 3)
    assert "this run has ended" in result.stderr
    script = [sys.executable, "-c", WRITE, str(folder), str(folder.parent), "3", "9"]
    with subprocess.Popen(
        [*script, "print('ready', flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != b"ready\n":
            assert process.poll() is None
        with pytest.raises(UserError, match=f"process {process.pid}"):
            RunLog(folder)
        assert open_run(folder).state.name == "running"


def test_a_disk_that_is_full_stops_no_training(folder: Path) -> None:
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "size = os.fstat(log._file).st_size\n"
        "_, most = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, most))\n"
        "for i in range(6, 9): log.iteration(iteration=i, kl=1.0, mine='text')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))\n"
        "log.iteration(iteration=9, kl=2.0)\n"
        "print('dropped', log.dropped)\n"
    )
    result = write(folder, 1, 6, limit)
    assert "dropped 3" in result.stdout, result.stderr
    assert result.stderr.count("the log cannot be written") == 1
    run = open_run(folder)
    assert run.column("iteration").values.tolist() == [1, 2, 3, 4, 5, 9]
    assert "3 records could not be written before this" in [e.text for e in run.events]


def test_a_disk_that_is_full_from_the_start_stops_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        log = OneFile(tmp_path / "run")
        log.iteration(kl=1.0)
    with log:
        log.iteration(kl=2.0)
    assert capsys.readouterr().err.count("the log cannot be written") == 2
    run = open_run(tmp_path / "run")
    assert (log.dropped, run.column("kl").values.tolist()) == (1, [2.0])
    assert run.state.name == "finished"


def test_rows_without_a_number_are_counted_from_one_since_the_log_was_opened(
    tmp_path: Path,
) -> None:
    for _ in range(2):
        with OneFile(tmp_path) as log:
            log.iteration(kl=1.0)
            log.iteration(kl=2.0)
    run = open_run(tmp_path)
    assert (run.attempts, run.column("iteration").values.tolist()) == (2, [1, 2])


def test_values_of_other_libraries_become_plain_numbers(tmp_path: Path) -> None:
    import torch

    with OneFile(tmp_path / "run") as log:
        log.iteration(
            kl=np.float32(0.5), gradient_norm=torch.tensor([2.0]), timesteps=np.int64(3),
            line_search_gains=np.array([1.0]), own=torch.tensor([1.0, 2.0]), big=10**400, flag=True,
            line_search_kls=[-(10**400)],
        )  # fmt: skip
        log.iteration(kl="text", timesteps=2.5, flag=0, line_search_success=2)
        with pytest.raises(TypeError, match=r"own: a cell holds a number.*not <object"):
            log.iteration(own=object())
    run = open_run(tmp_path / "run")
    assert run.column("kl").present.tolist() == [True, False]
    assert run.column("gradient_norm").values[0] == 2.0
    assert run.column("timesteps").present.tolist() == [True, False]
    assert run.lists("own")[0].tolist() == [1.0, 2.0]
    assert run.lists("line_search_gains")[0].tolist() == [1.0]
    assert run.column("big").values[0] == np.inf
    assert run.column("flag").values.tolist() == [1.0, 0.0]
    assert not run.column("line_search_success").present.any()


def test_it_knows_what_every_declared_column_holds() -> None:
    kinds = {"string": "text", "bool": "flag", "int64": "integer", "list<float64>": "list"}
    kinds["float64"] = "number"
    assert {spec.name: kinds[spec.type] for spec in COLUMNS} == {
        spec.name: KINDS.get(spec.name, "number") for spec in COLUMNS
    }
    assert KINDS.keys() <= {spec.name for spec in COLUMNS}


def test_a_run_written_under_python_3_6_in_format_1_is_read_for_ever() -> None:
    run = open_run(Path(__file__).parent / "golden" / "1" / "logger")
    numbers = np.arange(1, 21)
    assert run.column("iteration").values.tolist() == numbers.tolist()
    assert run.column("kl").values.tolist() == [i / 3 for i in range(1, 21)]
    explained = run.column("explained_variance").values
    np.testing.assert_array_equal(explained[:5], [0.5, 0.5, np.nan, -np.inf, 0.5])
    assert run.column("timesteps").values.tolist() == (2048 * numbers).tolist()
    assert run.column("line_search_success").values.tolist() == (numbers % 5 != 0).tolist()
    assert run.column("update_outcome").values[4] == "rejected"
    assert run.column("mine").present.tolist() == (numbers % 2 == 0).tolist()
    returns = run.lists("episode_returns")
    assert returns.entry_present[returns.offsets[2] : returns.offsets[3]].tolist() == [1, 0, 1]
    assert [e.text for e in run.events if e.kind == "checkpoint"] == ["10 €"]
    assert (run.state.name, run.state.reason) == ("crashed", "ValueError: no reward")
    assert run.metadata["packages"] == {"python": "3.6.15"}


def test_an_older_python_is_told_in_one_line(folder: Path) -> None:
    pretend = "import sys; sys.version_info = (3, 5, 0)"
    path = f"sys.path.insert(0, {str(folder.parent)!r})"
    for python, before in [(sys.executable, pretend), *((old, "import sys") for old in OLD)]:
        command = [python, "-c", f"{before}; {path}; import trpo_log"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert re.fullmatch(r"trpo_log.py needs Python 3.6 or newer, this is \d.\d+\n", done.stderr)


def test_the_command_prints_the_file() -> None:
    command = [sys.executable, "-P", "-m", "trpo_tui", "logger"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == LOGGER.read_bytes()

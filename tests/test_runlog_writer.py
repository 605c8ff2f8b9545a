"""RunLog: what it fills in, how it ends, how it goes on, what a bad disk does to it."""

import json
import math
import signal
import subprocess
import sys
from unittest import mock

import numpy as np
import pyarrow.parquet as pq
import pytest
from runlog_rows import assert_rows, writer

import runlog.journal
from runlog import RunLog, open_run, wal
from runlog.errors import UserError
from runlog.folder import parts, segments
from runlog.schema import BY_NAME, METADATA_KEYS


def iterations(run):
    return run.column("iteration").values.tolist()


def test_it_fills_in_what_the_caller_leaves_out(tmp_path):
    with RunLog(tmp_path / "run", env_id="Hopper-v5", seed=2**60, config={"max_kl": 0.01}) as log:
        log.iteration(kl=0.5)
        log.iteration(kl=0.25, time=7.0)
    run = open_run(tmp_path / "run")
    assert iterations(run) == [1, 2]
    assert run.column("attempt").values.tolist() == [1, 1]
    assert run.column("run_id").values.tolist() == [log.run_id] * 2
    assert run.column("env_id").values.tolist() == ["Hopper-v5"] * 2
    assert run.column("seed").present.all()
    assert run.column("time").values[0] > 1.6e9
    assert run.column("time").values[1] == 7.0
    table = pq.read_table(tmp_path / "run" / "run.parquet")
    assert table.column("seed").to_pylist() == [2**60] * 2  # exact, though a Column is float64


def test_run_json_holds_every_declared_key_and_never_changes(tmp_path):
    with RunLog(tmp_path, config={"layers": (64, 64)}, algorithm="trpo", horizon=1000) as log:
        before = (tmp_path / "run.json").read_bytes()
        log.iteration()
    metadata = json.loads(before)
    assert metadata.keys() >= METADATA_KEYS
    assert metadata["config"] == {"layers": [64, 64]}
    assert (metadata["algorithm"], metadata["horizon"], metadata["env_id"]) == ("trpo", 1000, None)
    assert metadata["run_id"] == log.run_id
    assert metadata["packages"]["numpy"] == np.__version__
    assert (tmp_path / "run.json").read_bytes() == before
    assert open_run(tmp_path).metadata == metadata


def test_a_normal_end_publishes_one_file_that_is_complete_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(runlog.journal, "SEGMENT_ROWS", 4)
    with RunLog(tmp_path / "run", config={"lam": 0.97}) as log:
        for i in range(10):
            log.iteration(kl=i / 7, mine=i)
        log.event("checkpoint", "checkpoints/10.pt")
    left = sorted(p.name for p in (tmp_path / "run").iterdir())
    assert left == [".lock", "run.json", "run.parquet", "wal"]
    assert len(segments(tmp_path / "run")) == 1
    alone = tmp_path / "attached.parquet"
    alone.write_bytes((tmp_path / "run" / "run.parquet").read_bytes())
    run = open_run(alone)
    assert run.column("kl").values.tolist() == [i / 7 for i in range(10)]
    assert run.column("mine").values.tolist() == list(range(10))
    assert run.metadata["config"] == {"lam": 0.97}
    assert [(e.row, e.kind) for e in run.events] == [(10, "checkpoint"), (10, "finished")]
    assert (run.state.name, run.state.last_iteration) == ("finished", 10)


def test_a_published_file_has_every_declared_column_in_its_declared_type(tmp_path):
    with RunLog(tmp_path, config={}) as log:
        log.iteration(kl=0.5)
    schema = pq.read_schema(tmp_path / "run.parquet")
    stored = {field.name: str(field.type) for field in schema}
    expected = {
        name: {"list<float64>": "list<element: double>", "float64": "double"}.get(s.type, s.type)
        for name, s in BY_NAME.items()
    }
    assert {name: stored[name] for name in BY_NAME} == expected
    group = pq.read_metadata(tmp_path / "run.parquet").row_group(0)
    kl = next(c for c in map(group.column, range(group.num_columns)) if c.path_in_schema == "kl")
    assert (kl.compression, kl.has_dictionary_page) == ("ZSTD", False)
    assert "BYTE_STREAM_SPLIT" in kl.encodings


CELLS = [None, math.nan, math.inf, -math.inf, -0.0, 0.1 + 0.2, 5e-324]
LISTS = [None, [], [math.nan, None, math.inf], [0.1], [None], [-0.0], [1.0, 2.0]]


def exact(run):
    """Each cell of `kl` and `gradient_norms`, null and NaN and every bit told apart."""
    kl, norms = run.column("kl"), run.lists("gradient_norms")
    cells = [repr(float(v)) if p else None for v, p in zip(kl.values, kl.present, strict=True)]
    lists = []
    for i in range(len(run)):
        entries = slice(norms.offsets[i], norms.offsets[i + 1])
        there = norms.entry_present[entries]
        shown = [repr(float(v)) if p else None for v, p in zip(norms[i], there, strict=True)]
        lists.append(shown if norms.present[i] else None)
    return cells, lists


def test_null_nan_and_the_infinities_stay_apart_in_the_log_and_in_parquet(tmp_path):
    expected = (
        [None if c is None else repr(c) for c in CELLS],
        [None if r is None else [None if c is None else repr(c) for c in r] for r in LISTS],
    )
    with RunLog(tmp_path) as log:
        for kl, norms in zip(CELLS, LISTS, strict=True):
            log.iteration(kl=kl, gradient_norms=norms)
        assert exact(open_run(tmp_path)) == expected  # from the write-ahead log
    assert exact(open_run(tmp_path)) == expected  # from Parquet


def test_to_pandas_keeps_types_lists_and_null_apart_from_nan(tmp_path):
    with RunLog(tmp_path) as log:
        log.iteration(kl=math.nan, episode_returns=[1.0, 2.0], line_search_success=True, mine="a")
        log.iteration(kl=None, episode_returns=None, line_search_success=None, timesteps=7)
    frame = open_run(tmp_path).to_pandas()
    assert frame["kl"].isna().tolist() == [False, True]
    assert frame["timesteps"].dtype == "int64[pyarrow]"
    assert frame["line_search_success"].dtype == "bool[pyarrow]"
    assert list(frame["episode_returns"][0]) == [1.0, 2.0]
    assert frame["mine"].tolist()[0] == "a"


def test_an_exception_is_told_sealed_and_can_be_resumed(tmp_path):
    def explode():
        with RunLog(tmp_path, config={"max_kl": 0.01}) as log:
            log.iteration(kl=1.0)
            log.iteration(kl=2.0)
            error = FloatingPointError("NaN in\nthe policy")
            error.add_note("after\n 2 rows")
            raise error

    with pytest.raises(FloatingPointError):
        explode()
    run = open_run(tmp_path)
    assert (run.state.name, run.state.reason) == (
        "crashed",
        "FloatingPointError: NaN in the policy (after 2 rows)",
    )
    assert parts(tmp_path) == ((0, 1),)
    assert "in explode" in run.events[-1].text
    assert not (tmp_path / "run.parquet").exists()
    with RunLog(tmp_path, config={"max_kl": 0.02}) as log:
        assert (log.last_iteration, log.attempt) == (2, 1)
        log.iteration(iteration=3, kl=3.0)
    run = open_run(tmp_path)
    assert run.column("kl").values.tolist() == [1.0, 2.0, 3.0]
    assert [(e.row, e.kind) for e in run.events] == [
        (2, "crashed"),
        (2, "resumed"),
        (3, "finished"),
    ]
    assert "max_kl: 0.01 -> 0.02" in run.events[1].text
    assert run.metadata["config"] == {"max_kl": 0.01}
    assert (run.state.name, run.attempts) == ("finished", 1)


@pytest.mark.parametrize("how", ["ctrl-c", "exit", "said", "preempted"])
def test_a_run_ended_before_its_time_is_stopped_and_not_published(tmp_path, how):
    log = RunLog(tmp_path)
    try:
        with log:
            log.iteration(kl=1.0)
            if how == "ctrl-c":
                raise KeyboardInterrupt
            if how == "exit":
                sys.exit(3)
            if how == "preempted":
                log.event("preempted", "SIGTERM from the batch system")
            log.stop("SIGTERM")
    except (KeyboardInterrupt, SystemExit):
        pass
    run = open_run(tmp_path)
    expected = {
        "ctrl-c": ("stopped", "Ctrl-C"),
        "exit": ("stopped", "SystemExit"),
        "said": ("stopped", "SIGTERM"),
        "preempted": ("preempted", "SIGTERM from the batch system"),
    }
    assert (run.state.name, run.state.reason) == expected[how]
    assert len(run) == 1
    assert not (tmp_path / "run.parquet").exists()


def test_a_log_nobody_closes_says_how_its_program_ended(tmp_path):
    for name, then in (
        ("a", "raise ValueError('bad')"),
        ("b", ""),
        ("c", "raise KeyboardInterrupt"),
    ):
        subprocess.run(writer(tmp_path / name, rows=3, then=then), capture_output=True, check=False)
    crashed, stopped = open_run(tmp_path / "a"), open_run(tmp_path / "b")
    assert (crashed.state.name, crashed.state.reason) == ("crashed", "ValueError: bad")
    assert stopped.state.name == "stopped"
    assert open_run(tmp_path / "c").state.reason == "Ctrl-C"
    assert len(crashed) == len(stopped) == 3


def test_a_resume_supersedes_and_a_restart_hides(tmp_path):
    for rows in ([1, 2, 3, 4], [3, 4, 5], [1, 2]):
        with RunLog(tmp_path) as log:
            for i in rows:
                log.iteration(iteration=i, kl=10.0 * log.attempt + i)
            log.event("checkpoint", str(rows))
            log.stop("enough")
    newest = open_run(tmp_path)
    assert (newest.attempts, newest.attempt, iterations(newest)) == (3, 3, [1, 2])
    second = open_run(tmp_path, attempt=2)
    assert iterations(second) == [1, 2, 3, 4, 5]
    assert second.column("attempt").values.tolist() == [1, 1, 2, 2, 2]
    assert iterations(open_run(tmp_path, attempt=1)) == [1, 2, 3, 4]
    assert [e.text for e in newest.events if e.kind == "checkpoint"] == ["[3, 4, 5]", "[1, 2]"]
    assert [e.row for e in second.events if e.kind == "checkpoint"] == [2, 5]


def test_a_run_that_has_ended_refuses_to_be_continued(tmp_path):
    with RunLog(tmp_path) as log:
        log.iteration()
    with pytest.raises(UserError, match="has ended"):
        RunLog(tmp_path)
    assert len(open_run(tmp_path)) == 1


def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written here"):
        RunLog(tmp_path / "file")
    with pytest.raises(UserError, match="cannot be written here"):
        RunLog(tmp_path / "file" / "run")


def test_a_closed_log_takes_no_more(tmp_path):
    log = RunLog(tmp_path)
    log.close("stopped", "enough")
    log.close()
    with pytest.raises(UserError, match="closed"):
        log.iteration()
    assert open_run(tmp_path).state.reason == "enough"


def test_extras_keep_their_type_over_a_resume(tmp_path):
    for mine in (1, "text"):
        with RunLog(tmp_path) as log:
            log.iteration(iteration=(log.last_iteration or 0) + 1, mine=mine, policy_los=1.0)
            log.stop("enough")
    run = open_run(tmp_path)
    assert run.types["mine"] == "float64"
    assert run.column("mine").present.tolist() == [True, False]
    warnings = [event.text for event in run.events if event.kind == "warning"]
    assert ["did you mean policy_loss" in text for text in warnings] == [True, False]
    assert "mine holds float64" in warnings[1]


def test_a_last_record_cut_at_any_byte_is_resumed_from_the_one_before(tmp_path):
    command = writer(tmp_path / "run", rows=3, then="import os; os._exit(9)")
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    path = tmp_path / "run" / "wal" / f"{0:012d}.wal"
    whole = path.read_bytes()
    last = whole[:-1].rindex(b"\n") + 1
    for cut in range(last, len(whole)):
        for tail in (b"", bytes(512)):
            path.write_bytes(whole[:cut] + tail)
            assert_rows(open_run(tmp_path / "run"), at_least=2)
            assert len(open_run(tmp_path / "run")) == 2
    with RunLog(tmp_path / "run") as log:
        assert log.last_iteration == 2
        log.iteration(iteration=3, kl=3 / 7, timesteps=2048 * 3, episode_returns=[])
    assert_rows(open_run(tmp_path / "run"), at_least=3)


def test_a_full_disk_neither_stops_training_nor_spoils_the_log(tmp_path):
    code = f"""
import resource, signal
from runlog import RunLog
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with RunLog({str(tmp_path)!r}) as log:
    limit = 6000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for i in range(1, 61):
        log.iteration(iteration=i, kl=i / 7, padding="x" * 100)
    assert log.dropped > 20, log.dropped
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for i in range(61, 71):
        log.iteration(iteration=i, kl=i / 7, padding="x" * 100)
    print(log.dropped)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    dropped = int(done.stdout)
    run = open_run(tmp_path)
    kept = 60 - dropped
    assert iterations(run) == [*range(1, kept + 1), *range(61, 71)]
    assert (run.column("kl").values == run.column("iteration").values / 7).all()
    (told,) = [event for event in run.events if event.kind == "dropped"]
    assert (told.row, told.text.split()[0]) == (kept, str(dropped))
    assert done.stderr.decode().count("training goes on") == 1
    assert run.state.name == "finished"


def test_a_disk_full_from_the_start_lets_training_run(tmp_path):
    code = f"""
import resource
from runlog import RunLog
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
with RunLog({str(tmp_path / "run")!r}) as log:
    log.iteration(kl=1.0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    log.iteration(kl=2.0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    run = open_run(tmp_path / "run")
    assert run.column("kl").values.tolist() == [2.0]
    assert [event.kind for event in run.events] == ["dropped", "finished"]


def test_a_forked_child_neither_logs_nor_keeps_the_lock(tmp_path):
    code = f"""
import os, sys, time
from runlog import RunLog
from runlog.errors import UserError
log = RunLog({str(tmp_path)!r})
log.iteration(kl=1.0)
parent = os.getpid()
if os.fork() == 0:
    try:
        log.iteration(kl=2.0)
    except UserError as error:
        print("refused", flush=True)
    while os.getppid() == parent:  # its standard input is the parent's to read until then
        time.sleep(0.01)
    sys.stdin.read()
    os._exit(0)
os.wait4(-1, os.WNOHANG)
sys.stdin.buffer.raw.read(1)
os.kill(os.getpid(), 9)
"""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"refused\n"
        process.stdin.write(b"x")
        process.stdin.flush()
        assert process.wait() == -signal.SIGKILL
        run = open_run(tmp_path)  # the child still lives, waiting on its standard input
        process.stdin.close()
    assert (run.state.name, len(run)) == ("killed", 1)


def test_what_a_signal_handler_logs_in_the_middle_of_a_row_follows_it(tmp_path, monkeypatch):
    with RunLog(tmp_path / "run") as log:
        log.iteration(kl=1.0)
        write_all, depth = wal.write_all, 0

        def interrupted(descriptor: int, data: bytes):
            nonlocal depth
            depth += 1
            if depth == 1:  # as a handler may be called between any two lines
                log.event("signal", "SIGUSR1")
                log.iteration(kl=3.0)
            write_all(descriptor, data)

        monkeypatch.setattr(wal, "write_all", interrupted)
        log.iteration(kl=2.0)
        log.iteration(kl=4.0)
    run = open_run(tmp_path / "run")
    assert run.column("kl").values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert [(event.row, event.kind) for event in run.events] == [(2, "signal"), (4, "finished")]


def test_a_ctrl_c_in_the_middle_of_a_row_does_not_hold_up_the_next(tmp_path, monkeypatch):
    with RunLog(tmp_path / "run") as log:
        log.iteration(kl=1.0)
        with monkeypatch.context() as patch:
            patch.setattr(wal, "write_all", mock.Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                log.iteration(kl=2.0)
        log.iteration(kl=3.0)
    assert open_run(tmp_path / "run").column("kl").values.tolist() == [1.0, 3.0]

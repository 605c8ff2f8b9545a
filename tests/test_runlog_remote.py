"""Runs and logs behind ssh://, read from a server inside the test."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from runlog_rows import assert_rows, writer
from ssh_server import SlowLine, SshServer, until

from runlog import remote, remote_connection, remote_follow, remote_log, remote_mirror
from runlog.errors import UserError
from runlog.reader import follow, open_run
from runlog.remote_address import address_of
from runlog.remote_files import Found
from runlog.remote_heart import RemoteHeart
from runlog.remote_shelf import Shelf
from runlog.writer import RunLog

SAMPLES = Path(__file__).resolve().parent.parent / "sample_logs"


@pytest.fixture
def home(tmp_path, monkeypatch):
    place = tmp_path / "home"
    place.mkdir()
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setattr(remote_follow, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(remote_connection, "RETRY_SECONDS", (0.1, 0.2))
    yield place
    remote_connection.close_all()


@pytest.fixture
def server(home):
    made = SshServer(home)
    yield made
    made.close()


def polled(follower, condition):
    """Poll until the run is as wanted."""

    def once():
        follower.poll()
        return condition(follower.run)

    until(once)
    return follower.run


def rows_of(path, n, start=1):
    with RunLog(path) as log:
        for i in range(start, start + n):
            log.iteration(iteration=i, kl=i / 7)


@pytest.mark.parametrize(
    ("text", "user", "port", "path"),
    [
        ("ssh://box/a//b/../c", None, None, "/a/c"),
        ("ssh://me@box:2222/a b%20", "me", 2222, "/a b%20"),
        ("ssh://box/~/runs/17", None, None, "runs/17"),
        ("ssh://box/~", None, None, "."),
        ("ssh://[::1]:22/x", None, 22, "/x"),
    ],
)
def test_an_address_has_user_host_port_and_path(text, user, port, path):
    address = address_of(text)
    assert (address.user, address.port, address.path) == (user, port, path)
    assert address_of(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "ssh://-oProxyCommand=id/x", "ssh://-l@box/x", "ssh:///x", "ssh://@box/x", "ssh://box",
        "ssh://bo\x1bx/x", "ssh://box/x\n", "ssh://b;id/x", "ssh://$(id)/x", "ssh://box:0/x",
        "ssh://box:ssh/x", "ssh://me:secret@box/x", "ssh://a b/x", "ssh://`id`@box/x",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_line(text):
    with pytest.raises(UserError) as refused:
        address_of(text)
    assert str(refused.value).isprintable()
    assert "secret" not in str(refused.value)


def test_a_finished_run_is_the_same_as_here(server):
    there = SAMPLES / "TRPO101-constant-reward"
    here, far = open_run(there), open_run(server.url(there))
    assert far.state == here.state
    assert far.metadata == here.metadata
    assert far.events == here.events
    for name in here.types:
        if here.types[name] != "list<float64>":
            assert np.array_equal(far.column(name).present, here.column(name).present)


def test_a_path_may_begin_at_home(server, home, monkeypatch):
    rows_of(home / "runs" / "17", 3)
    monkeypatch.chdir(home)  # where this server begins
    for place in ("/~/runs/17", "/~/runs/17/run.parquet"):
        assert len(open_run(server.url(place))) == 3
    assert remote.find_remote_runs(server.url("/~")) == (server.url("/~/runs/17"),)


def test_rows_arrive_once_and_in_order_through_seals_and_the_end(server, tmp_path):
    path = tmp_path / "run"
    command = writer(path, rows=600, segment_rows=64, then="log.close()")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        follower = follow(server.url(path))
        seen = len(follower.run)

        def grown(run):
            nonlocal seen
            assert len(run) >= seen
            assert_rows(run, at_least=seen)
            seen = len(run)
            return run.state.name == "finished"

        reading = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        run = polled(follower, grown)
        reading.wait()
    assert_rows(run, at_least=600)


def test_a_cut_line_leaves_no_gap_and_no_repeat(server, tmp_path):
    path = tmp_path / "run"
    log = RunLog(path)
    log.iteration(iteration=1, kl=1 / 7)
    follower = follow(server.url(path))
    server.stop()
    for i in range(2, 40):
        log.iteration(iteration=i, kl=i / 7)
    cut = polled(follower, lambda run: run.notes)
    assert cut.notes[-1].startswith("connection lost, retrying in ")
    assert len(cut) == 1
    assert cut.state.name == "running"
    until(lambda: (follower.poll(), follower._cut.seconds > 0.15)[1])
    server.start()
    back = polled(follower, lambda run: not run.notes)
    assert (back.column("iteration").values == np.arange(1, 40)).all()
    log.close()
    assert (
        polled(follower, lambda run: run.state.name == "finished").column("kl").values[38] == 39 / 7
    )


def test_a_torn_record_is_fetched_again_until_it_is_whole(server, tmp_path):
    path = tmp_path / "run"
    log = RunLog(path)
    for i in (1, 2):
        log.iteration(iteration=i, kl=i / 7)
    (segment,) = (path / "wal").iterdir()
    whole = segment.read_bytes()
    copy = tmp_path / "copy"
    (copy / "wal").mkdir(parents=True)
    shutil.copy(path / "run.json", copy)
    shutil.copy(path / ".lock", copy)
    torn = copy / "wal" / segment.name
    torn.write_bytes(whole[:-20] + b"#" * 15)
    follower = follow(server.url(copy))
    assert len(follower.run) == 1
    torn.write_bytes(whole)
    assert len(polled(follower, lambda run: len(run) == 2)) == 2
    log.close()


def test_only_new_bytes_are_asked_for(server, tmp_path, monkeypatch):
    path = tmp_path / "run"
    asked = []
    read = remote_mirror.peek

    async def counted(sftp, name, wanted, heard):
        def noted(found):
            ranges = wanted(found)
            asked.extend((name, r.start, r.size) for r in ranges)
            return ranges

        return await read(sftp, name, noted, heard)

    log = RunLog(path)
    for i in range(1, 50):
        log.iteration(iteration=i, kl=i / 7)
    monkeypatch.setattr(remote_mirror, "peek", counted)
    follower = follow(server.url(path))
    (segment,) = (path / "wal").iterdir()
    before = segment.stat().st_size
    follower.poll()
    asked.clear()
    follower.poll()
    assert asked == []
    log.iteration(iteration=50, kl=50 / 7)
    polled(follower, lambda run: len(run) == 50)
    assert asked == [(str(segment), before, segment.stat().st_size - before)]
    log.close()


def test_a_run_that_another_one_replaces_is_shown_anew(server, tmp_path):
    path = tmp_path / "run"
    rows_of(path, 5)
    (path / "run.parquet").unlink()  # as if it still went on
    follower = follow(server.url(path))
    shutil.rmtree(path)
    log = RunLog(path, env_id="Another-v0")
    log.iteration(iteration=1, kl=3.0)
    run = polled(follower, lambda run: run.metadata.get("env_id") == "Another-v0")
    assert run.column("kl").values.tolist() == [3.0]
    log.close()


def test_a_large_table_is_read_by_the_ranges_of_its_columns(server, tmp_path, monkeypatch):
    monkeypatch.setattr(remote_mirror, "WHOLE", 50_000)
    monkeypatch.setattr("runlog.remote_parquet.BLOCK", 4_096)
    path = tmp_path / "run"
    noise = np.random.default_rng(0).normal(size=(4_000, 8))
    columns = (
        "kl",
        "entropy",
        "reward_mean",
        "gradient_norm",
        "step_norm",
        "return_mean",
        "a",
        "b",
    )
    with RunLog(path) as log:
        for i, row in enumerate(noise, 1):
            log.iteration(iteration=i, **dict(zip(columns, row.tolist(), strict=True)))
    size = (path / "run.parquet").stat().st_size
    run = open_run(server.url(path))
    (chunk,) = run.chunks
    assert np.array_equal(run.column("kl").values, noise[:, 0])
    copied = len(chunk.ranged._have) * 4_096
    assert copied < size / 3
    assert np.array_equal(run.column("b").values, noise[:, 7])


def test_the_copy_is_gone_with_the_run(server):
    run = open_run(server.url(SAMPLES / "TRPO101-constant-reward"))
    copy = run.chunks[0].path
    assert copy.is_file()
    del run
    assert not copy.exists()


def test_the_copy_of_a_killed_process_is_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = Shelf()
    code = (
        "import os; from runlog.remote_shelf import Shelf; shelf = Shelf();"
        "print(shelf.path, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=False,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    left = Path(done.stdout.strip())
    assert left.parent == tmp_path
    assert left.is_dir()
    (tmp_path / "trpo-tui-of-something-else").mkdir()
    another = Shelf()
    assert not left.exists()
    assert sorted(tmp_path.iterdir()) == sorted(
        [mine.path, another.path, tmp_path / "trpo-tui-of-something-else"]
    )


def test_a_log_that_grows_and_is_written_anew_is_followed(server, tmp_path):
    path = tmp_path / "progress.csv"
    path.write_text("iteration,kl,entropy\n1,0.1,1.5\n2,0.2,1.4\n")
    follower = follow(server.url(path))
    assert len(follower.run) == 2
    with path.open("a") as file:
        file.write("3,0.3,1.3\n")
    assert polled(follower, lambda run: len(run) == 3).state.name == "running"
    path.write_text("iteration,kl,entropy,gradient_norm\n1,0.5,1.5,2.0\n")
    assert polled(follower, lambda run: len(run) == 1).column("gradient_norm").values[0] == 2.0
    assert open_run(server.url(path)).column("kl").values.tolist() == [0.5]


def test_a_parquet_file_of_another_program_is_read(server, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"iteration": [1, 2], "kl": [0.1, 0.2]}), tmp_path / "theirs.parquet")
    run = open_run(server.url(tmp_path / "theirs.parquet"))
    assert run.column("kl").values.tolist() == [0.1, 0.2]


def test_the_runs_below_a_folder_are_found_without_their_own_folders(server, tmp_path):
    for name in ("a/1", "b", "b/checkpoints/not-a-run", ".hidden/2"):
        rows_of(tmp_path / "runs" / name, 1)
    (tmp_path / "runs" / "empty").mkdir()
    found = remote.find_remote_runs(server.url(tmp_path / "runs"))
    assert found == (server.url(tmp_path / "runs/a/1"), server.url(tmp_path / "runs/b"))
    assert remote.connect(server.url(tmp_path / "runs")) == "folder"
    assert remote.connect(server.url(tmp_path / "runs/b")) == "run"


def test_a_writer_that_is_killed_over_there_is_seen(server, tmp_path):
    path = tmp_path / "run"
    command = writer(path, rows=3, then="import time; time.sleep(20)")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for _ in range(3):
            process.stdout.readline()
        follower = follow(server.url(path))
        follower.poll()
        assert follower.run.state.name == "running"
        process.kill()
        process.wait()
        follower._tail._looked = None  # the next look at its life is not two seconds away
        assert polled(follower, lambda run: run.state.name == "killed")


def test_the_batch_systems_output_beside_a_killed_run_is_read(server, tmp_path):
    path = tmp_path / "runs" / "17"
    command = writer(path, rows=3, then="os.kill(os.getpid(), 9)")
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    out = tmp_path / "runs" / "slurm-4711.out"
    out.write_text(
        "iteration 3\n"
        * 20_000
        + "slurmstepd: error: *** JOB 4711 ON n1 CANCELLED AT 2026-11-23T00:00:00 DUE TO TIME "
        "LIMIT ***\n"
    )
    here, far = open_run(path), open_run(server.url(path))
    assert far.state == here.state
    assert "slurm-4711.out" in far.state.reason


@pytest.mark.parametrize(
    ("path", "said"),
    [("/nowhere/run", "no such file or folder"), ("/dev/null", "neither a file nor a folder")],
)
def test_what_cannot_be_read_is_one_line(server, path, said):
    with pytest.raises(UserError, match=said):
        open_run(server.url(path))


def test_a_folder_of_another_trainer_is_its_log(server, tmp_path):
    folder = tmp_path / "sb3"
    folder.mkdir()
    (folder / "0.monitor.csv").write_text("#{}\nr,l,t\n1.0,2,3.0\n")
    (folder / "progress.csv").write_text("iteration,kl,entropy\n1,0.1,1.5\n2,0.2,1.4\n")
    assert remote.connect(server.url(folder)) == "file"
    follower = follow(server.url(folder))
    assert follower.run.column("kl").values.tolist() == [0.1, 0.2]
    with (folder / "progress.csv").open("a") as file:
        file.write("3,0.3,1.3\n")
    assert len(polled(follower, lambda run: len(run) == 3)) == 3


def test_event_files_are_followed_and_new_ones_found(server, tmp_path, monkeypatch):
    monkeypatch.setattr(remote_log, "LIST_SECONDS", 0.0)
    folder = tmp_path / "tb"
    folder.mkdir()
    (folder / "events.out.tfevents.1.box").write_bytes(b"one")
    connection = remote_connection.connection_to(address_of(server.url(folder)))
    assert remote.connect(server.url(folder)) == "events"
    mirror = remote_log.EventsMirror(connection, str(folder), Shelf())
    mirror.update()
    (folder / "events.out.tfevents.2.box").write_bytes(b"two")
    with (folder / "events.out.tfevents.1.box").open("ab") as file:
        file.write(b" and more")
    mirror.update()
    copies = {path.name: path.read_bytes() for path in mirror.path.iterdir()}
    assert copies == {
        "events.out.tfevents.1.box": b"one and more",
        "events.out.tfevents.2.box": b"two",
    }


def test_a_line_that_falls_silent_counts_as_cut(server, tmp_path, monkeypatch):
    line = SlowLine(server.port, 0.0)
    server.trust(port=line.port)
    log = RunLog(tmp_path / "run")
    log.iteration(iteration=1)
    follower = follow(server.url(tmp_path / "run", line.port))
    monkeypatch.setattr(remote_connection, "SILENT_SECONDS", 0.2)
    line.seconds = 999.0
    assert follower.poll().notes[-1].startswith("connection lost")
    line.seconds = 0.0
    log.iteration(iteration=2)
    monkeypatch.setattr(remote_connection, "SILENT_SECONDS", 20.0)
    assert len(polled(follower, lambda run: len(run) == 2)) == 2
    log.close()
    line.close()


def test_a_writer_is_told_by_its_beat_where_its_process_cannot_be_seen():
    heart = RemoteHeart()
    now = int(time.time())
    heart.take(Found("file", 9, now - 5), process=None)
    assert heart.look() == "alive"
    heart = RemoteHeart()
    heart.take(Found("file", 9, now - 500), process=None)
    assert heart.look() == "silent"
    heart.take(Found("file", 9, now - 490), process=None)
    assert heart.look() == "alive"  # it was touched between: that machine's clock is behind
    assert heart.clock() == pytest.approx(time.time() - 490, abs=2)
    heart.take(None, process=None)
    assert heart.look() == "silent"


def test_a_process_that_can_be_seen_tells_more_than_the_beat():
    heart, lock = RemoteHeart(), Found("file", 9, int(time.time()))
    heart.take(lock, process=True)
    assert heart.look() == "alive"
    heart.take(lock, process=False)
    assert heart.look() == "gone"


def test_a_writer_in_a_container_is_not_taken_for_gone(server, tmp_path):
    log = RunLog(tmp_path / "run")
    log.iteration(iteration=1)
    lock = tmp_path / "run" / ".lock"
    owner = json.loads(lock.read_text())
    lock.write_text(json.dumps(owner | {"host": "1f2e3d4c", "pid": 2**22 + 7}))
    assert open_run(server.url(tmp_path / "run")).state.name == "running"
    lock.write_text(json.dumps(owner | {"pid": 2**22 + 7}))
    assert open_run(server.url(tmp_path / "run")).state.name == "killed"
    log.close()


def test_a_folder_without_a_run_is_one_line_that_names_the_address(server, tmp_path):
    with pytest.raises(UserError) as refused:
        open_run(server.url(tmp_path))
    assert server.url(tmp_path) in str(refused.value)
    assert "trpo-tui-" not in str(refused.value)


def test_without_asyncssh_one_line_says_what_to_install(cli, tmp_path):
    (tmp_path / "asyncssh.py").write_text("raise ModuleNotFoundError(name='asyncssh')\n")
    done = cli("analyze", "ssh://box/run", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.strip().endswith("pip install 'trpo-tui[ssh]'")
    assert len(done.stderr.splitlines()) == 1


def test_nothing_of_this_is_imported_for_a_run_that_lies_here():
    code = (
        "import sys; from runlog import open_run; open_run(sys.argv[1]);"
        "sys.exit(any(m in sys.modules for m in ('asyncssh', 'asyncio')))"
    )
    path = str(SAMPLES / "TRPO101-constant-reward")
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == 0

"""What the commands make of ssh:// addresses, against a server inside the test."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ssh_server import SshServer

from runlog import remote_connection
from runlog.errors import UserError
from runlog.run import State, run_of
from runlog.writer import RunLog
from trpo_tui.app import pick
from trpo_tui.entries import entry_of
from trpo_tui.frame import Frame
from trpo_tui.places import Readings, name_of, parent_of
from trpo_tui.plain import Said, news, watch_plain
from trpo_tui.playhead import Playhead
from trpo_tui.themes import UNICODE
from trpo_tui.widgets.header import header_line

SAMPLES = Path(__file__).resolve().parent.parent / "sample_logs"
LOST = "connection lost, retrying in 4 s"


@pytest.fixture
def server(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(home))
    made = SshServer(home)
    yield made
    remote_connection.close_all()
    made.close()


def live(*notes):
    run = run_of([{"iteration": 1, "kl": 0.01}])
    state = State(name="running", last_iteration=1, last_row_time=None)
    return replace(run, state=state, notes=notes)


def test_analyze_reads_over_ssh_what_it_reads_here(server, cli):
    there = SAMPLES / "TRPO101-constant-reward"
    here, far = (cli("analyze", "--format", "json", p) for p in (there, server.url(there)))
    assert far.returncode == 1, far.stderr
    assert far.stderr == ""
    assert json.loads(far.stdout) == json.loads(here.stdout) | {"path": server.url(there)}


def test_one_host_that_cannot_be_reached_does_not_stop_the_others(server, cli):
    good = server.url(SAMPLES / "TRPO101-constant-reward")
    done = cli("analyze", "ssh://nowhere.invalid/run", good)
    assert done.returncode == 2
    assert "no host of that name" in done.stdout
    assert "TRPO101" in done.stdout


def test_plain_lines_end_with_the_run(server, cli):
    done = cli("watch", "--plain", server.url(SAMPLES / "TRPO101-constant-reward"))
    assert done.returncode == 0, done.stderr
    assert "The run has finished, at iteration 25" in done.stdout


def test_a_refused_host_key_is_one_line_and_exit_code_2(server, cli):
    (server.home / ".ssh" / "known_hosts").unlink()
    for command in (("watch",), ("watch", "--plain"), ("analyze",)):
        done = cli(*command, server.url("/run"))
        assert done.returncode == 2
        assert "is not in known_hosts" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_folder_over_there_is_picked_from(server, tmp_path):
    for name in ("a", "b"):
        with RunLog(tmp_path / "runs" / name) as log:
            log.iteration(iteration=1, kl=0.01)
    folder = server.url(tmp_path / "runs")
    assert pick(folder) == (None, folder)
    assert pick(f"{folder}/a") == (f"{folder}/a", None)
    entry = entry_of(f"{folder}/b", folder, Readings())
    assert (entry.name, entry.iterations, entry.state.name) == ("b", 1, "finished")


def test_a_run_in_the_picker_is_not_fetched_again(server, tmp_path):
    log = RunLog(tmp_path / "run")
    log.iteration(iteration=1)
    readings, url = Readings(), server.url(tmp_path / "run")
    assert len(readings.read(url)) == 1
    follower = readings._followed[url]
    follower._looked = 0.0
    log.iteration(iteration=2)
    assert len(readings.read(url)) == 2
    assert readings._followed[url] is follower
    log.close()


def test_runs_over_there_have_names_and_neighbours():
    assert name_of("ssh://box/runs/a/1", "ssh://box/runs") == "a/1"
    assert name_of("ssh://box/runs/17/") == "17"
    assert parent_of("ssh://box:22/runs/17") == "ssh://box:22/runs"


def test_a_cut_line_is_said_once_and_its_return_too():
    said, words = Said(), []
    for run in (live(), live(LOST), live(LOST), live()):
        found, said = news(run, None, said)
        words += found
    assert words[1:] == ["Connection lost, retrying in 4 s.", "The connection is back."]


def test_the_header_shows_a_cut_line_and_the_run_stays():
    frame = Frame(
        name="run-17", path="", run=live(LOST), playhead=Playhead().grown(1), diagnosis=None,
        changes=(), charts=(), focus=0,
    )  # fmt: skip
    line = header_line(frame, 80, UNICODE)
    assert (f"  {LOST}", "warn") in line
    assert "run-17  LIVE  it 1" in "".join(text for text, _ in line)


def test_a_folder_without_runs_is_one_line(server, tmp_path, cli):
    done = cli("analyze", server.url(tmp_path))
    assert done.returncode == 2
    assert "no run in this folder" in done.stderr
    with pytest.raises(UserError, match="no run in this folder yet"):
        watch_plain(server.url(tmp_path))

"""A folder of runs in sentences: once for each change, a command called without a shell."""

import io
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runlog import RunLog
from runlog.errors import UserError
from runlog.run import State
from trpo_tui.entries import Entry
from trpo_tui.folder_plain import news_of, watch_folder
from trpo_tui.notifying import command_of, notify

LIVE = State(name="running", last_iteration=3, last_row_time=0.0)


def entry(*, state="running", verdict="healthy", name="a", reason=None, iterations=3):
    return Entry(
        path=f"runs/{name}", name=name, verdict=verdict, iterations=iterations, last_return=1.5,
        state=replace(LIVE, name=state, reason=reason), headline=f"It is {verdict}.",
    )  # fmt: skip


SICK = "TRPO101 constant-reward"


@pytest.mark.parametrize(
    ("before", "now", "said", "worth"),
    [
        (None, entry(), "running at iteration 3, return 1.5. It is healthy.", False),
        (None, entry(state="crashed"), "crashed at iteration 3", False),
        (entry(), entry(iterations=9), None, False),
        (entry(), entry(state="quiet"), "quiet", False),
        (entry(), entry(verdict=SICK), f"It is {SICK}.", True),
        (entry(verdict=SICK), entry(), "It is healthy.", True),
        (entry(), entry(state="crashed", reason="ValueError: nan."), "crashed at iteration 3, return "
         "1.5: ValueError: nan. It is healthy.", True),
        (entry(state="slow"), entry(state="finished"), "finished", True),
        (entry(state="finished"), entry(state="finished"), None, False),
    ],
)  # fmt: skip
def test_news_are_changes_and_a_notification_is_for_a_cause_or_an_end(before, now, said, worth):
    news = news_of(before, now)
    assert (news is None) == (said is None)
    if news is not None:
        assert said in news.text
        assert news.worth == worth


RECORD = "import json,os,sys; open(sys.argv[1],'a').write(json.dumps([sys.argv[2:], os.environ['TRPO_TUI_CODE']])+'\\n')"


def test_the_command_gets_its_words_one_by_one_and_once_a_change(tmp_path):
    told = tmp_path / "told"
    command = (sys.executable, "-c", RECORD, str(told), "{run}", "to {state}: {text}")
    evil = "a'; touch pwned; '{state}"
    looks = [
        (entry(name=evil),),
        (entry(name=evil),),
        (entry(name=evil, verdict=SICK),),
        (entry(name=evil, verdict=SICK),),
        (entry(name=evil, verdict=SICK, state="killed"),),
        (entry(name=evil, verdict=SICK, state="killed"),),
    ]
    out = io.StringIO()
    watch_folder("runs", every=1e9, command=command, stream=out, seen=looks)
    calls = [json.loads(line) for line in told.read_text().splitlines()]
    assert [code for _, code in calls] == ["TRPO101", "TRPO101"]
    assert [words[1].partition(":")[0] for words, _ in calls] == ["to running", "to killed"]
    assert len(out.getvalue().splitlines()) == 3
    assert not Path("pwned").exists()


def test_a_line_comes_at_least_every_so_often():
    out, now = io.StringIO(), [0.0]

    def seen():
        for _ in range(5):
            yield (entry(), entry(name="b", state="finished", verdict=SICK))
            now[0] += 20.0

    watch_folder("runs", every=30.0, stream=out, seen=seen(), clock=lambda: now[0])
    lines = out.getvalue().splitlines()
    assert lines[2:] == ["2 runs: 1 running, 1 finished; 1 with a fault."] * 2


def test_a_command_that_fails_is_told_and_ends_nothing():
    assert "cannot be run" in notify(("no-such-program-here",), entry(), "x")
    fails = (sys.executable, "-c", "import sys; sys.exit('no network')")
    assert notify(fails, entry(), "x").endswith("ended with 1: no network")
    with pytest.raises(UserError, match="names no program"):
        command_of("  ")
    with pytest.raises(UserError, match="--notify-cmd"):
        command_of("echo 'x")
    assert command_of("ntfy pub 'my topic' {text}") == ("ntfy", "pub", "my topic", "{text}")


def test_a_folder_is_watched_for_good_and_a_killed_run_is_told(tmp_path):
    """Real processes: a watcher, a run that goes on, one that comes later and ends."""
    folder = tmp_path / "runs"
    told = tmp_path / "told"
    notify_cmd = f'{sys.executable} -c "{RECORD}" {told} {{run}} {{state}}'
    with RunLog(folder / "first") as log:
        log.iteration(iteration=1, kl=0.01, episode_return_mean=1.0)
        watcher = subprocess.Popen(
            [sys.executable, "-m", "trpo_tui", "watch", str(folder), "--plain", "--notify-cmd",
             notify_cmd],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert watcher.stdout.readline().startswith("first: running at iteration 1")
            with RunLog(folder / "second") as later:
                for i in range(1, 4):
                    later.iteration(iteration=i, kl=0.01)
                assert watcher.stdout.readline().startswith("second: ")
            line = watcher.stdout.readline()
            assert line.startswith("second: finished at iteration 3")
            end = time.monotonic() + 10
            while not told.exists() and time.monotonic() < end:
                time.sleep(0.05)
            assert [json.loads(x)[0] for x in told.read_text().splitlines()] == [
                ["second", "finished"]
            ]
            assert watcher.poll() is None
        finally:
            watcher.terminate()
            watcher.wait(10)


def test_a_command_needs_lines(cli, tmp_path):
    with RunLog(tmp_path / "run") as log:
        log.iteration(iteration=1, kl=0.01)
    done = cli("watch", str(tmp_path / "run"), "--notify-cmd", "true", "--plain")
    assert done.returncode == 0
    assert done.stdout.startswith("run: finished at iteration 1")

"""Watching in sentences."""

import io
import subprocess
import sys
from dataclasses import replace
from itertools import count

import pytest
from screen_fakes import FakeAnswers, FakeTail, run_with

from runlog.errors import UserError
from runlog.run import Run, run_of
from runlog.writer import RunLog
from trpo_tui.plain import sentences, watch_plain
from trpo_tui.terminal import leaves_keyboard


def _ended(run, name="killed", reason="its process is gone"):
    return replace(run, state=replace(run.state, name=name, reason=reason))


def _spoken(runs, *, every=1000.0, silent=0):
    tail = FakeTail(runs[0])
    tail.next = list(runs[1:])
    ticks = count()
    polls = iter([False] * silent)
    poll = tail.poll
    tail.poll = lambda: None if next(polls, None) is not None else poll()
    return list(
        sentences(
            tail, every=every, judging=FakeAnswers, clock=lambda: float(next(ticks)),
            sleep=lambda seconds: None,
        )
    )  # fmt: skip


def test_an_ended_run_is_told_and_left():
    spoken = _spoken([_ended(run_with(60))])
    assert spoken[0] == "The run was killed, at iteration 60: its process is gone."
    assert any("TRPO101" in sentence for sentence in spoken)
    assert any(sentence.startswith("Evidence: ") for sentence in spoken)
    assert [s.split(":")[0] for s in spoken if s.startswith("Fix")] == [
        "Fix (guide §1)",
        "Fix (founded)",
    ]
    assert spoken[-1].startswith("At the end: TRPO101")


def test_nothing_is_said_twice():
    live = [run_with(n, state="running") for n in (30, 31, 32, 33)]
    spoken = _spoken([*live, _ended(run_with(33))])
    assert len([s for s in spoken if "live" in s]) == 1
    assert len([s for s in spoken if s.startswith("Iteration 30")]) == 1
    assert not any(s.startswith("Iteration 31") for s in spoken)


def test_a_new_cause_is_said_when_it_appears():
    spoken = _spoken(
        [run_with(5, state="running"), run_with(40, state="running"), _ended(run_with(40))]
    )
    healthy = next(i for i, s in enumerate(spoken) if "No fault found" in s)
    sick = next(i for i, s in enumerate(spoken) if "TRPO101" in s)
    assert healthy < sick


def test_a_silent_run_is_spoken_of_every_so_often():
    spoken = _spoken([run_with(5, state="running"), _ended(run_with(5))], every=10.0, silent=40)
    assert len([s for s in spoken if s.startswith("Iteration 5, return")]) >= 3


def test_a_run_without_rows_ends_without_a_diagnosis():
    empty = replace(Run(chunks=()), state=replace(run_of([]).state, name="crashed", reason="no"))
    assert _spoken([empty]) == ["The run crashed, before the first iteration: no."]


def test_lines_go_out_in_the_encoding_of_the_stream(tmp_path):
    with RunLog(tmp_path / "run", env_id="Ümgebung-v0") as log:
        for i in range(12):
            log.iteration(kl=0.0, reward_min=1.0, reward_max=1.0, episode_return_mean=float(i))
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    assert watch_plain(tmp_path / "run", stream=stream) == 0
    stream.flush()
    assert b"finished, at iteration 12" in raw.getvalue()


def test_a_folder_without_runs_and_a_missing_one_are_one_line(tmp_path):
    with pytest.raises(UserError, match="no run in this folder yet"):
        watch_plain(tmp_path)
    with pytest.raises(UserError, match="no such file"):
        watch_plain(tmp_path / "c")


def test_plain_lines_need_neither_textual_nor_pandas(tmp_path):
    with RunLog(tmp_path / "run") as log:
        log.iteration(kl=0.01)
    code = (
        "import sys; from trpo_tui.plain import watch_plain; watch_plain(sys.argv[1]);"
        "print(sorted({'textual', 'pandas', 'torch', 'agent'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_screen_starts_without_pyarrow_pandas_or_torch():
    code = (
        "import sys; from trpo_tui.app import prepare_textual; prepare_textual();"
        "import trpo_tui.application;"
        "print(sorted({'pyarrow', 'pandas', 'torch', 'agent'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_is_analysed_without_what_only_other_logs_and_reports_need(tmp_path):
    with RunLog(tmp_path / "run") as log:
        log.iteration(kl=0.01, line_search_kls=[0.01, 0.002])
    code = (
        "import sys; from trpo_tui.cli import main\n"
        "sys.argv[1:1] = ['analyze']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "rare = {'pandas', 'torch', 'textual', 'agent', 'pyarrow.compute', 'runlog.importers',"
        " 'analyzer.reports.why', 'analyzer.reports.as_markdown', 'analyzer.reports.page'}\n"
        "print(sorted(rare & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "leaves"),
    [
        ("-n box tail -F log", True),
        ("-p 22 -Tn box tail", True),
        ("-p 22 -i key box tail -n +1 -F log", False),
        ("-ofoo=n box cat", False),
        ("box", False),
    ],
)
def test_ssh_leaves_the_keyboard_only_when_told_to(arguments, leaves):
    assert leaves_keyboard(arguments.split()) is leaves

"""Rows whose content is a function of their number, and a writer of them in a process of its own."""

import sys
import textwrap
import time
from pathlib import Path

import numpy as np

from runlog.folder import parts, segments

WRITER = """
import os
import runlog.journal
from runlog import RunLog

runlog.journal.SEGMENT_ROWS = {segment_rows}
log = RunLog({path!r}, run_id="r", config={{"max_kl": 0.01}})
first = (log.last_iteration or 0) + 1
for i in range(first, first + {rows}):
    log.iteration(iteration=i, kl=i / 7, timesteps=2048 * i, episode_returns=[i, i / 3][: i % 3])
    if i % 10 == 0:
        log.event("checkpoint", str(i))
    os.write(1, b"%d\\n" % i)  # one write, so that a kill never leaves half a number
{then}
"""


def writer(path: Path, *, rows: int, segment_rows: int = 1024, then: str = "") -> list[str]:
    """Command of a process that appends rows, prints each one's number after it, then does `then`."""
    code = WRITER.format(
        path=str(path), rows=rows, segment_rows=segment_rows, then=textwrap.dedent(then)
    )
    return [sys.executable, "-c", code]


def append(log, first, count):
    """Append rows first to first + count - 1, as a writer's process would."""
    for i in range(first, first + count):
        log.iteration(
            iteration=i, kl=i / 7, timesteps=2048 * i, episode_returns=[i, i / 3][: i % 3]
        )
        if i % 10 == 0:
            log.event("checkpoint", str(i))


def settle(log, rows):
    """Wait until the log's thread has sealed every full segment."""
    full = rows - rows % 16
    while sum(last - first + 1 for first, last in parts(log.path)) < full:
        time.sleep(0.001)
    while len(segments(log.path)) > 2:
        time.sleep(0.001)


def assert_rows(run, *, at_least: int, kills: int = 0) -> None:
    """Every row from iteration 1 on is there once, in order, with its own content.

    Each kill may have come between a row and the event that goes with it.
    """
    n = len(run)
    assert n >= at_least
    i = np.arange(1, n + 1)
    assert (run.column("iteration").values == i).all()
    assert (run.column("kl").values == i / 7).all()
    assert (run.column("timesteps").values == 2048 * i).all()
    lists = run.lists("episode_returns")
    assert lists.present.all()
    assert (np.diff(lists.offsets) == i % 3).all()
    assert (lists.values[lists.offsets[:-1][i % 3 > 0]] == i[i % 3 > 0]).all()
    marks = [int(event.text) for event in run.events if event.kind == "checkpoint"]
    expected = range(10, n + 1, 10)
    assert marks == [k for k in expected if k in marks]
    assert len(marks) >= len(expected) - kills

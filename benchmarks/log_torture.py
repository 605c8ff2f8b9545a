"""kill -9 at random moments of a run's writer, each followed by a resume, before a live reader.

Three processes work on one folder: a server that forks a fresh writer after every kill, so that a
kill does not cost an import; a reader that polls all the time and checks all it sees; and the one
that kills, which knows what the writers acknowledged, and checks the folder after every kill.
"""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from log_rows import Expected, row_of

import runlog.journal
from runlog import RunLog, is_run, open_run
from runlog.folder import PUBLISHED, parts, temporaries
from runlog.parts import warm_up
from runlog.run import Run
from runlog.tail import Tail

HERE = Path(__file__).resolve().parent
SEGMENT_ROWS = 40
"""So small that a writer seals and rotates all the time."""
MARK_EVERY = 7
"""Rows from one event to the next."""
LONGEST_LIFE_SECONDS = 0.4
FINISH_CHANCE = 0.15
"""How often a writer ends its run in order, so that kills meet the publishing too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tortured:
    """What became of one run, from its first writer to its run.parquet.

    `acknowledged`: rows the last look had to find. `polls`: new states the live reader checked.
    `half_made`: kills that left part of a Parquet file. `unborn`: kills before the writer's first
    row. `wrong`: what was lost or shown wrong; must be empty.
    """

    seed: int
    kills: int
    rows: int
    acknowledged: int
    parts: int
    polls: int
    half_made: int
    unborn: int
    wrong: tuple[str, ...]


def torture(folder: Path, *, seed: int, kills: int) -> Tortured:
    """Kill the writers of one run up to so often; ends earlier when the run is published."""
    generator = random.Random(seed)
    server = _child("serve", folder)
    reader = _child("read", folder)
    expected = Expected()
    acknowledged = marks = killed = half_made = unborn = sealed = 0
    wrong: list[str] = []
    while killed < kills and not (folder / PUBLISHED).exists():
        ends = generator.randrange(5, 60) if generator.random() < FINISH_CHANCE else 0
        rows, marked, was_killed = _one_writer(server, ends, generator)
        killed += was_killed
        unborn += was_killed and not rows
        acknowledged, marks = max([acknowledged, *rows]), max([marks, *marked])
        if not is_run(folder):
            continue  # killed before there was one
        half_made += bool(temporaries(folder))
        run = open_run(folder)
        sealed = max(sealed, len(parts(folder)))
        wrong += _wrong(run, expected, acknowledged, marks)
    if not (folder / PUBLISHED).exists():
        rows, marked, _ = _one_writer(server, 5, generator, whole=True)
        acknowledged, marks = max([acknowledged, *rows]), max([marks, *marked])
        wrong += _wrong(open_run(folder), expected, acknowledged, marks)
    seen = json.loads(reader.communicate()[0])
    server.communicate()
    if seen["rows"] != len(open_run(folder)):
        wrong.append(f"the reader ended with {seen['rows']} of {len(open_run(folder))} rows")
    return Tortured(
        seed=seed,
        kills=killed,
        rows=len(open_run(folder)),
        acknowledged=acknowledged,
        parts=sealed,
        polls=seen["polls"],
        half_made=half_made,
        unborn=unborn,
        wrong=(*wrong, *seen["wrong"]),
    )


def _one_writer(
    server: "subprocess.Popen[str]", ends: int, generator: random.Random, *, whole: bool = False
) -> tuple[list[int], list[int], bool]:
    """Start a writer, kill it; the counts of rows and marks it acknowledged, and if it was killed.

    `ends`: rows after which it ends the run itself; then it is killed at a random moment of that,
    unless `whole`. Otherwise (0) it is killed at a random moment after its start, in which it takes
    up the run, or after its first row.
    """
    begins = "writer" if generator.random() < 0.3 else "row"
    life = generator.random() * LONGEST_LIFE_SECONDS
    rows: list[int] = []
    marks: list[int] = []
    print(ends, file=server.stdin)
    process = 0
    for line in iter(server.stdout.readline, ""):  # type: ignore[union-attr]  # it is a pipe
        word, _, number = line.partition(" ")
        if word == "writer":
            process = int(number)
        elif word == "ending" and not whole:
            time.sleep(generator.random() * 0.15)
            with suppress(ProcessLookupError):  # it was quicker
                os.kill(process, signal.SIGKILL)
        elif word == "row":
            rows.append(int(number))
        elif word == "mark":
            marks.append(int(number))
        if word == begins and not ends and len(rows) <= 1:
            time.sleep(life)
            os.kill(process, signal.SIGKILL)
        if word == "gone":
            return rows, marks, int(number) == -signal.SIGKILL
    raise SystemExit(f"the writers' server is gone ({server.wait()})")


def _wrong(run: Run, expected: Expected, acknowledged: int, marks: int) -> list[str]:
    """What is wrong with a run of which so many rows and marks were acknowledged."""
    found = _misshown(run, expected)
    if len(run) < acknowledged:
        found.append(f"{acknowledged} rows were acknowledged, {len(run)} are there")
    last = max((int(event.text) for event in run.events if event.kind == "mark"), default=0)
    if last < marks:
        found.append(f"the event at row {marks} was acknowledged, the last is at {last}")
    return found


def _misshown(run: Run, expected: Expected) -> list[str]:
    found = [difference] if (difference := expected.difference(run)) else []
    marks = [int(event.text) for event in run.events if event.kind == "mark"]
    if marks != sorted({*marks}) or any(mark % MARK_EVERY for mark in marks):
        found.append(f"events out of order or repeated: {marks}")
    found += [note for note in run.notes if "damaged from" in note or "missing" in note]
    if (run.column("iteration").values[1:] <= run.column("iteration").values[:-1]).any():
        found.append("iterations do not rise")
    return found


def _child(role: str, folder: Path) -> "subprocess.Popen[str]":
    # -P, and this folder last: a file named runlog.py lies beside this one.
    return subprocess.Popen(
        [sys.executable, "-P", __file__, role, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (HERE.parent, HERE)))},
    )


def _serve(folder: Path) -> None:
    """Fork a writer for every line that comes in, say when it is gone and how."""
    warm_up()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _write(folder, int(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        _say("gone", os.waitstatus_to_exitcode(status))


def _write(folder: Path, ends: int) -> None:
    _say("writer", os.getpid())
    runlog.journal.SEGMENT_ROWS = SEGMENT_ROWS
    first = Tail(folder).next_row if is_run(folder) else 0
    log = RunLog(folder, run_id="tortured")
    for index in itertools.count(first):
        log.iteration(iteration=index + 1, **row_of(index))
        _say("row", index + 1)
        if (index + 1) % MARK_EVERY == 0:
            log.event("mark", str(index + 1))
            _say("mark", index + 1)
        if ends and index + 1 - first == ends:
            break
        time.sleep(random.random() * 0.003)
    _say("ending", 0)
    log.close()


def _read(folder: Path) -> None:
    """Follow the run until standard input ends; print what was seen."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not is_run(folder) and not ended.is_set():
        time.sleep(0.002)
    tail, expected = Tail(folder), Expected()
    run, polls, rows = tail.run, 0, 0
    wrong: list[str] = []
    last = False
    while not last:
        last = ended.is_set()  # one more poll after the last word
        if run is not None:
            polls += 1
            wrong += _misshown(run, expected)
            if len(run) < rows:
                wrong.append(f"the reader saw {rows} rows, then {len(run)}")
            rows = len(run)
        time.sleep(random.random() * 0.02)
        run = tail.poll()
    print(json.dumps({"rows": rows, "polls": polls, "wrong": wrong}))


def _say(word: str, number: int) -> None:
    os.write(1, f"{word} {number}\n".encode())  # one write, so that a kill leaves no half of it


if __name__ == "__main__":
    {"serve": _serve, "read": _read}[sys.argv[1]](Path(sys.argv[2]))

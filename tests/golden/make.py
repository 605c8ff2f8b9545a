"""Makes the golden runs of the format that is written now: once for each version, then never again.

Three runs of the same rows, `row(1)` to `row(40)`, in segments of 16: a finished one, a crashed one
and a live one, whose writer was killed. Each was stopped after iteration 24 and resumed from 20.
Run as `python tests/golden/make.py`.
"""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from runlog import RunLog
from runlog.records import FORMAT

FOLDER = Path(__file__).resolve().parent
KINDS = ("crashed", "finished", "live")
ROWS = 40
STOPPED, RESUMED = 24, 20
SETTINGS: dict[str, Any] = {
    "run_id": "golden",
    "env_id": "Hopper-v5",
    "seed": 7,
    "algorithm": "TRPO",
    "config": {"max_kl": 0.01, "text": "é"},
    "command": "python train.py",
    "git_commit": "0" * 40,
}
_WRITER = """
import os, platform, sys
from pathlib import Path
import runlog.journal, runlog.lock
from golden.make import write

platform.node = lambda: "golden"
runlog.lock.BOOT_ID_FILE = Path("nowhere")
runlog.journal.SEGMENT_ROWS = 16
write(sys.argv[1])
os.write(1, b"written")
sys.stdin.read()
"""


def row(i: int) -> dict[str, Any]:
    """The content of iteration i; a cell that is None is null."""
    return {
        "iteration": i,
        "timesteps": 2048 * i,
        "time": 1.7e9 + i / 3,
        "kl": [i / 7, math.nan, None, math.inf, -math.inf, -0.0][i % 6],
        "entropy": math.pi * 10.0 ** (i - 20),
        "line_search_success": [True, False, None][i % 3],
        "update_outcome": ["accepted", "rejected", None][i % 3],
        "episode_returns": [None, [], [i / 3, math.nan, None, -math.inf]][i % 3],
        "note": f"é\\n{i}" if i > 16 else None,
        "mine": i / 9 if i > 30 else None,
    }


def write(kind: str) -> None:
    """Write the run of that kind into the working directory, as far as its process gets."""
    with RunLog(kind, **SETTINGS) as log:
        _rows(log, 1, STOPPED)
        log.stop("enough")
    log = RunLog(kind, **SETTINGS)
    _rows(log, RESUMED, ROWS)
    if kind == "crashed":
        log.close("crashed", "ValueError: boom\n  File train.py, line 1")
    elif kind == "finished":
        log.close()


def _rows(log: RunLog, first: int, last: int) -> None:
    for i in range(first, last + 1):
        log.iteration(**row(i))
        if i % 5 == 0:
            log.event("checkpoint", f"iteration {i}")


def main() -> None:
    """Make the runs of this version; SystemExit where they are there already."""
    place = FOLDER / str(FORMAT)
    if any((place / kind).exists() for kind in KINDS):
        sys.exit(f"{place}: the runs of format {FORMAT} are there, and never made again")
    place.mkdir(exist_ok=True)
    for kind in KINDS:
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=place,
            env=os.environ | {"PYTHONPATH": str(FOLDER.parent)},
        )
        with process:
            if process.stdout is None or process.stdout.read(7) != b"written":
                sys.exit(f"{kind}: its writer failed")
            process.send_signal(signal.SIGKILL)


if __name__ == "__main__":
    main()

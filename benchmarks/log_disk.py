"""A run on a real file system of one megabyte that is full for a while."""

import shutil
import subprocess
from pathlib import Path

from log_rows import differences, row_of

import runlog.journal
from runlog import RunLog, open_run
from runlog.rows import RecordChunk
from runlog.run import Run

SIZE = 2**20
BALLAST = 600_000
"""Bytes that are freed again after the disk was full."""
ROWS, ROWS_AFTER = 1500, 200


def disk(folder: Path) -> dict[str, float]:
    """Rows appended, dropped and kept, and columns where a kept row is wrong."""
    place = folder / "small"
    place.mkdir()
    mount = shutil.which("mount") or "mount"
    command = [mount, "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(place)]
    if subprocess.run(command, check=False).returncode:
        return {"no right to mount a file system here": 1.0}
    segment_rows, runlog.journal.SEGMENT_ROWS = runlog.journal.SEGMENT_ROWS, 64
    try:
        (place / "ballast").write_bytes(bytes(BALLAST))
        with RunLog(place / "run") as log:
            for index in range(ROWS):
                log.iteration(iteration=index + 1, **row_of(index))
            full = log.dropped
            (place / "ballast").unlink()
            for index in range(ROWS, ROWS + ROWS_AFTER):
                log.iteration(iteration=index + 1, **row_of(index))
            dropped = log.dropped
            log.stop("measured")
        return _account(open_run(place / "run"), full, dropped)
    finally:
        runlog.journal.SEGMENT_ROWS = segment_rows
        subprocess.run([shutil.which("umount") or "umount", place], check=True)


def _account(run: Run, full: int, dropped: int) -> dict[str, float]:
    indices = run.column("index").values.astype(int).tolist()
    wanted = Run(chunks=(RecordChunk(tuple(row_of(index) for index in indices)),))
    told = sum(int(e.text.split()[0]) for e in run.events if e.kind == "dropped")
    return {
        "rows appended": float(ROWS + ROWS_AFTER),
        "dropped while the disk was full": float(full),
        "dropped after room was made": float(dropped - full),
        "dropped by the run's own word": float(told),
        "kept": float(len(run)),
        "lost otherwise": float(ROWS + ROWS_AFTER - dropped - len(run)),
        "columns with a wrong cell": float(len(differences(run, wanted))),
    }

"""How long the run log takes, how much it keeps: each function measures one figure."""

import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from log_disk import disk
from log_rows import agent_rows, rows_like

import runlog.journal
from runlog import RunLog, open_run
from runlog.folder import PUBLISHED, RUN_JSON, parts
from runlog.journal import SEGMENT_ROWS
from runlog.parts import ROW_GROUP_ROWS, Footer, arrow_schema, parquet_writer
from runlog.schema import COLUMNS
from runlog.tail import Tail

Figures = dict[str, float]
HERE = Path(__file__).resolve().parent
POLL_SECONDS = 0.2
"""The screen looks five times a second."""
PAUSE_SECONDS = 0.002
THREE = ("kl", "policy_loss", "gradient_norm")


def append(folder: Path, *, count: int = 1000) -> Figures:
    """Milliseconds of one `iteration()` with a full row, without and with a window.

    One after the other, and with a pause in which the caches fill with something else. Beside
    them a yardstick for the machine as it is just then: json.dumps of the same rows, no more.
    """
    figures: Figures = {}
    for name, windows in (("without a window", False), ("with a window", True)):
        rows = list(rows_like(agent_rows(), count, windows=windows))
        for pause in (0.0, PAUSE_SECONDS):
            taken, yardstick = [], []
            with RunLog(folder / f"{name} {pause}") as log:
                for row in rows:
                    begun = time.perf_counter()
                    log.iteration(**row)
                    taken.append(time.perf_counter() - begun)
                    begun = time.perf_counter()
                    json.dumps(row)
                    yardstick.append(time.perf_counter() - begun)
                    if pause:
                        time.sleep(pause)
                log.stop("measured")
            after = f" after a pause of {1e3 * pause:.0f} ms" if pause else ""
            figures |= {
                f"{name}{after}, p{p}, ms": 1e3 * float(np.percentile(taken, p)) for p in (50, 95)
            }
            figures[f"{name}{after}, json.dumps alone, p50, ms"] = 1e3 * float(np.median(yardstick))
        figures[f"{name}, columns"] = float(np.median([len(row) for row in rows]))
    return figures


def seal(folder: Path, *, seals: int = 10) -> Figures:
    """Milliseconds an append took at most while so many segments were sealed beside it.

    "Nothing sealed" is the same loop without: what the machine's other work alone delays.
    """
    figures: Figures = {}
    matrix = np.random.default_rng(0).standard_normal((96, 96))
    limits = (runlog.journal.SEGMENT_ROWS, runlog.journal.SEGMENT_BYTES)
    for name, windows in (
        ("as the agent writes", None),
        ("a window in every row", True),
        ("nothing sealed", None),
    ):
        sealing = name != "nothing sealed"
        endless = (10**9, 10**12)
        runlog.journal.SEGMENT_ROWS, runlog.journal.SEGMENT_BYTES = limits if sealing else endless
        rows = itertools.cycle(list(rows_like(agent_rows(), SEGMENT_ROWS, windows=windows)))
        appends, works, iteration = [], [], 0
        with RunLog(folder / name) as log:
            while (
                len(parts(folder / name)) < seals if sealing else iteration < seals * SEGMENT_ROWS
            ):
                iteration += 1
                row = next(rows) | {"iteration": iteration}
                begun = time.perf_counter()
                log.iteration(**row)
                between = time.perf_counter()
                _work(matrix)
                appends.append(between - begun)
                works.append(time.perf_counter() - between)
            log.stop("measured")
        figures |= {
            f"{name}, longest append, ms": 1e3 * max(appends),
            f"{name}, p99.9 of appends, ms": 1e3 * float(np.percentile(appends, 99.9)),
            f"{name}, longest hold of the loop's own work, ms": 1e3
            * float(max(works) - np.median(works)),
            f"{name}, rows": float(len(appends)),
            f"{name}, seals": float(len(parts(folder / name))) if sealing else 0.0,
        }
    runlog.journal.SEGMENT_ROWS, runlog.journal.SEGMENT_BYTES = limits
    return figures


def _work(matrix: np.ndarray) -> None:
    """About a millisecond of what a training does: matrices, and Python between them."""
    for _ in range(8):
        matrix = np.tanh(matrix @ matrix / 10)
        sum(range(500))


def size(folder: Path, *, count: int = 10_000) -> Figures:
    """Megabytes of a finished run of so many iterations, all columns as the agent writes them."""
    with RunLog(folder / "run", config={}) as log:
        for row in rows_like(agent_rows(), count, windows=None):
            log.iteration(**row)
    return {
        "rows": float(len(open_run(folder / "run"))),
        "run.parquet, MB": (folder / "run" / PUBLISHED).stat().st_size / 1e6,
    }


def tail(folder: Path, *, count: int = 400) -> Figures:
    """Milliseconds from before a row's append to a reader of another process having it."""
    command = [sys.executable, "-P", __file__, str(folder / "run"), str(count)]
    path = os.pathsep.join(map(str, (HERE.parent, HERE)))
    delays: list[float] = []
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}) as process:
        while not (folder / "run" / "wal").exists() and process.poll() is None:
            time.sleep(0.01)
        follower = Tail(folder / "run")
        while len(delays) < count:
            begun = time.monotonic()
            run = follower.poll()
            if run is not None:
                sent = run.column("sent").values
                delays += (time.monotonic() - sent[len(delays) :]).tolist()
            elif process.poll() is not None:
                break
            time.sleep(max(0.0, POLL_SECONDS - (time.monotonic() - begun)))
    return {"rows": float(len(delays))} | {
        f"p{p}, ms": 1e3 * float(np.percentile(delays, p)) for p in (50, 95, 100)
    }


def _send(folder: Path, count: int) -> None:
    """Append so many full rows, each with the moment before its append; every 50 ms on average."""
    with RunLog(folder) as log:
        for row in rows_like(agent_rows(), count, windows=None):
            time.sleep(random.uniform(0.02, 0.08))
            log.iteration(**row, sent=time.monotonic())
        log.stop("measured")


def read(folder: Path, *, rows: int = 1_000_000, columns: int = 80, pairs: int = 9) -> Figures:
    """Seconds to read columns of a long run as arrays, ours and bare pyarrow's, and their ratio."""
    path = folder / PUBLISHED
    names = _long_run(path, rows, columns)
    figures: Figures = {"file, MB": path.stat().st_size / 1e6}
    for word, wanted in (("three columns", THREE), ("everything", names)):
        ours: list[float] = []
        bare: list[float] = []
        for pair in range(pairs + 1):
            both: list[tuple[list[float], Callable[[Path, tuple[str, ...]], float]]]
            both = [(ours, _through_open_run), (bare, _through_pyarrow)]
            for taken, reader in both if pair % 2 else both[::-1]:
                begun = time.perf_counter()
                reader(path, wanted)
                if pair:  # the first pair warms the caches
                    taken.append(time.perf_counter() - begun)
        ratios = np.array(ours) / np.array(bare)
        figures |= {
            f"{word}, open_run, s": float(np.median(ours)),
            f"{word}, pyarrow, s": float(np.median(bare)),
            f"{word}, ratio": float(np.median(ratios)),
            f"{word}, largest ratio": float(ratios.max()),
        }
    return figures


def _through_open_run(path: Path, names: tuple[str, ...]) -> float:
    run = open_run(path)
    return sum(float(run.column(name).values[-1]) for name in names)


def _through_pyarrow(path: Path, names: tuple[str, ...]) -> float:
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=list(names))
    return sum(float(table.column(name).to_numpy()[-1]) for name in names)


def _long_run(path: Path, rows: int, columns: int) -> tuple[str, ...]:
    """A run.parquet in the log's own settings, noise in so many columns; returns their names."""
    import pyarrow as pa

    schema = arrow_schema({})
    floats = [spec.name for spec in COLUMNS if spec.type == "float64" and spec.name not in THREE]
    names = ("iteration", *THREE, *floats)[:columns]
    footer = Footer(metadata={"run_id": "long"}, columns=names)
    (path.parent / RUN_JSON).write_text(json.dumps(footer.metadata))
    generator = np.random.default_rng(0)
    with parquet_writer(path, schema.with_metadata(footer.encoded())) as writer:
        for start in range(0, rows, ROW_GROUP_ROWS):
            n = min(ROW_GROUP_ROWS, rows - start)
            arrays = [
                pa.array(np.arange(start + 1, start + n + 1))
                if field.name == "iteration"
                else pa.array(generator.standard_normal(n))
                if field.name in names
                else pa.nulls(n, field.type)
                for field in schema
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=writer.schema))
    return names


MEASURES: dict[str, Callable[[Path], Figures]] = {
    "disk": disk,
    "append": append,
    "seal": seal,
    "size": size,
    "tail": tail,
    "read": read,
}

if __name__ == "__main__":
    _send(Path(sys.argv[1]), int(sys.argv[2]))

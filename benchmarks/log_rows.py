"""Rows for the run log's benchmarks: made from their index, or an agent's own."""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from runlog.chunk import CachedChunk
from runlog.rows import RecordChunk
from runlog.run import Run
from runlog.schema import Type

SAMPLE = Path(__file__).resolve().parent.parent / "sample_logs" / "healthy-hopper"
FILLED_IN = ("run_id", "env_id", "seed", "attempt", "time", "iteration")
"""Columns the log fills in itself."""
Row = dict[str, Any]
_BLOCK = 64


def row_of(index: int) -> Row:
    """The row of that index: every type, sometimes lists and a window, every kind of float."""
    generator = random.Random(index)
    numbers = (1 / (index + 1), math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e300 * index)
    row: Row = {
        "index": index,
        "timesteps": 2048 * (index + 1),
        "kl": numbers[index % len(numbers)] if index % 3 == 0 else generator.gauss(0, 1),
        "line_search_success": index % 2 == 0,
        "update_outcome": ("accepted", "rejected", 'skipped: "ü"\n')[index % 3],
    }
    for place, name in enumerate(("policy_loss", "entropy", "gradient_norm", "value_loss")):
        if (index + place) % 5:
            row[name] = generator.uniform(-1, 1) * 10.0 ** generator.randint(-12, 12)
    if index % 4 == 0:
        row["episode_returns"] = [generator.gauss(0, 100) for _ in range(index % 9)]
    if index % 7 == 0:
        row["gradient_norms"] = [None, numbers[index % len(numbers)], generator.random()]
    if index % 5 == 0:
        row["window_reward"] = [generator.gauss(0, 1) for _ in range(64)]
        row["window_terminated"] = [float(i == index % 64) for i in range(64)]
    return row


class Expected:
    """The rows of indices 0, 1, … as a run, made once however often they are compared."""

    def __init__(self) -> None:
        self._blocks: list[CachedChunk] = []

    def _first(self, count: int) -> Run:
        while _BLOCK * len(self._blocks) < count:
            start = _BLOCK * len(self._blocks)
            rows = tuple(map(row_of, range(start, start + _BLOCK)))
            self._blocks.append(CachedChunk(RecordChunk(rows)))
        whole, rest = divmod(count, _BLOCK)
        last = tuple(map(row_of, range(_BLOCK * whole, count)))
        return Run(chunks=(*self._blocks[:whole], *([RecordChunk(last)] if rest else [])))

    def difference(self, run: Run) -> str | None:
        """Where a run's rows differ from rows 0, 1, … to its last in any bit; None if nowhere."""
        found = differences(run, self._first(len(run)))
        return f"{', '.join(found)} differ somewhere in {len(run)} rows" if found else None


def differences(run: Run, wanted: Run) -> tuple[str, ...]:
    """Columns of `wanted` that `run` does not hold to the last bit."""
    return tuple(name for name, type_ in wanted.types.items() if _differs(run, wanted, name, type_))


def _differs(run: Run, wanted: Run, name: str, type_: Type) -> bool:
    if type_ != "list<float64>":
        a, b = run.column(name), wanted.column(name)
        return not (same(a.present, b.present) and same(a.values, b.values))
    c, d = run.lists(name), wanted.lists(name)
    return not (
        same(c.present, d.present)
        and same(c.offsets, d.offsets)
        and same(c.entry_present, d.entry_present)
        and same(c.values, d.values)
    )


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal in every bit, but that one NaN is as good as another."""
    if a.shape != b.shape:
        return False
    if a.dtype != np.float64:
        return bool((a == b).all())
    nan = np.isnan(a)
    return bool((nan == np.isnan(b)).all() and a[~nan].tobytes() == b[~nan].tobytes())


def agent_rows() -> tuple[Row, ...]:
    """What the agent passed to the log in a real run, row by row."""
    import pyarrow.parquet as pq

    table = pq.read_table(SAMPLE / "run.parquet")
    return tuple(
        {n: v for n, v in row.items() if v is not None and n not in FILLED_IN}
        for row in table.to_pylist()
    )


def rows_like(rows: tuple[Row, ...], count: int, *, windows: bool | None) -> Iterator[Row]:
    """Rows of a long run after the pattern of a real one, every number that varies there varied.

    `windows`: in every row (True), in none (False), or in iterations 1–10 and every 25th as the
    agent writes them (None).
    """
    generator = np.random.default_rng(0)
    varying = {name for row in rows for name in row if row[name] != rows[0].get(name)}
    having = [row for row in rows if "window_reward" in row]
    lacking = [row for row in rows if "window_reward" not in row]
    for i in range(1, count + 1):
        window = windows if windows is not None else i <= 10 or i % 25 == 0
        source = having if window else lacking
        row = source[i % len(source)]
        fresh = {name: _varied(row[name], generator) for name in row.keys() & varying}
        yield {"iteration": i, **row, **fresh, "timesteps": 2048 * i}


def _varied(value: Any, generator: np.random.Generator) -> Any:
    # By a hundredth, so that no more than the first few bits repeat; 0 and 1 may be flags and stay.
    if isinstance(value, str | bool):
        return value
    array = np.atleast_1d(np.array(value, dtype=float))
    whole = array == np.round(array)
    array = array * (1 + 0.01 * generator.standard_normal(len(array)))
    array = np.where(whole, np.round(array), array)
    return array.tolist() if isinstance(value, list) else type(value)(array[0])

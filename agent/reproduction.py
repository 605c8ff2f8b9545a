"""Did a run repeat another one? Every column that no clock measures, compared bit for bit."""

from pathlib import Path

import numpy as np

from runlog import open_run
from runlog.run import Column, ListColumn, Run
from runlog.schema import BY_NAME

OF_THE_RUN = frozenset({"run_id", "attempt"})
"""Columns that name a run instead of measuring it."""


def verdict(first: Path, second: Path) -> str:
    """ "reproduced" or the first difference, in one line."""
    a, b = open_run(first), open_run(second)
    n = min(len(a), len(b))
    found = difference(a.head(n), b.head(n))
    if found is not None:
        return f"not reproduced: {found}"
    if len(a) != len(b):
        return f"reproduced for the {n} iterations both have"
    return f"reproduced: all {n} iterations of {first}"


def difference(a: Run, b: Run) -> str | None:
    """Where two runs of equal length differ first: column, iteration and values; None if nowhere."""
    worst: tuple[int, str] | None = None
    for name in dict(a.types) | dict(b.types):
        spec = BY_NAME.get(name)
        if name in OF_THE_RUN or (spec is not None and spec.clocked):
            continue
        is_list = (a.types.get(name) or b.types[name]).startswith("list<")
        one, other = (
            [_cell(run.lists(name) if is_list else run.column(name), i) for i in range(len(run))]
            for run in (a, b)
        )
        for i, (x, y) in enumerate(zip(one, other, strict=True)):
            if x != y and (worst is None or i < worst[0]):
                worst = i, f"{name} is {y} instead of {x}"
    if worst is None:
        return None
    return f"in iteration {int(a.column('iteration').values[worst[0]])} {worst[1]}"


def _cell(column: Column | ListColumn, i: int) -> str:
    """One cell as text that tells null, NaN and every float apart."""
    if not column.present[i]:
        return "null"
    cell = column[i].tolist() if isinstance(column, ListColumn) else column.values[i]
    return repr(cell.item() if isinstance(cell, np.generic) else cell)

"""Attempts: which rows of a log that was restarted or resumed make up one run."""

import numpy as np
from numpy.typing import NDArray

from runlog.errors import UserError


def attempts(iterations: NDArray[np.float64]) -> NDArray[np.int64]:
    """Attempt each row belongs to, from 1.

    `iterations`: (rows,) iteration numbers as logged, NaN where a row has none. A number that
    does not rise above the last one seen starts the next attempt; a row without one starts none.
    """
    known = _last_known(np.asarray(iterations, dtype=np.float64))
    starts = np.zeros(len(known), dtype=bool)
    starts[1:] = known[1:] <= known[:-1]  # NaN, nothing known yet, compares false
    starts &= ~np.isnan(iterations)  # a filled-in number repeats and starts nothing
    return 1 + np.cumsum(starts, dtype=np.int64)


def select(
    iterations: NDArray[np.float64], attempt: int | None = None
) -> tuple[NDArray[np.int64], int, int]:
    """Rows of one attempt, preceded by the older rows below its first iteration.

    Returns the rows, ascending, the number of the attempt shown (the newest unless `attempt`
    says another; UserError for one the log does not have) and how many there are.
    """
    if attempt in (None, 1) and len(iterations) and (iterations[1:] > iterations[:-1]).all():
        return np.arange(len(iterations)), 1, 1  # the usual log, however long, at once
    numbers = attempts(iterations)
    count = int(numbers[-1]) if len(numbers) else 1
    if attempt is not None and not 1 <= attempt <= count:
        there = "1 attempt" if count == 1 else f"{count} attempts"
        raise UserError(f"--attempt {attempt}: this log has {there}; give 1 to {count}")
    shown = count if attempt is None else attempt
    known = _last_known(np.asarray(iterations, dtype=np.float64))
    # An attempt resumed at iteration k hides what its elders logged from k on, so a row is seen
    # only if it lies below the start of every later attempt up to the one shown.
    first_rows = np.searchsorted(numbers, np.arange(2, shown + 1))
    starts = np.append(known[first_rows], np.inf)
    bounds = np.minimum.accumulate(starts[::-1])[::-1]  # (shown,) bound of attempt 1, 2, … shown
    kept = np.flatnonzero(numbers <= shown)
    rows = kept[~(known[kept] >= bounds[numbers[kept] - 1])]
    return rows.astype(np.int64), shown, count


def _last_known(iterations: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = np.where(np.isnan(iterations), -1, np.arange(len(iterations)))
    last = np.maximum.accumulate(rows) if len(rows) else rows
    return np.where(last < 0, np.nan, iterations[last]) if len(rows) else iterations

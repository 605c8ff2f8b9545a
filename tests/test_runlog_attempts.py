"""Attempts: what a restart hides and what a resume supersedes."""

import numpy as np
import pytest

from runlog.attempts import attempts, select
from runlog.errors import UserError


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [
        ([], []),
        ([1, 2, 3], [1, 1, 1]),
        ([1, 2, 2], [1, 1, 2]),
        ([1, 2, 1, 2, 1], [1, 1, 2, 2, 3]),
        ([5, 9, 7], [1, 1, 2]),
        ([np.nan, 1, np.nan, 2, np.nan, 1], [1, 1, 1, 1, 1, 2]),
    ],
)
def test_a_number_that_does_not_rise_starts_the_next_attempt(iterations, expected):
    assert attempts(np.array(iterations, dtype=float)).tolist() == expected


@pytest.mark.parametrize(
    ("iterations", "attempt", "rows", "shown", "count"),
    [
        ([], None, [], 1, 1),
        ([1, 2, 3], None, [0, 1, 2], 1, 1),
        ([1, 2, 3, 3, 4], None, [0, 1, 3, 4], 2, 2),  # resumed from a checkpoint after 2
        ([1, 2, 3, 1, 2], None, [3, 4], 2, 2),  # restarted
        ([1, 2, 3, 1, 2], 1, [0, 1, 2], 1, 2),
        ([1, 2, 3, 4, 3, 4, 5, 2, 3], None, [0, 7, 8], 3, 3),
        ([1, 2, 3, 4, 3, 4, 5, 2, 3], 2, [0, 1, 4, 5, 6], 2, 3),
        ([1, 2, 3, 4, 2, 4], None, [0, 4, 5], 2, 2),
        ([1, 2, 3, 4, 3, 9, 4], None, [0, 1, 4, 6], 3, 3),  # supersedes two attempts at once
    ],
)
def test_an_attempt_is_preceded_by_the_older_rows_below_its_start(
    iterations, attempt, rows, shown, count
):
    found = select(np.array(iterations, dtype=float), attempt)
    assert (found[0].tolist(), *found[1:]) == (rows, shown, count)


@pytest.mark.parametrize(("attempt", "there"), [(9, "2 attempts"), (0, "2 attempts")])
def test_an_attempt_the_log_does_not_have_is_refused(attempt, there):
    with pytest.raises(UserError, match=f"--attempt {attempt}: this log has {there}"):
        select(np.array([1.0, 2.0, 1.0]), attempt)


def test_selected_iterations_always_rise():
    rng = np.random.default_rng(0)
    for _ in range(300):
        iterations = np.cumsum(rng.choice([1, 1, 1, 2, -3], size=rng.integers(1, 40))) + 20.0
        for attempt in (None, 1, int(attempts(iterations)[-1])):
            rows, _, _ = select(iterations, attempt)
            assert (np.diff(iterations[rows]) > 0).all()
            assert (np.diff(rows) > 0).all()

"""Stretches of a long run."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import runlog.row_groups
from runlog.reader import open_run
from runlog.row_groups import KEPT, RowGroups

SAMPLE = Path(__file__).parent.parent / "sample_logs" / "TRPO501-line-search-failure"


@pytest.fixture(params=[5, 7, 30])
def run(tmp_path, monkeypatch, request):
    """A run of 25 rows or more in row groups of 7."""
    monkeypatch.setattr(runlog.row_groups, "PIECE", request.param)
    table = pq.read_table(SAMPLE / "run.parquet")
    pq.write_table(table, tmp_path / "run.parquet", row_group_size=7)
    return open_run(tmp_path / "run.parquet")


@pytest.mark.parametrize("before", [(), ({"iteration": 2}, {"iteration": 5})])
def test_a_stretch_holds_its_rows_and_what_was_put_before(run, before):
    groups = RowGroups(run)
    for first, last in ((0, len(run)), (6, 8), (7, 14), (13, 15), (20, 21), (0, 1)):
        part = groups.stretch(first, last, before)
        assert len(part) == len(before) + last - first
        assert part.column("iteration").values[: len(before)].tolist() == [2, 5][: len(before)]
        for name, type_ in run.types.items():
            if type_.startswith("list<"):
                mine, whole = part.lists(name), run.lists(name)
                for row in range(first, last):
                    assert np.array_equal(
                        mine[len(before) + row - first], whole[row], equal_nan=True
                    )
                continue
            mine, whole = part.column(name), run.column(name)
            there = whole.present[first:last]
            assert np.array_equal(mine.present[len(before) :], there)
            told = (
                mine.values[len(before) :][there].tolist(),
                whole.values[first:last][there].tolist(),
            )
            assert repr(told[0]) == repr(told[1])
        moved = [event.row - len(before) + first for event in part.events]
        assert moved == [event.row for event in run.events if first < event.row <= last]


def test_few_row_groups_stay_in_memory(run):
    groups = RowGroups(run)
    for first in range(0, len(run) - 1, 3):
        groups.stretch(first, first + 2).column("kl")
    assert len(groups._known) <= KEPT


def test_only_a_run_in_one_file_has_row_groups(run):
    assert RowGroups.has(run)
    assert not RowGroups.has(run.head(3))

"""Answers of which only the outcomes are kept, against those of which everything is."""

from pathlib import Path

import pytest

import analyzer.long_run
from analyzer.answers import answers
from analyzer.long_run import can_be_long, long_answers
from runlog.reader import open_run
from runlog.row_groups import RowGroups
from runlog.run import run_of

SAMPLES = Path(__file__).parent.parent / "sample_logs"
RUNS = sorted(path.parent.name for path in SAMPLES.glob("*/run.parquet"))


def rows_of(run):
    return sorted({0, 1, len(run) // 3, len(run) // 2, len(run) - 2, len(run) - 1} - {-1})


@pytest.mark.parametrize("name", RUNS)
def test_a_long_run_is_diagnosed_as_if_everything_were_kept(name):
    run = open_run(SAMPLES / name)
    assert can_be_long(run)
    whole, long = answers(run), long_answers(run)
    for row in rows_of(run):
        found = whole.at(row)
        assert long.at(row) == found
        assert long.cause(row) == whole.cause(row) == (found.cause and found.cause.code)


@pytest.mark.parametrize("name", RUNS)
def test_what_is_read_again_changes_numbers_shown_and_no_answer(name, monkeypatch):
    monkeypatch.setattr(analyzer.long_run, "HISTORY", 20)
    run = open_run(SAMPLES / name)
    whole, long = answers(run), long_answers(run)
    for row in rows_of(run):
        one, other = long.at(row), whole.at(row)
        assert one.verdict == other.verdict
        assert (one.row, one.iteration, one.iterations) == (row, other.iteration, row + 1)
        assert [a.answer for a in one.answers] == [a.answer for a in other.answers]
        assert [(f.code, f.first_bad_iteration, f.level, f.explained_by) for f in one.findings] == [
            (f.code, f.first_bad_iteration, f.level, f.explained_by) for f in other.findings
        ]


def test_ignored_rules_stay_ignored_and_rows_count_from_the_end():
    run = open_run(SAMPLES / "TRPO101-constant-reward")
    ignore = {"TRPO101": "known"}
    found = long_answers(run, ignore=ignore).last()
    assert found == answers(run, ignore=ignore).last()
    assert long_answers(run, ignore=ignore).at(-1) == found
    assert found.cause is None or found.cause.code != "TRPO101"


def test_rows_in_memory_are_no_row_groups():
    run = run_of([{"iteration": 1, "kl": 0.01}])
    assert not can_be_long(run)
    with pytest.raises(TypeError, match="one Parquet file"):
        RowGroups(run).stretch(0, 1)

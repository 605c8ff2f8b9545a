"""The judge of the screen: what it knows of one run is not told of another."""

import math

from runlog.run import run_of
from trpo_tui.judging import Judge


def judged(judge, run):
    judge.read(run)
    judge.scan(60.0)
    return [change.code for change in judge.changes]


def run_with(run_id, kls):
    rows = [{"iteration": i, "kl": kl} for i, kl in enumerate(kls, 1)]
    return run_of(rows, metadata={"run_id": run_id})


def test_another_run_in_the_place_of_the_first_is_judged_afresh():
    judge = Judge()
    assert judged(judge, run_with("old", [0.01, 0.01, math.nan])) == [None, "TRPO001"]
    assert judged(judge, run_with("new", [0.01, 0.01, 0.01, 0.01])) == [None]
    assert judge.at(3).cause is None


def test_another_run_without_rows_has_no_diagnosis():
    judge = Judge()
    judged(judge, run_with("old", [0.01, math.nan]))
    assert judged(judge, run_with("new", [])) == []
    assert judge.at(0) is None

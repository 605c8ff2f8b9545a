"""Line searches that fail, accept too much or gain too little, on rows built from the mathematics."""

import math

import numpy as np
import pytest
from test_analyzer_gradient import diagnosed, found
from test_analyzer_rules import DELTA, METADATA, Row, healthy_row, rejected

from analyzer.answers import answers
from analyzer.diagnosis import Diagnosis
from analyzer.rules import BY_CODE
from runlog.run import run_of

BETAS = tuple(0.5**k for k in range(10))


def cause(diagnosis: Diagnosis) -> tuple[str, int | None]:
    assert diagnosis.cause is not None
    return diagnosis.cause.code, diagnosis.cause.first_bad_iteration


def refused(row: Row, kl: float, curvature: float = 0.0, slope: float = 1.0) -> None:
    """Ten candidates, all refused: KL = kl·β², gain = slope·β·gᵀs − curvature·β²."""
    expected = row["expected_improvement"]
    rejected(row)
    row.update(
        line_search_steps=10,
        kl_full_step=kl,
        line_search_fractions=list(BETAS),
        line_search_gains=[slope * expected * b - curvature * b * b for b in BETAS],
        line_search_kls=[kl * b * b for b in BETAS],
    )


@pytest.mark.parametrize("onset", [1, 13])
def test_a_search_that_refuses_what_it_should_accept_is_named_within_two_rows(onset: int) -> None:
    rng = np.random.default_rng(0)
    rows = [healthy_row(i, rng) for i in range(1, onset + 2)]
    for row in rows[onset - 1 :]:
        refused(row, 0.9 * DELTA)
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    diagnosis = answers(run_of(rows, metadata=METADATA)).last()
    assert cause(diagnosis) == ("TRPO501", onset)
    assert diagnosis.cause is not None
    assert "refused" in str(diagnosis.cause.evidence[0].value)


def test_a_search_whose_candidates_gain_nothing_within_the_limit_is_not_the_wrong_test() -> None:
    # Loses at β = 1 … ¼ although KL is small there; gains below a tenth of the promise at last.
    def hopeless(row: Row, i: int) -> None:
        if i % 7 == 0:
            refused(row, 0.9 * DELTA, slope=0.05)

    diagnosis = diagnosed(hopeless)
    assert found(diagnosis, "TRPO501") is None


def test_one_wrong_refusal_is_no_proof() -> None:
    diagnosis = diagnosed(lambda row, i: refused(row, 0.9 * DELTA) if i == 20 else None)
    assert diagnosis.verdict == "healthy"


def test_a_solved_task_does_not_hide_a_wrong_acceptance_test() -> None:
    def solved(row: Row, i: int) -> None:
        row.update(episode_return_mean=4000.0 + 100.0 * min(i, 15), episode_return_max=6000.0)
        if i > 20:
            refused(row, 0.9 * DELTA)

    assert cause(diagnosed(solved)) == ("TRPO501", 21)


@pytest.mark.parametrize(
    ("candidates", "words"),
    [
        ({"line_search_gains": [-0.02, -0.01, -0.005], "line_search_kls": [0.009, 0.0022, 0.0006]},
         "every candidate loses"),
        ({"line_search_gains": [0.02, 0.01, 0.005], "line_search_kls": [0.05, 0.04, 0.038]},
         "KL stays above the limit"),
        ({"line_search_gains": [1e-9, -1e-9, 1e-10], "line_search_kls": [0.009, 0.0022, 0.0006]},
         "gains are rounding"),
        ({"line_search_gains": [math.nan, 0.01, 0.005], "line_search_kls": [0.009, 0.0022, 0.0006]},
         "not finite"),
        ({"line_search_gains": [-0.3, -0.06, -0.02], "line_search_kls": [0.5, 0.125, 0.0031]},
         "every candidate loses"),
        ({"line_search_gains": [0.3, 0.06, -0.02], "line_search_kls": [0.5, 0.125, 0.0031]},
         "far above δ"),
    ],
)  # fmt: skip
def test_a_failure_is_told_by_its_candidates(candidates: Row, words: str) -> None:
    def failing(row: Row, i: int) -> None:
        rejected(row)
        row.update(
            line_search_fractions=[1.0, 0.5, 0.25], kl_full_step=candidates["line_search_kls"][0]
        )
        row.update(candidates)

    finding = found(diagnosed(failing), "TRPO501")
    assert finding is not None
    assert words in str(finding.evidence[0].value)


def too_far(row: Row, kl: float) -> None:
    row.update(kl=kl, kl_full_step=kl, line_search_kls=[kl], log_ratio_std=math.sqrt(2 * kl),
               ratio_std=math.sqrt(2 * kl))  # fmt: skip


@pytest.mark.parametrize("onset", [1, 13])
def test_accepted_steps_far_beyond_the_limit_are_the_cause(onset: int) -> None:
    diagnosis = diagnosed(lambda row, i: too_far(row, 8 * DELTA) if i >= onset else None)
    assert cause(diagnosis) == ("TRPO502", onset)


def test_one_step_beyond_the_limit_is_a_warning_for_a_while() -> None:
    diagnosis = diagnosed(lambda row, i: too_far(row, 8 * DELTA) if i == 29 else None)
    finding = found(diagnosis, "TRPO502")
    assert finding is not None
    assert finding.level == "warning"
    assert diagnosis.verdict == "healthy"


def test_a_tenth_beyond_the_limit_counts_only_where_the_limit_is_told() -> None:
    def near(row: Row, i: int) -> None:
        too_far(row, 1.1 * DELTA)

    assert found(diagnosed(near), "TRPO502") is None
    assert cause(diagnosed(near, line_search_kl_margin=1.0)) == ("TRPO502", 1)
    assert found(diagnosed(near, line_search_kl_margin=1.5), "TRPO502") is None


def test_the_kl_of_a_rejected_step_is_no_overshoot() -> None:
    def failing(row: Row, i: int) -> None:
        if i % 3 == 0:
            rejected(row)
            row.update(kl=5 * DELTA)

    assert found(diagnosed(failing), "TRPO502") is None


def test_an_algorithm_without_a_trust_region_may_move_far() -> None:
    diagnosis = diagnosed(lambda row, i: too_far(row, 0.2), algorithm="ppo")
    assert next(a for a in diagnosis.answers if a.code == "TRPO502").answer == "not applicable"


def short(row: Row, share: float, kl: float) -> None:
    """A step of KL `kl` that gains `share` of what its gradient promises."""
    gain = share * row["expected_improvement"]
    row.update(actual_improvement=gain, improvement_ratio=share, line_search_gains=[gain],
               line_search_kls=[kl], kl=kl, kl_full_step=kl)  # fmt: skip


def test_a_gain_short_of_first_order_is_told_and_one_within_second_order_is_not() -> None:
    # gᵀs = .063: of it .06 is missing, 60 KL of .001 and 6 KL of .01.
    assert found(diagnosed(lambda row, i: short(row, 0.05, 0.001)), "TRPO503") is not None
    assert found(diagnosed(lambda row, i: short(row, 0.05, 0.01)), "TRPO503") is None


def test_without_candidates_what_they_would_tell_is_unknown() -> None:
    def bare(row: Row, i: int) -> None:
        for name in ("line_search_fractions", "line_search_gains", "line_search_kls"):
            row[name] = None
        row.update(kl=None)

    told = {a.code: a.answer for a in diagnosed(bare).answers}
    assert told["TRPO502"] == "unknown"
    assert told["TRPO503"] == "unknown"
    assert told["TRPO501"] == "no"
    assert "line_search_gains" in BY_CODE["TRPO503"].columns

"""Gradients too large, too small, and of some tensors only, on rows built from the mathematics."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_analyzer_rules import Row, diagnose

from analyzer.diagnosis import Diagnosis, Finding

NAMES = ["log_std", "body.0.weight", "body.0.bias", "mean.weight"]
NORMS = [0.1, 0.2, 0.1, 0.2]


def diagnosed(change: Callable[[Row, int], None], n: int = 30, **metadata: Any) -> Diagnosis:
    """The diagnosis of n healthy rows that `change(row, iteration)` makes untrue."""
    return diagnose(lambda row, _: change(row, row["iteration"]), n, **metadata)


def found(diagnosis: Diagnosis, code: str) -> Finding | None:
    return next((f for f in diagnosis.findings if f.code == code), None)


def steep(row: Row, times: float) -> None:
    """A gradient `times` too long along the step: gᵀx and gᵀs grow with it, the gain does not."""
    row["gradient_norm"] *= times
    row["gradient_dot_direction"] *= times
    row["curvature"] *= times
    row["expected_improvement"] *= times
    row["improvement_ratio"] = row["actual_improvement"] / row["expected_improvement"]


@pytest.mark.parametrize("onset", [1, 13])
def test_a_gradient_beyond_cauchy_and_schwarz_is_the_cause_from_its_first_row(onset: int) -> None:
    diagnosis = diagnosed(lambda row, i: steep(row, 1e4) if i >= onset else None)
    assert diagnosis.cause is not None
    assert diagnosis.cause.code == "TRPO202"
    assert diagnosis.cause.first_bad_iteration == onset


def test_the_largest_gradient_that_advantages_allow_is_no_fault() -> None:
    # √(gᵀx) = √(2d)·std(Â) = 3.5 at d = 6; healthy rows have √.2.
    diagnosis = diagnosed(lambda row, i: row.update(gradient_dot_direction=12.0, curvature=12.0))
    assert found(diagnosis, "TRPO202") is None


def test_a_gradient_that_grows_as_sigma_falls_is_healthy() -> None:
    def sharper(row: Row, i: int) -> None:
        log_std = -0.15 * i
        entropy = 6 * (log_std + 0.5 * np.log(2 * np.pi * np.e))
        row.update(log_std_mean=log_std, log_std_min=log_std, log_std_max=log_std, entropy=entropy,
                   entropy_per_dimension=entropy / 6, action_log_prob_mean=-entropy,
                   gradient_norm=0.3 * np.exp(-log_std))  # fmt: skip

    diagnosis = diagnosed(sharper)
    assert found(diagnosis, "TRPO202") is None
    assert found(diagnosis, "TRPO203") is None


def test_without_gradient_dot_direction_and_effect_a_large_norm_alone_is_a_warning() -> None:
    def large(row: Row, i: int) -> None:
        row.update(gradient_dot_direction=None, curvature=None)
        if i > 10:
            row.update(gradient_norm=30.0)

    finding = found(diagnosed(large), "TRPO202")
    assert finding is not None
    assert finding.level == "warning"
    assert finding.first_bad_iteration == 11


def test_without_any_gradient_column_the_size_of_the_gradient_is_unknown() -> None:
    def bare(row: Row, i: int) -> None:
        row.update(episode_return_mean=(7 * i) % 5)
        for name in ("gradient_norm", "gradient_dot_direction", "curvature", "improvement_ratio",
                     "actual_improvement",
                     "kl_full_step", "kl"):  # fmt: skip
            row[name] = None

    diagnosis = diagnosed(bare)
    answers = {a.code: a.answer for a in diagnosis.answers}
    assert answers["TRPO202"] == "unknown"
    assert answers["TRPO203"] == "unknown"
    assert answers["TRPO206"] == "unknown"


def faded(row: Row, share: float) -> None:
    row["gradient_norm"] *= share


def test_a_gradient_gone_while_the_return_stands_still_is_a_fault() -> None:
    def gone(row: Row, i: int) -> None:
        if i > 10:
            faded(row, 2e-3)
            row.update(episode_return_mean=(7 * i) % 5)

    finding = found(diagnosed(gone, n=50), "TRPO203")
    assert finding is not None
    assert finding.level == "fault"
    assert finding.first_bad_iteration == 11


def test_a_gradient_that_fades_while_the_return_rises_is_a_warning() -> None:
    finding = found(diagnosed(lambda row, i: faded(row, 2e-3) if i > 10 else None, n=50), "TRPO203")
    assert finding is not None
    assert finding.level == "warning"


@pytest.mark.parametrize("gone", [None, 0.0])
def test_tensors_without_a_gradient_are_named(gone: float | None) -> None:
    def cut(row: Row, i: int) -> None:
        row["gradient_norms"] = [gone, *NORMS[1:3], gone] if i >= 8 else list(NORMS)

    diagnosis = diagnosed(cut, parameter_names=NAMES)
    assert diagnosis.cause is not None
    assert diagnosis.cause.code == "TRPO206"
    assert diagnosis.cause.first_bad_iteration == 8
    assert diagnosis.cause.evidence[0].value == "log_std, mean.weight"


def test_tensors_without_names_are_counted() -> None:
    diagnosis = diagnosed(lambda row, i: row.update(gradient_norms=[None, *NORMS[1:]]))
    assert diagnosis.cause is not None
    assert diagnosis.cause.evidence[0].value == "number 1"


def test_a_last_layer_that_starts_at_zero_and_a_fixed_sigma_are_healthy() -> None:
    def zero_start(row: Row, i: int) -> None:  # no log σ among the parameters
        row["gradient_norms"] = [0.0, 0.0, 0.3] if i < 5 else NORMS[1:]

    assert found(diagnosed(zero_start), "TRPO206") is None


def test_a_gradient_that_is_dead_as_a_whole_is_another_rule() -> None:
    diagnosis = diagnosed(lambda row, i: row.update(gradient_norms=[0.0] * 4, gradient_norm=0.0))
    assert found(diagnosis, "TRPO206") is None
    assert found(diagnosis, "TRPO201") is not None

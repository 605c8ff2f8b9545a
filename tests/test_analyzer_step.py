"""Conjugate gradient and the size of the step, on rows built from the mathematics."""

import math

import pytest
from test_analyzer_gradient import diagnosed, found
from test_analyzer_rules import DELTA, Row

from analyzer.diagnosis import Diagnosis


def cause(diagnosis: Diagnosis) -> tuple[str, int | None]:
    assert diagnosis.cause is not None
    return diagnosis.cause.code, diagnosis.cause.first_bad_iteration


def residuals(row: Row, i: int, believed: float, true: float) -> None:
    row.update(cg_residual=believed, cg_residual_true=true if i % 10 == 1 else None)


def test_a_product_drawn_anew_at_every_call_is_named_where_the_residual_is_measured() -> None:
    diagnosis = diagnosed(lambda row, i: residuals(row, i, 0.05, 0.9 if i > 8 else 0.05))
    assert cause(diagnosis) == ("TRPO302", 11)


def test_a_large_residual_that_the_recurrence_knows_is_healthy() -> None:
    diagnosis = diagnosed(lambda row, i: residuals(row, i, 0.8, 0.84))
    assert diagnosis.verdict == "healthy"
    assert found(diagnosis, "TRPO302") is None


def test_a_negative_ritz_value_is_no_fisher_matrix() -> None:
    diagnosis = diagnosed(lambda row, i: row.update(fisher_ritz_min=-0.02 if i >= 6 else 0.01))
    assert cause(diagnosis) == ("TRPO302", 6)


def unconjugate(row: Row, gap: float, residual: float = 0.3) -> None:
    """gᵀx exceeds xᵀAx by `gap`, which a residual of .3 can hold: ‖x‖‖r‖ = .3·.3 = .09 against .2."""
    row.update(cg_residual=residual, curvature=row["gradient_dot_direction"] / (1 + gap))


@pytest.mark.parametrize("onset", [1, 13])
def test_directions_that_are_not_conjugate_are_the_cause(onset: int) -> None:
    diagnosis = diagnosed(lambda row, i: unconjugate(row, 0.2) if i >= onset else None)
    assert cause(diagnosis) == ("TRPO303", onset)


def test_a_gap_of_rounding_is_healthy_and_one_beyond_the_residual_is_a_printed_number() -> None:
    assert diagnosed(lambda row, i: unconjugate(row, 5e-4)).verdict == "healthy"
    assert found(diagnosed(lambda row, i: unconjugate(row, 0.2, 1e-6)), "TRPO303") is None
    random = diagnosed(lambda row, i: unconjugate(row, 0.2), cg_start="random")
    assert found(random, "TRPO303") is None


def test_a_residual_above_one_alone_is_a_warning() -> None:
    diagnosis = diagnosed(lambda row, i: row.update(cg_residual=1.1))
    finding = found(diagnosis, "TRPO303")
    assert finding is not None
    assert finding.level == "warning"
    assert diagnosis.verdict == "healthy"


def test_without_residuals_convergence_is_unknown() -> None:
    answers = {a.code: a.answer for a in diagnosed(lambda row, i: None).answers}
    assert answers["TRPO303"] == "unknown"


def undamped(row: Row, model: float) -> None:
    """No damping, two eigenvalues a million apart, and a full step whose KL is `model` times δ."""
    row.update(damping=0.0, fisher_ritz_min=1e-6, cg_min_curvature=1e-6,
               kl_full_step=model * DELTA)  # fmt: skip


def test_without_damping_a_smaller_excess_of_kl_tells_a_singular_fisher_matrix() -> None:
    assert cause(diagnosed(lambda row, i: undamped(row, 1.5) if i >= 9 else None)) == ("TRPO304", 9)
    assert found(diagnosed(lambda row, i: undamped(row, 1.2)), "TRPO304") is None


def large_steps(row: Row, max_kl: float, gain: float) -> None:
    scale = math.sqrt(max_kl / row["max_kl"])
    kl = 0.9 * max_kl
    for name in ("full_step_norm", "step_parameter_delta_norm", "parameter_delta_norm",
                 "expected_improvement", "advantage_log_ratio_mean"):  # fmt: skip
        row[name] *= scale
    gained = gain * row["expected_improvement"]
    row.update(max_kl=max_kl, kl=kl, kl_full_step=kl, actual_improvement=gained,
               improvement_ratio=gain, line_search_gains=[gained], line_search_kls=[kl],
               log_ratio_std=math.sqrt(2 * kl), ratio_std=math.sqrt(2 * kl))  # fmt: skip


@pytest.mark.parametrize("onset", [1, 13])
def test_steps_of_more_than_a_nat_are_the_cause(onset: int) -> None:
    diagnosis = diagnosed(lambda row, i: large_steps(row, 5.0, 0.2) if i >= onset else None)
    assert cause(diagnosis) == ("TRPO403", onset)


def test_a_large_trust_region_that_keeps_half_its_promise_only_now_and_then_is_healthy() -> None:
    diagnosis = diagnosed(lambda row, i: large_steps(row, 0.28, 0.3 if i % 4 else 0.8))
    assert diagnosis.verdict == "healthy"
    assert found(diagnosis, "TRPO403") is None


def test_a_large_trust_region_that_never_keeps_half_its_promise_is_a_warning() -> None:
    diagnosis = diagnosed(lambda row, i: large_steps(row, 0.28, 0.3))
    finding = found(diagnosis, "TRPO403")
    assert finding is not None
    assert finding.level == "warning"


def damped(row: Row, share: float) -> None:
    """½λ‖s‖² is `share` of δ, and KL what is left."""
    s = row["full_step_norm"]
    kl = (1 - share) * DELTA
    row.update(damping=2 * share * DELTA / s**2, kl_full_step=kl, kl=kl, line_search_kls=[kl],
               log_ratio_std=math.sqrt(2 * kl), ratio_std=math.sqrt(2 * kl),
               cg_min_curvature=None)  # fmt: skip


@pytest.mark.parametrize("onset", [1, 13])
def test_damping_that_takes_the_trust_region_is_the_cause(onset: int) -> None:
    diagnosis = diagnosed(lambda row, i: damped(row, 0.995) if i >= onset else None)
    assert cause(diagnosis) == ("TRPO404", onset)


def test_damping_that_takes_three_quarters_is_healthy() -> None:
    diagnosis = diagnosed(lambda row, i: damped(row, 0.75))
    assert diagnosis.verdict == "healthy"
    assert found(diagnosis, "TRPO404") is None


def test_without_damping_or_step_nothing_is_said_of_it() -> None:
    diagnosis = diagnosed(lambda row, i: row.update(damping=None, kl_full_step=None, kl=None))
    answers = {a.code: a.answer for a in diagnosis.answers}
    assert answers["TRPO404"] == "unknown"

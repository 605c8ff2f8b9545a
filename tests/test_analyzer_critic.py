"""The critic: targets out of its reach, a fit that does nothing, a fit to something else."""

from typing import Any

import pytest
from test_analyzer_rules import Row, diagnose

from analyzer.diagnosis import Diagnosis, Finding


def found(diagnosis: Diagnosis, code: str) -> Finding | None:
    return next((f for f in diagnosis.findings if f.code == code), None)


def targets(row: Row, *, size: float, error: float, left: float, moved: float = 0.7) -> None:
    """Targets around `size`, a critic `error` of that away, and a fit that leaves `left` of it."""
    loss = (size * error) ** 2
    row.update(return_mean=size, return_std=0.3 * size, return_min=0.0, return_max=2 * size)
    row.update(value_loss=loss, value_loss_after=left * loss, value_parameter_delta_norm=moved)
    row.update(
        explained_variance=0.0, advantage_raw_std=0.3 * size, advantage_raw_mean=size * error
    )


def far(row: Row, i: int) -> None:
    targets(row, size=1e6, error=1.0, left=1.0 - 1e-6)


def test_targets_the_critic_never_reaches_are_oversized_rewards() -> None:
    diagnosis = diagnose(lambda row, i: far(row, i) if i >= 14 else None)
    assert diagnosis.cause is not None
    assert (diagnosis.cause.code, diagnosis.cause.first_bad_iteration) == ("TRPO103", 15)
    assert {"fits_needed", "target_size"} <= {e.measure for e in diagnosis.cause.evidence}


def test_a_critic_on_its_way_to_large_targets_does_learn() -> None:
    assert found(diagnose(far), "TRPO701") is None


def test_targets_reached_in_a_thousand_fits_are_a_warning() -> None:
    diagnosis = diagnose(lambda row, i: targets(row, size=1e6, error=1.0, left=0.998))
    assert diagnosis.verdict == "healthy"
    finding = found(diagnosis, "TRPO103")
    assert finding is not None
    assert finding.level == "warning"


def test_a_slow_fit_to_small_targets_is_no_oversized_reward() -> None:
    diagnosis = diagnose(lambda row, i: targets(row, size=10.0, error=1.0, left=1.0 - 1e-6))
    assert found(diagnosis, "TRPO103") is None


def test_a_critic_that_never_moves_is_named_from_its_third_row() -> None:
    def frozen(row: Row, i: int) -> None:
        row.update(return_min=-9.0, return_max=9.0, value_parameter_delta_norm=0.0)

    diagnosis = diagnose(lambda row, i: frozen(row, i) if i >= 20 else None, n=23)
    assert diagnosis.cause is not None
    assert (diagnosis.cause.code, diagnosis.cause.first_bad_iteration) == ("TRPO701", 21)
    assert found(diagnose(frozen, n=2), "TRPO701") is None


def test_a_critic_at_rest_on_exact_targets_has_learnt() -> None:
    def exact(row: Row, i: int) -> None:
        row.update(return_min=50.0, return_max=50.0, value_loss=1e-12)
        row.update(value_parameter_delta_norm=0.0)

    assert found(diagnose(exact), "TRPO701") is None


@pytest.mark.parametrize(("left", "named"), [(0.999, True), (0.97, False)])
def test_a_fit_that_leaves_the_loss_for_twenty_iterations_does_not_learn(
    left: float, named: bool
) -> None:
    def idle(row: Row, i: int) -> None:
        targets(row, size=10.0, error=1.0, left=left, moved=1e-3)
        row.update(value_std=0.1)

    cause = diagnose(idle).cause
    assert (cause is not None and cause.code == "TRPO701") is named


def test_without_its_columns_nothing_is_said_of_the_critic() -> None:
    gone = ("value_loss", "value_std", "explained_variance", "return_mean")
    diagnosis = diagnose(lambda row, i: row.update(dict.fromkeys(gone)))
    answers = {a.code: a.answer for a in diagnosis.answers}
    assert [answers[c] for c in ("TRPO103", "TRPO701", "TRPO702")] == ["unknown"] * 3


def test_a_fit_that_ends_worse_than_zero_is_fitted_to_something_else() -> None:
    diagnosis = diagnose(lambda row, i: targets(row, size=10.0, error=1.5, left=2.0))
    assert diagnosis.cause is not None
    assert diagnosis.cause.code == "TRPO702"
    assert diagnosis.cause.evidence[0].measure == "error_after_fit"


@pytest.mark.parametrize("change", [{"explained_variance": -3.0}, {"explained_variance": -0.05}])
def test_a_negative_explained_variance_alone_is_no_fault(change: dict[str, Any]) -> None:
    def solved(row: Row, i: int) -> None:  # targets hardly vary: any error is larger than that
        row.update(return_mean=80.0, return_std=0.5, value_loss=4.0, value_loss_after=1.0, **change)

    assert found(diagnose(solved), "TRPO702") is None

"""Rules that rest on identities of the step: the first order, the surrogate, what moved after it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_analyzer_rules import DELTA, METADATA, diagnose, healthy_row, rejected

from analyzer import first_order as f
from analyzer.answers import answers
from analyzer.diagnosis import Diagnosis, Finding
from analyzer.view import View
from runlog.run import run_of

Row = dict[str, Any]
FRACTIONS = [1.0, 0.5, 0.25, 0.125]


def found(diagnosis: Diagnosis, code: str) -> Finding | None:
    return next((each for each in diagnosis.findings if each.code == code), None)


def answer(diagnosis: Diagnosis, code: str) -> str:
    return next(each.answer for each in diagnosis.answers if each.code == code)


def searched(row: Row, slope: float, *, second_order: float = 0.0, at_zero: float = 0.0) -> None:
    """A rejected search whose gains are at_zero + slope·β·E + second_order·β²·E."""
    expected, kl = row["expected_improvement"], row["kl_full_step"]
    rejected(row)
    row.update(
        line_search_fractions=FRACTIONS,
        line_search_gains=[(at_zero + slope * b + second_order * b * b) * expected for b in FRACTIONS],
        line_search_kls=[kl * b * b for b in FRACTIONS],
    )  # fmt: skip


def from_row(first: int, change: Callable[[Row, int], None]) -> Callable[[Row, int], None]:
    return lambda row, i: change(row, i) if i >= first else None


def test_the_slope_at_zero_is_told_from_the_second_order_of_the_step() -> None:
    row = healthy_row(1, np.random.default_rng(0))
    searched(row, 1.0, second_order=-3.0)
    view = View(run_of([row], metadata=METADATA))
    assert f.FIRST_ORDER.of(view).low[0] == pytest.approx(1.0)
    assert f.GAIN_INTERCEPT.of(view).low[0] < 1e-12


@pytest.mark.parametrize("slope", [0.2, -0.3, -1.4])
def test_gains_that_are_not_first_order_mean_other_advantages(slope: float) -> None:
    diagnosis = diagnose(from_row(12, lambda row, i: searched(row, slope)))
    cause = diagnosis.cause
    assert cause is not None
    assert (cause.code, cause.first_bad_iteration) == ("TRPO006", 13)


@pytest.mark.parametrize("slope", [0.7, 1.0, 1.5])
def test_gains_near_the_first_order_do_not(slope: float) -> None:
    diagnosis = diagnose(from_row(12, lambda row, i: searched(row, slope, second_order=-3.0)))
    assert answer(diagnosis, "TRPO006") == "no"


def test_the_sign_alone_is_205_and_not_006() -> None:
    diagnosis = diagnose(from_row(12, lambda row, i: searched(row, -1.0)))
    assert found(diagnosis, "TRPO006") is None
    assert found(diagnosis, "TRPO205") is not None


def test_a_heavy_second_order_of_some_accepted_steps_is_healthy() -> None:
    def heavy(row: Row, i: int) -> None:
        if i % 5 < 2:
            row["advantage_log_ratio_mean"] *= -0.2

    assert found(diagnose(heavy), "TRPO006") is None
    assert diagnose(heavy, n=15).verdict == "healthy"


def test_estimated_advantages_that_gain_nothing_of_what_the_search_gains_are_not_its_own() -> None:
    def unpaired(row: Row, i: int) -> None:
        if i >= 12:
            row["advantage_log_ratio_mean"] *= 0.1

    cause = diagnose(unpaired).cause
    assert cause is not None
    assert (cause.code, cause.first_bad_iteration) == ("TRPO006", 13)


def test_steps_whose_second_order_or_noise_is_as_large_tell_nothing_of_pairing() -> None:
    row = healthy_row(1, np.random.default_rng(0))
    expected, n = row["expected_improvement"], row["batch_size"]
    for large in ({"log_ratio_std": np.sqrt(0.81 * expected)}, {"log_ratio_std": 0.26 * expected * np.sqrt(n)}):  # fmt: skip
        assert not f.PAIRING.of(View(run_of([row | large], metadata=METADATA))).known[0]


def test_a_gradient_larger_than_any_advantages_could_make_is_not_006() -> None:
    def spiked(row: Row, i: int) -> None:
        searched(row, 1e-4)
        row.update(gradient_dot_direction=1e4, curvature=1e4)

    assert found(diagnose(spiked), "TRPO006") is None


def test_a_tensor_without_a_gradient_is_not_006() -> None:
    def cut(row: Row, i: int) -> None:
        searched(row, 0.1)
        row["gradient_norms"] = [0.2, 0.0, 0.3]

    assert found(diagnose(cut), "TRPO006") is None


def losses(row: Row, share: float) -> None:
    row.update(policy_loss_before=0.0, policy_loss=-share * row["actual_improvement"])


def test_a_surrogate_of_the_estimated_advantages_gains_what_the_search_says() -> None:
    right = diagnose(lambda row, i: losses(row, 1.0))
    assert right.verdict == "healthy"
    assert answer(right, "TRPO006") == "no"
    wrong = diagnose(lambda row, i: losses(row, 1.0 if i < 9 else -0.1))
    assert wrong.cause is not None
    assert (wrong.cause.code, wrong.cause.first_bad_iteration) == ("TRPO006", 10)
    near = diagnose(lambda row, i: losses(row, 1.0 if i < 9 else 1.04))
    assert near.verdict == "healthy"


def test_without_losses_windows_and_candidates_alignment_is_unknown() -> None:
    lists = ("line_search_gains", "line_search_fractions", "line_search_kls")
    lacking = (*lists, "advantage_log_ratio_mean")
    diagnosis = diagnose(lambda row, i: row.update(dict.fromkeys(lacking)))
    assert answer(diagnosis, "TRPO006") == "unknown"


def test_gains_that_do_not_vanish_with_the_step_mean_a_stale_policy() -> None:
    diagnosis = diagnose(from_row(12, lambda row, i: searched(row, 1.0, at_zero=-0.9)))
    cause = diagnosis.cause
    assert cause is not None
    assert (cause.code, cause.first_bad_iteration) == ("TRPO003", 13)
    fine = diagnose(from_row(12, lambda row, i: searched(row, 1.0, at_zero=-0.05)))
    assert found(fine, "TRPO003") is None


def pushed(row: Row, drift: float) -> None:
    row.update(parameter_delta_norm=row["step_parameter_delta_norm"] + 1.0, kl_drift=drift * DELTA)


def test_a_policy_moved_besides_the_step_and_beyond_the_trust_region_is_a_fault() -> None:
    diagnosis = diagnose(lambda row, i: pushed(row, 5.0) if i >= 11 else None)
    cause = diagnosis.cause
    assert cause is not None
    assert (cause.code, cause.first_bad_iteration) == ("TRPO008", 12)
    assert diagnose(lambda row, i: pushed(row, 0.4)).verdict == "healthy"


def test_a_normaliser_that_moves_the_policy_is_a_warning_and_early_nothing() -> None:
    early = diagnose(lambda row, i: row.update(kl_drift=5 * DELTA) if i < 5 else None)
    assert found(early, "TRPO008") is None
    late = found(diagnose(lambda row, i: row.update(kl_drift=5 * DELTA)), "TRPO008")
    assert late is not None
    assert late.level == "warning"
    untold = diagnose(lambda row, i: row.update(kl_drift=None, parameter_delta_norm=None))
    assert answer(untold, "TRPO008") == "unknown"


def signal(z: float, rising: bool, n: int = 130) -> Diagnosis:
    def change(row: Row, i: int) -> None:
        row["timesteps"] = 4096 * (i + 1)
        if not rising:
            row["episode_return_mean"] = float(np.sin(37.0 * i))
        if i % 5 == 0:
            row.update(
                gradient_cosine=0.1 * z, gradient_cosine_null_mean=0.0,
                gradient_cosine_null_std=0.1,
            )  # fmt: skip

    return diagnose(change, n=n)


def test_no_signal_and_a_flat_return_warn_after_a_hundred_iterations() -> None:
    warned = found(signal(0.0, rising=False), "TRPO207")
    assert warned is not None
    assert warned.level == "warning"
    noted = found(signal(0.0, rising=False, n=50), "TRPO207")
    assert noted is not None
    assert noted.level == "info"


@pytest.mark.parametrize(("z", "rising"), [(0.0, True), (2.0, False)])
def test_a_rising_return_or_agreeing_halves_are_no_noise(z: float, rising: bool) -> None:
    assert found(signal(z, rising), "TRPO207") is None


def test_shuffled_advantages_are_found_whatever_the_order_of_rows_that_cannot_tell() -> None:
    rng = np.random.default_rng(0)
    rows = [healthy_row(i, rng) for i in range(1, 41)]
    for i, row in enumerate(rows):
        if i >= 20 and i % 3 == 0:
            searched(row, 0.1)
        elif i >= 20:
            row.update(advantage_log_ratio_mean=None)
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    judged = answers(run_of(rows, metadata=METADATA))
    cause = judged.last().cause
    assert cause is not None
    assert (cause.code, cause.first_bad_iteration) == ("TRPO006", 22)
    assert [i for i in range(20) if judged.at(i).cause is not None] == []

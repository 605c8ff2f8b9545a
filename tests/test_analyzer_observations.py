"""Observations, and the episodes they come from: blow-up, dead dimensions, copies, early ends."""

import numpy as np
import pytest
from test_analyzer_rules import Row, diagnose

from analyzer.diagnosis import Diagnosis, Finding


def found(diagnosis: Diagnosis, code: str) -> Finding | None:
    return next((f for f in diagnosis.findings if f.code == code), None)


@pytest.mark.parametrize(("share", "named"), [(0.9, True), (0.4, False)])
def test_mostly_clipped_observations_are_a_blow_up(share: float, named: bool) -> None:
    def clipped(row: Row, i: int) -> None:
        row.update(observation_clip_fraction=share if i >= 14 else 0.001)

    finding = found(diagnose(clipped), "TRPO109")
    assert finding is not None
    assert finding.level == ("fault" if named else "warning")
    assert finding.first_bad_iteration == 15


def test_raw_observations_blow_up_where_they_saturate_the_units() -> None:
    def blown(row: Row, i: int, saturated: float = 0.9) -> None:
        row.update(observation_std_max=3e3 if i >= 14 else 3.0)
        row.update(saturated_units_fraction=saturated if i >= 14 else 0.1)

    finding = found(diagnose(blown), "TRPO109")
    assert finding is not None
    assert (finding.level, finding.first_bad_iteration) == ("fault", 15)
    harmless = found(diagnose(lambda row, i: blown(row, i, 0.1)), "TRPO109")
    assert harmless is not None
    assert harmless.level == "warning"


def dying(row: Row, i: int, *, dead: int, after: float) -> None:
    gone = i >= 14
    row.update(observation_dead_dimensions=dead if gone else 0)
    row.update(episode_return_mean=after if gone else 200.0 + i % 3)


def test_dimensions_that_die_as_the_return_falls_are_a_fault() -> None:
    diagnosis = diagnose(lambda row, i: dying(row, i, dead=4, after=50.0), observation_dim=11)
    finding = found(diagnosis, "TRPO110")
    assert finding is not None
    assert (finding.level, finding.first_bad_iteration) == ("fault", 15)


@pytest.mark.parametrize(
    ("dead", "at_once", "level"),
    [(4, True, "fault"), (4, False, "warning"), (3, True, "info"), (2, True, "info")],
)
def test_many_dimensions_that_die_at_once_are_a_fault_before_the_return_shows_it(
    dead: int, at_once: bool, level: str
) -> None:
    def still(row: Row, i: int) -> None:
        dying(row, i, dead=dead if at_once else min(dead, i - 13), after=201.0)

    finding = found(diagnose(still, observation_dim=11), "TRPO110")
    assert finding is not None
    assert finding.level == level


@pytest.mark.parametrize(("dead", "level"), [(5, "info"), (11, "fault")])
def test_dimensions_dead_from_the_start_are_a_note_unless_none_is_left(
    dead: int, level: str
) -> None:
    diagnosis = diagnose(
        lambda row, i: row.update(observation_dead_dimensions=dead), observation_dim=11
    )
    finding = found(diagnosis, "TRPO110")
    assert finding is not None
    assert finding.level == level


def test_contact_forces_dead_in_one_batch_now_and_then_are_healthy() -> None:
    diagnosis = diagnose(
        lambda row, i: row.update(observation_dead_dimensions=6 if i % 4 == 3 else 0),
        observation_dim=11,
    )
    assert found(diagnosis, "TRPO110") is None


def test_returns_in_whole_sets_of_one_an_environment_are_copies() -> None:
    rng = np.random.default_rng(0)

    def copied(row: Row, i: int) -> None:
        sets = rng.normal(100.0, 30.0, 2)
        own = rng.normal(100.0, 30.0, 32)
        returns = np.repeat(sets, 16) if i >= 14 else own
        row.update(episode_returns=returns.tolist())

    diagnosis = diagnose(copied, environments=16)
    assert diagnosis.cause is not None
    assert (diagnosis.cause.code, diagnosis.cause.first_bad_iteration) == ("TRPO111", 15)
    assert found(diagnose(copied), "TRPO111") is None  # how many environments is not told


def test_equal_returns_of_whole_numbers_or_of_equal_rewards_are_no_copies() -> None:
    def capped(row: Row, i: int) -> None:
        row.update(episode_returns=[1000.0] * 16)

    def paid_alike(row: Row, i: int) -> None:
        row.update(episode_returns=[52.5] * 16, reward_min=0.05, reward_max=0.05)

    assert found(diagnose(capped, environments=16), "TRPO111") is None
    assert found(diagnose(paid_alike, environments=16), "TRPO111") is None


@pytest.mark.parametrize(("cosine", "named"), [(1.0, True), (0.9999, False)])
def test_two_halves_with_one_gradient_are_copies(cosine: float, named: bool) -> None:
    diagnosis = diagnose(
        lambda row, i: row.update(gradient_cosine=cosine if i % 5 == 0 else None), n=11
    )
    assert (found(diagnosis, "TRPO111") is not None) is named


def test_two_parameters_may_well_have_one_direction() -> None:
    diagnosis = diagnose(lambda row, i: row.update(gradient_cosine=1.0, trainable_parameters=2))
    assert found(diagnosis, "TRPO111") is None


def short(row: Row, i: int) -> None:
    row.update(episode_length_mean=1.6, episode_length_median=2.0, episodes_terminated=900)


def test_episodes_of_two_steps_end_at_once_where_they_are_meant_to_last() -> None:
    diagnosis = diagnose(lambda row, i: short(row, i) if i >= 14 else None)
    assert diagnosis.cause is not None
    assert (diagnosis.cause.code, diagnosis.cause.first_bad_iteration) == ("TRPO105", 15)


def test_a_task_of_one_step_is_no_fault() -> None:
    finding = found(diagnose(short, horizon=None), "TRPO105")
    assert finding is not None
    assert finding.level == "warning"
    assert diagnose(short, horizon=1).cause is None


def test_one_batch_of_short_episodes_is_healthy() -> None:
    diagnosis = diagnose(lambda row, i: short(row, i) if i in (20, 29) else None)
    assert found(diagnosis, "TRPO105") is None

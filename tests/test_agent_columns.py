"""What the agent hands to the log is the declared schema, no more and no less."""

from dataclasses import fields

import numpy as np
import pytest

from agent import columns
from agent.advantages import Advantages
from agent.config import Config
from agent.training import Training
from agent.value import CriticFit
from runlog.schema import BY_NAME, METADATA_KEYS

PHASES = (
    columns.SamplingColumns,
    columns.ValueColumns,
    Advantages,
    columns.GradientColumns,
    columns.DirectionColumns,
    columns.SearchColumns,
    columns.ChangeColumns,
    CriticFit,
    columns.EndColumns,
    columns.WindowColumns,
    columns.ClockColumns,
)
SMALL = {"steps_per_iteration": 256, "environments": 4, "warm_up_steps": 64}


def test_phases_together_make_up_the_schema_and_share_no_column() -> None:
    names = [each.name for phase in PHASES for each in fields(phase) if each.name in BY_NAME]
    assert len(names) == len(set(names))
    assert set(names) | columns.FILLED_BY_THE_LOG == set(BY_NAME)


def test_every_column_is_filled_in_the_first_iteration_of_a_run_with_ended_episodes() -> None:
    row = next(Training.from_config(Config(env="InvertedPendulum-v5", **SMALL)))
    declared = {name for name in row if name in BY_NAME}
    assert declared == set(BY_NAME) - columns.FILLED_BY_THE_LOG
    assert {name for name in row if name not in BY_NAME} == {"reward_term_survive"}
    null = {name for name in declared if row[name] is None}
    assert null == {"seconds_logging"}, "the row before is what it is measured on"


@pytest.mark.parametrize("env", ["Pendulum-v1", "HalfCheetah-v5"])
def test_cells_have_the_declared_types(env: str) -> None:
    kinds = {"int64": int, "bool": bool, "float64": float, "string": str, "list<float64>": list}
    for row in Training.from_config(Config(env=env, iterations=2, **SMALL)):
        for name, value in row.items():
            if value is not None:
                declared = BY_NAME[name].type if name in BY_NAME else "float64"
                assert type(value) is kinds[declared], name
            if isinstance(value, list):
                assert all(entry is None or type(entry) is float for entry in value), name


def test_metadata_are_declared() -> None:
    metadata = Training.from_config(Config(env="Pendulum-v1")).metadata
    assert set(metadata) <= METADATA_KEYS
    assert metadata["horizon"] == 200
    assert metadata["action_low"] == [-2.0]
    assert metadata["environments"] * 128 == metadata["steps_per_iteration"]


def test_window_is_written_early_then_every_25th_iteration() -> None:
    training = Training.from_config(Config(env="Pendulum-v1", iterations=26, **SMALL))
    written = [row["iteration"] for row in training if row["window_reward"] is not None]
    assert written == [*range(1, 11), 25]


def test_observation_columns_are_of_the_raw_observations() -> None:
    row = next(Training.from_config(Config(env="Pendulum-v1", **SMALL)))
    assert 1 < row["observation_abs_max"] <= 8  # the angular velocity, rad/s
    assert row["observation_std_max"] > row["observation_std_min"] > 0
    assert row["observation_dead_dimensions"] == 0
    assert row["observation_shift"] > 0
    assert np.isfinite(row["kl_drift"])

"""Batches of any Gymnasium environment: what they store, and how their worlds get out of step."""

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import OrderEnforcing, RecordEpisodeStatistics, TimeLimit

from agent.config import Config
from agent.envs.batch import NEVER, Batch, first_limits
from agent.envs.gym import GymBatch, batch_of, make_batch
from agent.networks import GaussianMLP
from agent.training import Training
from agent.trpo_agent import TRPOAgent
from runlog.errors import UserError

HORIZON = 12


class Drunkard(gymnasium.Env[Any, Any]):
    """A random walk that falls off either end of the street and can be stored."""

    action_space = Box(-1, 1, (1,), np.float32)
    observation_space = Box(-np.inf, np.inf, (2,), np.float64)

    def __init__(self, width: float = np.inf) -> None:
        self.width = width
        self.path = np.zeros(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.path = self.np_random.normal(size=2)
        return self.path.copy(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.path += self.np_random.normal(size=2) + action[0]
        return (
            self.path.copy(),
            float(self.path[0]),
            bool(abs(self.path[0]) > self.width),
            False,
            {},
        )

    def save_state(self) -> dict[str, Any]:
        return {"path": self.path.copy()}

    def restore_state(self, state: dict[str, Any]) -> None:
        self.path = state["path"].copy()


def _drunkards(worlds: int, width: float = np.inf, horizon: int = HORIZON) -> GymBatch:
    def make() -> gymnasium.Env[Any, Any]:
        return TimeLimit(OrderEnforcing(Drunkard(width)), horizon)

    batch = batch_of(SyncVectorEnv([make] * worlds), worlds)
    assert isinstance(batch, GymBatch)
    return batch


@pytest.fixture
def _registered() -> Any:
    gymnasium.register("Drunkard-v0", Drunkard, max_episode_steps=HORIZON)
    yield
    del gymnasium.registry["Drunkard-v0"]


def _ends(batch: Batch, steps: int) -> dict[int, list[int]]:
    """By world the steps, counted from 1, in which its episodes ended."""
    ends: dict[int, list[int]] = {i: [] for i in range(batch.worlds)}
    batch.reset(0)
    for t in range(steps):
        action = np.zeros((batch.worlds, batch.facts.action_dim), dtype=np.float32)
        for world in batch.step(action).final_observation:
            ends[world].append(t + 1)
    return ends


def test_first_limits_spread_over_the_horizon() -> None:
    assert first_limits(4, 100).tolist() == [25, 50, 75, 100]
    assert first_limits(3, 10).tolist() == [4, 7, 10]
    assert first_limits(5, 2).tolist() == [1, 1, 2, 2, 2]
    assert first_limits(1, 1000).tolist() == [1000]
    assert first_limits(2, None).tolist() == [NEVER] * 2


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize(
    ("env_id", "horizon"), [("Drunkard-v0", HORIZON), ("HalfCheetah-v5", HORIZON)]
)
def test_worlds_with_a_time_limit_do_not_end_in_step(env_id: str, horizon: int) -> None:
    args = {"max_episode_steps": horizon}
    ends = _ends(make_batch(env_id, 4, args), 40)
    assert ends == {0: [3, 15, 27, 39], 1: [6, 18, 30], 2: [9, 21, 33], 3: [12, 24, 36]}


@pytest.mark.usefixtures("_registered")
def test_worlds_are_staggered_again_after_another_reset() -> None:
    batch = make_batch("Drunkard-v0", 4, {})
    assert _ends(batch, 40) == _ends(batch, 40)


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize("env_id", ["Drunkard-v0", "HalfCheetah-v5"])
def test_episode_cut_to_stagger_is_truncated_but_counts_nowhere(env_id: str) -> None:
    args = {"max_episode_steps": HORIZON}
    config = Config(
        env=env_id, env_args=args, environments=4, steps_per_iteration=4 * 13, warm_up_steps=0
    )
    training = Training.from_config(config)
    first, second = next(training), next(training)
    assert sum(first["window_truncated"]) >= 1
    assert first["episodes"] == first["episodes_truncated"] == 1
    assert first["episode_lengths"] == [HORIZON]
    # World 0 ends at 15, 1 at 18, 2 at 21, 3 at 24: all of them whole.
    assert second["episodes_truncated"] == 4
    assert second["episode_lengths"] == [HORIZON] * 4
    assert second["episodes"] == 5


class Prized(Drunkard):
    """Pays a prize for a fall, and only then says that there is one."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, reward, fell, *_ = super().step(action)
        terms = {"reward_walk": reward} | ({"reward_prize": 5.0} if fell else {})
        return seen, reward + 5.0 * fell, fell, False, terms


def _prized() -> Prized:
    return Prized(width=3.0)


@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv])
def test_terms_make_up_the_reward_also_where_one_is_only_paid_at_the_end(kind: Any) -> None:
    more = {"context": "fork"} if kind is AsyncVectorEnv else {}
    env = kind([_prized] * 3, autoreset_mode=AutoresetMode.SAME_STEP, **more)
    try:
        row = next(TRPOAgent(env, GaussianMLP(2, 1, (4,), 0.0), steps_per_iteration=60))
    finally:
        env.close()
    assert row["episodes_terminated"] > 3
    assert row["reward_term_prize"] == pytest.approx(5.0 * row["episodes_terminated"] / 60)
    total = row["reward_term_walk"] + row["reward_term_prize"]
    assert row["reward_mean"] == pytest.approx(total)


@pytest.mark.parametrize("bound", [0.4, 0.1, np.inf])
def test_actions_stay_inside_bounds_that_single_precision_rounds_outwards(bound: float) -> None:
    class Strict(Drunkard):
        action_space = Box(-bound, bound, (2, 3), np.float64)

        def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
            assert self.action_space.contains(action)
            return super().step(action[0])

    env = Strict()
    facts = batch_of(env, 1).facts
    assert np.array_equal(facts.action_low, -facts.action_high)
    assert facts.action_high == pytest.approx(np.full(6, bound))
    row = next(TRPOAgent(env, GaussianMLP(2, 6, (4,), 0.0), steps_per_iteration=30))
    assert (row["action_clip_fraction"] > 0.5) == (bound < 1)


def test_world_that_ends_before_it_is_cut_has_a_whole_episode() -> None:
    batch = _drunkards(2, width=-1.0)  # every step is the last one
    batch.reset(0)
    step = batch.step(np.zeros((2, 1), dtype=np.float32))
    assert step.terminated.all()
    assert not step.truncated.any()
    assert list(step.staggered) == []


@pytest.mark.usefixtures("_registered")
def test_own_environment_with_the_two_methods_goes_on_exactly() -> None:
    one, other = (make_batch("Drunkard-v0", 3, {"width": 4.0}) for _ in range(2))
    one.reset(5)
    actions = np.random.default_rng(0).normal(size=(60, 3, 1)).astype(np.float32)
    for action in actions[:17]:
        one.step(action)
    state = one.state()
    assert state is not None
    assert isinstance(state["worlds"][0]["generator"], str)
    for action in actions[17:30]:
        one.step(action)
    assert np.array_equal(one.restore(state), other.restore(state))
    for action in actions[17:]:
        a, b = one.step(action), other.step(action)
        assert np.array_equal(a.observation, b.observation)
        assert np.array_equal(a.reward, b.reward)
        assert np.array_equal(a.terminated, b.terminated)
        assert np.array_equal(a.truncated, b.truncated)
        assert list(a.staggered) == list(b.staggered)
        assert a.final_observation.keys() == b.final_observation.keys()


def test_environments_that_cannot_be_stored_say_so() -> None:
    """No methods; a wrapper that may hold more than is seen; a user's vectorised environment."""
    assert make_batch("Pendulum-v1", 2, {}).state() is None
    assert batch_of(RecordEpisodeStatistics(Drunkard()), 1).state() is None
    assert batch_of(Drunkard(), 1).state() is not None
    vector = AsyncVectorEnv([Drunkard] * 2, autoreset_mode=AutoresetMode.SAME_STEP, context="fork")
    batch = batch_of(vector, 2)
    try:
        assert batch.state() is None
        with pytest.raises(UserError, match="AsyncVectorEnv cannot go on"):
            batch.restore({})
    finally:
        batch.close()


def test_an_id_without_a_version_means_the_highest_one_and_warns_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = make_batch("DPEnv", 1, {})
    assert batch.facts.env_id == "DPEnv-v0"
    batch.close()
    with pytest.raises(UserError, match="no environment 'NoSuchThing'"):
        make_batch("NoSuchThing", 1, {})


@pytest.mark.parametrize(("limit", "declared"), [(1000, 950.0), (2000, 950.0), (200, None)])
def test_the_declared_return_is_not_that_of_episodes_made_shorter(
    limit: int, declared: float | None
) -> None:
    batch = make_batch("InvertedPendulum-v5", 1, {"max_episode_steps": limit})
    assert batch.facts.solved_return == declared

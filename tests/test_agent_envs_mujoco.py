"""The batches of MuJoCo worlds against Gymnasium itself: the difference is exactly nothing."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import pytest

from agent.envs.batch import Array, Batch, first_limits, world_seeds
from agent.envs.gym import make_batch
from agent.envs.mujoco_batch import MujocoBatch

SEED = 11
USUAL = (
    "HalfCheetah-v5",
    "Hopper-v5",
    "Walker2d-v5",
    "Swimmer-v5",
    "InvertedPendulum-v5",
    "InvertedDoublePendulum-v5",
    "Reacher-v5",
    "Ant-v5",
    "Humanoid-v5",
)
VARIED: list[tuple[str, dict[str, Any]]] = [
    ("HalfCheetah-v5", {"ctrl_cost_weight": 3, "frame_skip": 2}),
    ("Hopper-v5", {"terminate_when_unhealthy": False, "healthy_reward": 2}),
    ("Hopper-v5", {"healthy_state_range": [-2.0, 2.0]}),
    ("Walker2d-v5", {"healthy_angle_range": [-0.3, 0.3], "reset_noise_scale": 0.2}),
    ("Swimmer-v5", {"exclude_current_positions_from_observation": False}),
    ("InvertedPendulum-v5", {"reset_noise_scale": 0.1}),
    ("InvertedDoublePendulum-v5", {"healthy_reward": 1, "frame_skip": 2}),
    ("Reacher-v5", {"reward_dist_weight": 0.3, "reward_control_weight": 2.5}),
    (
        "Ant-v5",
        {
            "main_body": "front_left_leg",
            "contact_force_range": [-0.3, 0.2],
            "contact_cost_weight": 0.3,
            "healthy_z_range": [0.5, 0.9],
            "exclude_current_positions_from_observation": False,
        },
    ),
    (
        "Humanoid-v5",
        {
            "contact_cost_weight": 0.01,
            "include_cinert_in_observation": False,
            "terminate_when_unhealthy": False,
        },
    ),
]


class Twins:
    """Gymnasium's own environments, stepped one after the other as its users do."""

    def __init__(self, env_id: str, env_args: Mapping[str, Any], worlds: int) -> None:
        self.worlds = [gymnasium.make(env_id, **env_args) for _ in range(worlds)]
        self.limits = first_limits(worlds, self.worlds[0].spec.max_episode_steps)  # type: ignore[union-attr]  # made by id
        self.ages = [0] * worlds

    def reset(self, seed: int) -> Array:
        seeds = world_seeds(seed, len(self.worlds))
        return np.stack([w.reset(seed=s)[0] for w, s in zip(self.worlds, seeds, strict=True)])

    def compare(self, action: Any, step: Any) -> int:
        """Assert that `step` is what happens here too; how many episodes ended."""
        terms: set[str] = set()
        for i, world in enumerate(self.worlds):
            seen, reward, terminated, truncated, info = world.step(action[i])
            self.ages[i] += 1
            early = self.ages[i] == self.limits[i] and not (terminated or truncated)
            assert bool(step.terminated[i]) == terminated
            assert bool(step.truncated[i]) == ((truncated or early) and not terminated)
            assert (i in step.staggered) == early
            assert step.reward[i] == reward
            for name, value in info.items():
                if name.startswith("reward_"):
                    terms.add(name[7:])
                    assert step.reward_terms[name[7:]][i] == value
            if terminated or truncated or early:
                assert np.array_equal(step.final_observation[i], seen)
                seen = world.reset()[0]
                self.ages[i], self.limits[i] = 0, -1
            else:
                assert i not in step.final_observation
            assert np.array_equal(step.observation[i], seen)
        assert terms == set(step.reward_terms)
        return len(step.final_observation)


def _actions(batch: Batch, steps: int, seed: int = 0) -> Any:
    shape = (steps, batch.worlds, batch.facts.action_dim)
    low, high = batch.facts.action_low, batch.facts.action_high
    drawn = np.random.default_rng(seed).normal(size=shape, scale=0.7).astype(np.float32)
    return np.clip(drawn * high, low, high)


def _compared(env_id: str, env_args: dict[str, Any], worlds: int, steps: int) -> int:
    """Episodes that ended while a batch and its twins did the same."""
    batch = make_batch(env_id, worlds, env_args)
    assert isinstance(batch, MujocoBatch)
    twins = Twins(env_id, env_args, worlds)
    assert np.array_equal(batch.reset(SEED), twins.reset(SEED))
    return sum(twins.compare(action, batch.step(action)) for action in _actions(batch, steps))


@pytest.mark.parametrize("env_id", USUAL)
def test_thousand_random_steps_equal_gymnasium_exactly(env_id: str) -> None:
    assert _compared(env_id, {}, worlds=2, steps=1000) >= 2


@pytest.mark.parametrize(("env_id", "env_args"), VARIED)
def test_environment_arguments_mean_what_they_mean_in_gymnasium(
    env_id: str, env_args: dict[str, Any]
) -> None:
    assert _compared(env_id, env_args | {"max_episode_steps": 60}, worlds=3, steps=130) >= 6

"""The batches of MuJoCo worlds against Gymnasium itself: the difference is exactly nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv
from gymnasium.wrappers import TransformReward
from mujoco.batch import SimulationError

from agent.config import Config
from agent.envs import gym, mujoco_batch
from agent.envs.batch import Array, Batch, BatchStep, first_limits, world_seeds
from agent.envs.gym import GymBatch, make_batch
from agent.envs.mujoco_batch import MujocoBatch
from agent.mujoco_warnings import MujocoWarnings
from agent.training import Training
from runlog.errors import UserError
from runlog.schema import BY_NAME

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
        self.worlds = [
            gymnasium.make(env_id, disable_env_checker=True, **env_args) for _ in range(worlds)
        ]
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


def _alike(a: BatchStep, b: BatchStep) -> bool:
    """Bit for bit, NaN included."""
    pairs = [
        (a.observation, b.observation),
        (a.reward, b.reward),
        (a.terminated, b.terminated),
        (a.truncated, b.truncated),
        *((a.reward_terms[name], b.reward_terms[name]) for name in a.reward_terms),
        *((seen, b.final_observation[world]) for world, seen in a.final_observation.items()),
    ]
    return (
        all(np.array_equal(x, y, equal_nan=True) for x, y in pairs)
        and a.final_observation.keys() == b.final_observation.keys()
        and list(a.staggered) == list(b.staggered)
    )


@pytest.mark.parametrize("env_id", USUAL)
def test_restored_batch_goes_on_bit_for_bit(env_id: str) -> None:
    def made() -> Batch:
        return make_batch(env_id, 3, {"max_episode_steps": 25})

    one, other = made(), made()
    one.reset(1)
    actions = _actions(one, 80)
    for action in actions[:37]:
        one.step(action)
    other.reset(2)
    other.step(actions[0])
    state = one.state()
    assert state is not None
    for action in actions[37:45]:  # what happens later does not reach into a state handed over
        one.step(action)
    assert np.array_equal(other.restore(state), one.restore(state))
    assert all(_alike(one.step(action), other.step(action)) for action in actions[37:])


def test_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []
    for processors in (1, 2, 4):
        monkeypatch.setattr(mujoco_batch, "threads", lambda _worlds, n=processors: n)
        batches.append(make_batch("Hopper-v5", 8, {}))
        batches[-1].reset(3)
    for action in _actions(batches[0], 60):
        first, *others = [batch.step(action) for batch in batches]
        assert all(_alike(first, other) for other in others)


def test_threads_are_the_processors_with_two_worlds_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mujoco_batch.os, "sched_getaffinity", lambda _pid: set(range(8)))
    assert [mujoco_batch.threads(worlds) for worlds in (1, 2, 7, 16, 64)] == [1, 1, 3, 8, 8]


@pytest.mark.parametrize("env_id", ["HalfCheetah-v5", "Ant-v5", "Humanoid-v5"])
@pytest.mark.parametrize(("field", "value"), [("qvel", 1e12), ("qpos", np.nan), ("action", np.nan)])
def test_unstable_physics_is_what_gymnasium_makes_of_it(
    env_id: str, field: str, value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MuJoCo warns, from any thread, and starts the world over; no file is left behind."""
    monkeypatch.chdir(tmp_path)
    warnings = MujocoWarnings()
    upright = {} if env_id == "HalfCheetah-v5" else {"terminate_when_unhealthy": False}
    batch = make_batch(env_id, 4, upright)
    assert isinstance(batch, MujocoBatch)
    twins = Twins(env_id, upright, 4)
    batch.reset(SEED)
    twins.reset(SEED)
    warnings.new()
    action = np.zeros((4, batch.facts.action_dim), dtype=np.float32)
    for world in (1, 3):
        if field == "action":
            action[world] = value
        else:
            batch._now[field][world, -1] = value
            data: Any = twins.worlds[world].unwrapped
            getattr(data.data, field)[-1] = value
    with np.errstate(invalid="ignore"):
        for _ in range(3):
            step = batch.step(action)
            for i, twin in enumerate(twins.worlds):
                seen, reward, *_ = twin.step(action[i])
                assert np.array_equal(step.observation[i], seen, equal_nan=True)
                assert np.array_equal(step.reward[i], reward, equal_nan=True)
    assert any("The simulation is unstable" in text for text in warnings.new())
    assert not list(tmp_path.iterdir())


def test_world_whose_physics_fails_is_named() -> None:
    batch = make_batch("HalfCheetah-v5", 4, {})
    assert isinstance(batch, MujocoBatch)

    def fail(**_: Any) -> None:
        raise SimulationError(np.array([2]), "out of memory")

    batch._physics.step = fail
    with pytest.raises(SimulationError) as caught:
        batch.step(np.zeros((4, 6), dtype=np.float32))
    assert caught.value.__notes__ == ["raised by environment 2 of 4"]


def test_only_what_is_known_to_be_equal_is_stepped_in_c(tmp_path: Path) -> None:
    """Another model, another wrapper, another class or a picture to draw: Gymnasium itself."""
    xml = tmp_path / "cheetah.xml"
    known = gymnasium.make("HalfCheetah-v5").unwrapped
    assert isinstance(known, HalfCheetahEnv)
    xml.write_bytes(Path(known.fullpath).read_bytes())
    assert isinstance(make_batch("HalfCheetah-v5", 1, {"xml_file": str(xml)}), GymBatch)
    assert isinstance(make_batch("Pusher-v5", 1, {}), GymBatch)

    class Slower(HalfCheetahEnv):
        pass

    for name, made in (
        ("Slower-v0", Slower),
        ("Scaled-v0", lambda: TransformReward(HalfCheetahEnv(), lambda reward: 2 * reward)),
    ):
        gymnasium.register(name, made, max_episode_steps=10)
        try:
            assert isinstance(make_batch(name, 1, {}), GymBatch)
        finally:
            del gymnasium.registry[name]


def test_checkpoint_of_another_number_of_worlds_is_one_clear_line() -> None:
    state = make_batch("Hopper-v5", 3, {}).state()
    assert state is not None
    with pytest.raises(UserError, match="3 environments, not 2"):
        make_batch("Hopper-v5", 2, {}).restore(state)


@pytest.mark.parametrize("env_id", ["Hopper-v5", "Reacher-v5"])
def test_training_logs_what_it_would_log_on_gymnasium_itself(
    env_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(env=env_id, iterations=2, steps_per_iteration=256, environments=4)
    fast = Training.from_config(config)
    monkeypatch.setattr(gym, "mujoco_batch", lambda *_: None)
    slow = Training.from_config(config)
    assert (type(fast.batch), type(slow.batch)) == (MujocoBatch, GymBatch)
    for ours, theirs in zip(fast, slow, strict=True):
        assert ours.keys() == theirs.keys()
        for name in ours:
            if name not in BY_NAME or not BY_NAME[name].clocked:
                assert repr(ours[name]) == repr(theirs[name]), name

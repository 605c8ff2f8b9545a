"""One batch of experience: every step is what the policy, the noise and the worlds make it."""

from typing import Any

import numpy as np
import pytest

from agent.config import Config
from agent.envs.batch import Array
from agent.envs.gym import make_batch
from agent.normaliser import CLIP, Normaliser
from agent.process import memory_mb
from agent.sampling import Episode, Interrupted, normalised, sample, sample_action, start
from agent.training import Training


def _normaliser(dim: int) -> Normaliser:
    generator = np.random.default_rng(1)
    return Normaliser(count=9.0, mean=generator.normal(size=dim), variance=np.full(dim, 1e-3))


def _sampled(steps: int = 40, env: str = "Hopper-v5") -> tuple[Any, Array, Any, Training]:
    training = Training.from_config(Config(env=env, environments=3, hidden=(8,)))
    batch = training.batch
    noise = np.random.default_rng(0).standard_normal((steps, 3, 3), dtype=np.float32)
    actor, seen = training.policy.actor(), _normaliser(batch.facts.observation_dim)
    rollout, _ = sample(batch, start(batch.reset(4)), actor, seen, noise, sample_action)
    return rollout, noise, seen, training


def test_rollout_is_what_stepping_by_hand_gives() -> None:
    rollout, noise, seen, training = _sampled()
    batch = make_batch("Hopper-v5", 3, {})
    actor, now = training.policy.actor(), batch.reset(4)
    for t in range(len(noise)):
        assert np.array_equal(rollout.raw[t], now)
        observation = normalised(now, seen)
        assert np.array_equal(rollout.observation[t], observation)
        mean, log_std = actor(observation)
        action = mean + np.exp(log_std) * noise[t]
        assert np.array_equal(rollout.action[t], action)
        step = batch.step(np.clip(action, -1, 1))
        assert np.array_equal(rollout.reward[t], step.reward)
        for world, reached in step.final_observation.items():
            assert np.array_equal(rollout.final[t, world], reached)
        now = step.observation
    assert np.array_equal(rollout.last, now)


def test_whole_batch_is_normalised_as_its_steps_were() -> None:
    """Bit for bit: V of an observation may not depend on when it was looked at."""
    rollout, _, seen, _ = _sampled()
    assert np.array_equal(normalised(rollout.raw, seen), rollout.observation)
    assert np.array_equal(normalised(rollout.raw, None), rollout.raw.astype(np.float32))


def test_clipped_fraction_counts_what_stands_at_the_limit() -> None:
    rollout, _, seen, _ = _sampled()
    beyond = np.abs((rollout.raw - seen.mean) / np.sqrt(seen.variance + 1e-8)) > CLIP
    assert 0 < beyond.mean() < 1
    assert rollout.clipped_fraction == pytest.approx(beyond.mean())
    assert np.abs(rollout.observation).max() == CLIP


def test_normaliser_lets_nan_through() -> None:
    seen = normalised(np.array([[np.nan, np.inf, -1e300]]), _normaliser(3))
    assert np.isnan(seen[0, 0])
    assert seen[0, 1:].tolist() == [CLIP, -CLIP]


def test_episodes_go_on_from_batch_to_batch() -> None:
    """Two batches hold what one of both lengths holds."""
    whole, noise, seen, training = _sampled(steps=90)
    batch = training.batch
    running = start(batch.reset(4))
    episodes: list[Episode] = []
    rewards = []
    for part in (noise[:31], noise[31:]):
        actor = training.policy.actor()
        rollout, running = sample(batch, running, actor, seen, part, sample_action)
        episodes += rollout.episodes
        rewards.append(rollout.reward)
    assert tuple(episodes) == whole.episodes
    assert np.array_equal(np.concatenate(rewards), whole.reward)
    first_end = min(t for t, world in whole.final if world == 0)
    total = whole.reward[: first_end + 1, 0].sum()
    assert any(episode.total == pytest.approx(total) for episode in episodes)


def test_interruption_ends_sampling_between_two_steps() -> None:
    training = Training.from_config(Config(env="Hopper-v5", environments=2))
    batch, asked = training.batch, []

    def third() -> bool:
        asked.append(None)
        return len(asked) == 3

    with pytest.raises(Interrupted):
        sample(
            batch,
            start(batch.reset(0)),
            training.policy.actor(),
            None,
            np.zeros((9, 2, 3), dtype=np.float32),
            sample_action,
            third,
        )
    assert len(asked) == 3


def test_memory_does_not_grow_over_two_thousand_batches() -> None:
    training = Training.from_config(Config(env="Hopper-v5", environments=2, hidden=(8,)))
    batch = training.batch
    noise = np.random.default_rng(0).standard_normal((2, 2, 3), dtype=np.float32)
    running = start(batch.reset(0))

    def run(batches: int) -> float:
        nonlocal running
        for _ in range(batches):
            actor = training.policy.actor()
            _, running = sample(batch, running, actor, _normaliser(11), noise, sample_action)
            batch.state()
        memory = memory_mb()
        assert memory is not None
        return memory

    settled = run(300)
    assert run(2000) - settled < 1.0, "MB"

"""What one batch teaches: values, advantages, policy and critic, in the order of the parts."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agent import gaussian
from agent.advantages import Advantages, Values, estimate, evaluate
from agent.batch_statistics import sampled_distribution
from agent.config import Config
from agent.networks import Policy
from agent.normaliser import Normaliser
from agent.parts import Experience, Learned, Parts, Phases, Step
from agent.reward_normaliser import TrainingReward
from agent.sampling import Rollout
from agent.trpo import update_policy
from agent.value import Critic, CriticFit
from runlog.regression import halves

SHUFFLE = 2
"""Stream of random numbers for the critic's minibatches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One batch and what was learnt from it."""

    rollout: Rollout
    reward: TrainingReward
    experience: Experience
    theta: Tensor
    """The policy's parameters when the batch was sampled."""
    values: Values
    """Of the critic that existed when the batch was sampled, whatever the order."""
    learned: Learned
    seconds_advantage: float
    seconds_policy: float
    seconds_value: float


def experience_of(rollout: Rollout, policy: Policy) -> Experience:
    """The batch flattened, on the policy's device."""
    action = torch.from_numpy(rollout.action.reshape(-1, rollout.action.shape[-1]))
    observation = torch.from_numpy(rollout.observation.reshape(-1, rollout.observation.shape[-1]))
    log_prob = gaussian.log_prob(sampled_distribution(rollout), action.double())
    return Experience(
        observation=observation.to(policy.device, policy.dtype),
        action=action.to(policy.device, policy.dtype),
        log_prob=log_prob.to(policy.device),
        half=torch.from_numpy(halves(rollout.ended).reshape(-1)).to(policy.device),
    )


def learn(
    parts: Parts,
    policy: Policy,
    critic: Critic,
    normaliser: Normaliser | None,
    rollout: Rollout,
    reward: TrainingReward,
    config: Config,
    iteration: int,
) -> Lesson:
    """Learn from one batch; policy and critic are changed in place. Clocks run per phase, in s."""
    spent = {"advantage": 0.0, "policy": 0.0, "value": 0.0}
    begun = time.perf_counter()
    theta = policy.theta()
    experience = experience_of(rollout, policy)
    sampling_values = evaluate(critic, rollout, normaliser)
    spent["advantage"] += time.perf_counter() - begun
    fits = 0

    def advantages() -> Advantages:
        begun = time.perf_counter()
        found = estimate(
            parts.advantages,
            rollout,
            reward.values,
            evaluate(critic, rollout, normaliser) if fits else sampling_values,
            gamma=config.gamma,
            lam=config.lam,
            eps=torch.finfo(policy.dtype).eps,
        )
        spent["advantage"] += time.perf_counter() - begun
        return found

    def update(advantages: Advantages) -> Step:
        begun = time.perf_counter()
        step = update_policy(parts, policy, experience, advantages, config, iteration)
        spent["policy"] += time.perf_counter() - begun
        return step

    def fit(advantages: Advantages) -> CriticFit:
        nonlocal fits
        fits += 1
        begun = time.perf_counter()
        done = parts.fit_critic(
            critic,
            rollout.observation,
            advantages.targets,
            config.vf_iters,
            config.vf_batch,
            config.vf_lr,
            np.random.default_rng([config.seed, iteration, SHUFFLE]),
        )
        spent["value"] += time.perf_counter() - begun
        return done

    learned = parts.order(Phases(advantages=advantages, policy=update, critic=fit))
    return Lesson(
        rollout=rollout,
        reward=reward,
        experience=experience,
        theta=theta,
        values=sampling_values,
        learned=learned,
        seconds_advantage=spent["advantage"],
        seconds_policy=spent["policy"],
        seconds_value=spent["value"],
    )

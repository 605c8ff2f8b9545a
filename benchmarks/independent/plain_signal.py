"""Is there anything to learn from a batch? Its gradient's two halves, and its reward, asked for that."""

from typing import Any

import numpy as np
import torch
from independent.plain_batch import Batch
from independent.plain_trpo import Trainer, Update
from torch import Tensor

SHUFFLES = 6


def policy_at(trainer: Trainer, theta: Tensor, states: Tensor) -> Any:
    """What the policy would be with these parameters."""
    named = dict(trainer.policy.named_parameters())
    parts = torch.split(theta, [p.numel() for p in named.values()])
    values = {name: t.view_as(p) for (name, p), t in zip(named.items(), parts, strict=True)}
    return torch.func.functional_call(trainer.policy, values, (states,))


def cosine_columns(trainer: Trainer, batch: Batch, done: Update) -> dict[str, float]:
    """Do the gradients of two halves of the environments agree, and what would chance give?"""
    states = batch.observations.reshape(len(done.flat), -1)
    actions = torch.from_numpy(batch.actions.reshape(len(done.flat), -1))
    second = torch.arange(batch.rewards.shape[1]).repeat(len(batch.rewards)) % 2 == 1
    generator = torch.Generator().manual_seed(trainer.iteration)
    theta = done.theta.clone().requires_grad_()
    logp = trainer.log_prob(policy_at(trainer, theta, states), actions)

    def halves(advantages: Tensor) -> list[Tensor]:
        surrogates = [(logp * advantages * half).mean() for half in (second, ~second)]
        found = [
            torch.autograd.grad(each, theta, retain_graph=True, allow_unused=True)[0]
            for each in surrogates
        ]
        return [torch.zeros_like(theta) if each is None else each for each in found]

    def cosine(a: Tensor, b: Tensor) -> float:
        return float(torch.nn.functional.cosine_similarity(a, b, dim=0))

    shuffles = [torch.randperm(len(done.flat), generator=generator) for _ in range(SHUFFLES)]
    chance = [cosine(*halves(done.flat[order])) for order in shuffles]
    return {
        "gradient_cosine": cosine(*halves(done.flat)),
        "gradient_cosine_null_mean": float(np.mean(chance)),
        "gradient_cosine_null_std": float(np.std(chance)),
    }


def reward_r2(batch: Batch) -> dict[str, float | None]:
    """A regression of the reward on observation, action and their squares, on the other half."""
    inputs = np.concatenate([batch.raw, batch.actions], axis=-1).astype(float)
    inputs = np.concatenate([inputs, inputs**2, np.ones((*inputs.shape[:2], 1))], axis=-1)
    x, y = inputs[:, ::2].reshape(-1, inputs.shape[-1]), batch.rewards[:, ::2].reshape(-1)
    x_test, y_test = inputs[:, 1::2].reshape(-1, inputs.shape[-1]), batch.rewards[:, 1::2].ravel()
    if not np.isfinite(batch.rewards).all() or np.ptp(y_test) == 0:
        return {"reward_r2": None}
    weights, *_ = np.linalg.lstsq(x, y, rcond=1e-6)
    error = y_test - x_test @ weights
    return {"reward_r2": float(1 - (error**2).mean() / y_test.var())}

"""The agent by the name and with the arguments that users of the guide know."""

from dataclasses import replace
from typing import Any

from torch import nn

from agent.config import Config
from agent.training import Training


def TRPOAgent(  # noqa: N802 the name users of the guide know
    env: Any,
    policy: nn.Module,
    *,
    max_kl: float = 0.01,
    damping: float = 0.1,
    gamma: float = 0.99,
    lam: float = 0.97,
    vf_iters: int = 10,
    vf_lr: float = 1e-3,
    cg_iters: int = 10,
    device: str = "cpu",
    iterations: int = 100,
    steps_per_iteration: int = 2048,
    seed: int = 0,
    critic: nn.Module | None = None,
) -> Training:
    """A training of your own policy in your own environment.

    `env`: a Gymnasium environment, a vectorised one, or an id (then 16 are made).
    `policy`: a module from normalised observations (batch, observation_dim) to mean and log σ, each
    broadcastable to (batch, action_dim). KL and line search ask it in float64, so it has to compute
    in the type of its parameters, and Fisher products differentiate it twice.
    `critic`: a module from the same observations to (batch,) or (batch, 1); none: a tanh network. It
    may share layers with the policy; then its fit moves the policy too, and `kl_drift` says how far.
    Both are put into evaluation mode: dropout would make two policies of one θ.
    Raises UserError for an environment it cannot learn in.
    """
    from agent.envs.gym import batch_of

    config = Config(
        max_kl=max_kl,
        damping=damping,
        gamma=gamma,
        lam=lam,
        vf_iters=vf_iters,
        vf_lr=vf_lr,
        cg_iters=cg_iters,
        device=device,
        iterations=iterations,
        steps_per_iteration=steps_per_iteration,
        warm_up_steps=steps_per_iteration,
        seed=seed,
    )
    batch = batch_of(env, config.environments)
    facts = batch.facts
    config = replace(
        config,
        env=facts.env_id or type(env).__name__,
        env_args=facts.env_args,
        environments=batch.worlds,
    )
    return Training(batch, policy, config, critic=critic)

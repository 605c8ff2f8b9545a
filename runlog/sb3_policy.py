"""The action distributions of a Stable-Baselines3 policy on a batch, and what an update did to them.

A distribution is a tuple of torch distributions whose factors are independent: one for Box, Discrete
and MultiBinary actions, one an action for MultiDiscrete. They are kept in float64, outside any graph.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from stable_baselines3.common.distributions import (
    BernoulliDistribution,
    CategoricalDistribution,
    DiagGaussianDistribution,
    MultiCategoricalDistribution,
    StateDependentNoiseDistribution,
)
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor
from torch.distributions import Bernoulli, Categorical, Distribution, Normal, kl_divergence

Factors = tuple[Distribution, ...]
_KNOWN = (
    DiagGaussianDistribution,
    StateDependentNoiseDistribution,
    CategoricalDistribution,
    MultiCategoricalDistribution,
    BernoulliDistribution,
)
SATURATED = 0.97
"""A hidden tanh beyond this counts as saturated."""


def measurable(policy: Any) -> bool:
    """Whether the policy's distribution can be asked for on a batch, without masks or memory."""
    plain = isinstance(policy, ActorCriticPolicy) and not hasattr(policy, "lstm_actor")
    return plain and not policy.squash_output and isinstance(policy.action_dist, _KNOWN)


def factors_of(distribution: Any) -> Factors:
    """The factors of what `policy.get_distribution` returned, in its own precision and graph."""
    inner = distribution.distribution
    return tuple(inner) if isinstance(inner, list) else (inner,)


def frozen(distribution: Any) -> Factors:
    """A copy of what `policy.get_distribution` returned."""
    return tuple(map(_double, factors_of(distribution)))


def _double(factor: Distribution) -> Distribution:
    # Checks are off: a NaN is what the log is there to show.
    if isinstance(factor, Normal):
        return Normal(_own(factor.loc), _own(factor.scale), validate_args=False)
    if isinstance(factor, Categorical):
        return Categorical(logits=_own(factor.logits), validate_args=False)
    if isinstance(factor, Bernoulli):
        return Bernoulli(logits=_own(factor.logits), validate_args=False)
    raise TypeError(f"no KL is known for {type(factor).__name__}")


@contextmanager
def standing_at(parameters: dict[str, torch.nn.Parameter], theta: Tensor) -> Iterator[None]:
    """The parameters are those of `theta`, (n,) as `flat` gives them, and afterwards what they were."""
    before = [p.detach().clone() for p in parameters.values()]
    sizes = [p.numel() for p in before]
    with torch.no_grad():
        try:
            for p, part in zip(parameters.values(), torch.split(theta, sizes), strict=True):
                p.copy_(part.view_as(p))
            yield
        finally:
            for p, kept in zip(parameters.values(), before, strict=True):
                p.copy_(kept)


def _own(values: Tensor) -> Tensor:
    return values.detach().cpu().double()


def _joint(values: Iterable[Tensor]) -> Tensor:
    """Sum over factors and action dimensions, (batch,)."""
    return torch.stack([v if v.dim() == 1 else v.sum(dim=1) for v in values]).sum(dim=0)


def kl(old: Factors, new: Factors) -> Tensor:
    """KL(old‖new) of the joint action, (batch,) nats."""
    return _joint(kl_divergence(p, q) for p, q in zip(old, new, strict=True))


def entropy(factors: Factors) -> Tensor:
    """Entropy of the joint action, (batch,) nats."""
    return _joint(p.entropy() for p in factors)


def log_prob(factors: Factors, actions: Tensor) -> Tensor:
    """Log-probability of `actions`, (batch, dimensions) as the rollout buffer keeps them, (batch,)."""
    if isinstance(factors[0], Categorical):
        columns = actions.reshape(len(actions), -1).unbind(dim=1)
        return _joint(p.log_prob(a) for p, a in zip(factors, columns, strict=True))
    return _joint(p.log_prob(actions) for p in factors)


def averaged_dimensions(factors: Factors) -> int:
    """Over how many action dimensions sb3-contrib averages a KL it does not sum."""
    return int(factors[0].batch_shape[-1]) if len(factors[0].batch_shape) == 2 else 1


def parameters_behind(policy: ActorCriticPolicy, output: Tensor) -> dict[str, torch.nn.Parameter]:
    """The parameters that `output`, a number inside its graph, depends on, by name."""
    named = {name: p for name, p in policy.named_parameters() if p.requires_grad}
    found = torch.autograd.grad(output, list(named.values()), allow_unused=True)
    pairs = zip(named.items(), found, strict=True)
    return {name: p for (name, p), gradient in pairs if gradient is not None}


def actor_output(policy: ActorCriticPolicy, observations: Any) -> Tensor:
    """A number that depends on every parameter of the actor."""
    factors = factors_of(policy.get_distribution(observations))
    return torch.stack([part.sum() for factor in factors for part in _parts(factor)]).sum()


def _parts(factor: Distribution) -> tuple[Tensor, ...]:
    if isinstance(factor, Normal):
        return factor.loc, factor.scale
    if isinstance(factor, Categorical | Bernoulli):
        return (factor.logits,)
    raise TypeError(f"no KL is known for {type(factor).__name__}")


def gradient_norms(
    policy: ActorCriticPolicy,
    observations: Any,
    actions: Tensor,
    advantages: Tensor,
    actor: dict[str, torch.nn.Parameter],
) -> tuple[float, ...]:
    """Norm of the surrogate's gradient at the policy as it is, by parameter tensor."""
    here = log_prob(factors_of(policy.get_distribution(observations)), actions.to(policy.device))
    surrogate = (advantages.to(policy.device) * (here - here.detach()).exp()).mean()
    found = torch.autograd.grad(surrogate, list(actor.values()))
    return tuple(float(gradient.double().norm()) for gradient in found)


def flat(parameters: Iterable[Tensor]) -> Tensor:
    """The parameters as one vector, float64, (parameters,)."""
    return torch.cat([_own(p).reshape(-1) for p in parameters])


def sampler(policy: ActorCriticPolicy, observations: Any) -> tuple[Factors, float | None]:
    """The policy on the batch, and the share of its hidden tanh units that are saturated."""
    shares: list[float] = []

    def note(_module: Any, _inputs: Any, output: Tensor) -> None:
        shares.append(float((output.abs() > SATURATED).double().mean()))

    hooks = [
        module.register_forward_hook(note)
        for name, module in policy.named_modules()
        if isinstance(module, torch.nn.Tanh) and "value" not in name
    ]
    try:
        with torch.no_grad():
            factors = frozen(policy.get_distribution(observations))
    finally:
        for hook in hooks:
            hook.remove()
    return factors, sum(shares) / len(shares) if shares else None


def sampling_columns(factors: Factors, low: Any, high: Any) -> dict[str, float]:
    """Entropy and spread of the policy that sampled; `low`, `high`: bounds of Box actions."""
    row = {"entropy": float(entropy(factors).mean())}
    if not isinstance(factors[0], Normal):
        return row
    log_std, mean = factors[0].scale.log(), factors[0].loc
    outside = (mean < torch.as_tensor(low)) | (mean > torch.as_tensor(high))
    return row | {
        "entropy_per_dimension": row["entropy"] / mean.shape[1],
        "log_std_mean": float(log_std.mean()),
        "log_std_min": float(log_std.min()),
        "log_std_max": float(log_std.max()),
        "action_mean_clip_fraction": float(outside.double().mean()),
    }


def change_columns(
    old: Factors, new: Factors, actions: Tensor, stored: Tensor, advantages: Tensor
) -> dict[str, Any]:
    """What the update did to the policy, on the whole batch.

    `stored`: (batch,) log-probabilities kept when sampling. `advantages`: (batch,) as the gradient
    uses them.
    """
    advantages = _own(advantages)
    before, after = log_prob(old, actions) - stored, log_prob(new, actions) - stored
    ratio_before, ratio, log_ratio = before.exp(), after.exp(), after - before
    return {
        "kl": float(kl(old, new).mean()),
        "entropy_after": float(entropy(new).mean()),
        "ratio_before_mean": float(ratio_before.mean()),
        "ratio_before_std": float(ratio_before.std(correction=0)),
        "ratio_mean": float(ratio.mean()),
        "ratio_std": float(ratio.std(correction=0)),
        "log_ratio_std": float(log_ratio.std(correction=0)),
        "advantage_log_ratio_mean": float((advantages * log_ratio).mean()),
        "effective_sample_size": float(ratio.sum() ** 2 / (len(ratio) * (ratio**2).sum())),
        "policy_loss_before": -float((advantages * ratio_before).mean()),
        "policy_loss": -float((advantages * ratio).mean()),
    }

"""The plain trainer's mistakes, each where it is made in practice: one line of the script is wrong."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from independent.plain_batch import Array, Batch
from independent.plain_trpo import Trainer, conjugate_gradient
from independent.worlds import SPOILT
from torch import Tensor, nn
from torch.distributions import kl_divergence

Mistake = Callable[[Trainer], None]


def _late_mask(batch: Batch, gamma: float, lam: float) -> Array:
    """The masks are those of the next step, as where a flag says that an episode *begins*."""
    worth, ended = batch.next_values, batch.terminated | batch.truncated
    terminated = np.roll(batch.terminated, -1, axis=0)
    delta = batch.rewards + gamma * worth * ~terminated - batch.values
    return _discounted(delta, gamma * lam * ~np.roll(ended, -1, axis=0))


def _next_reward(batch: Batch, gamma: float, lam: float) -> Array:
    """rewards[t + 1] where rewards[t] is meant."""
    worth, ended = batch.next_values * ~batch.terminated, batch.terminated | batch.truncated
    delta = np.roll(batch.rewards, -1, axis=0) + gamma * worth - batch.values
    return _discounted(delta, gamma * lam * ~ended)


def _flipped(batch: Batch, gamma: float, lam: float) -> Array:
    """V(s) − r − γV(s') as the difference."""
    worth, ended = batch.next_values * ~batch.terminated, batch.terminated | batch.truncated
    return _discounted(batch.values - batch.rewards - gamma * worth, gamma * lam * ~ended)


def _discounted(delta: Array, factor: Array) -> Array:
    found, carry = np.zeros_like(delta), np.zeros(delta.shape[1])
    for t in reversed(range(len(delta))):
        carry = delta[t] + factor[t] * carry
        found[t] = carry
    return found


def _set(**changed: Any) -> Mistake:
    """Settings that make no sense."""

    def put_in(trainer: Trainer) -> None:
        for name, value in changed.items():
            setattr(trainer.settings, name, value)

    return put_in


def _replace(name: str, made: Callable[[Trainer], Any]) -> Mistake:
    """One of the trainer's functions is another one."""
    return lambda trainer: setattr(trainer, name, made(trainer))


def _instead(trainer: Trainer, **functions: Callable[..., Any]) -> None:
    """Functions of the trainer's are others from now on."""
    for name, function in functions.items():
        setattr(trainer, name, function)


def _world(name: str) -> Mistake:
    return lambda trainer: SPOILT[name](trainer.worlds)


def _blown_up(trainer: Trainer) -> None:
    """Metres become millimetres under a normaliser that was loaded and no longer learns."""
    if trainer.iteration == 0:
        for _ in range(2):
            trainer.learn_scale(trainer.sample())
        trainer.timesteps = trainer.episodes = 0
    trainer.settings.normalise_observations = True
    _instead(trainer, learn_scale=lambda _: None)
    _world("observation-blow-up")(trainer)


def _duplicates(trainer: Trainer) -> None:
    """One seed and one draw of noise for all environments."""
    size = trainer.settings.environments
    trainer.seen, _ = trainer.vector.reset(seed=[trainer.settings.seed] * size)
    trainer.running[:] = 0.0

    def draw(mean: Tensor) -> Tensor:
        return mean + trainer.policy.log_std.exp() * torch.randn(mean.shape[-1])

    _instead(trainer, draw=draw)


def _synchronise_late(trainer: Trainer) -> None:
    """The copy of the old policy is refreshed before the update, and the update before that."""
    waiting = [copy.deepcopy(trainer.policy.state_dict())]

    def synchronise() -> None:
        trainer.old_policy.load_state_dict(waiting.pop())
        waiting.append(copy.deepcopy(trainer.policy.state_dict()))

    _instead(trainer, synchronise=synchronise)


def _critic_first(trainer: Trainer) -> None:
    """The critic learns the batch's returns by heart, and then says what was better than expected."""

    def estimate(batch: Batch) -> None:
        sampled = batch.values, batch.next_values
        Trainer.estimate(trainer, batch)
        for _ in range(3):
            Trainer.fit_critic(trainer, batch)
        batch.values, batch.next_values = trainer.values(batch)
        Trainer.estimate(trainer, batch)
        batch.values, batch.next_values = sampled

    _instead(trainer, estimate=estimate, fit_critic=lambda _: None)


def _shared_optimiser(trainer: Trainer) -> None:
    """One optimiser for both networks, and one loss, as in actor-critic."""
    optimiser = torch.optim.Adam(trainer.critic.parameters(), lr=trainer.settings.vf_lr)
    optimiser.add_param_group({"params": list(trainer.policy.parameters()), "lr": 3e-4})

    def fit_critic(batch: Batch) -> None:
        targets = torch.from_numpy(batch.targets).float()
        actions = torch.from_numpy(batch.actions)
        advantages = trainer.flatten(batch.advantages).view(targets.shape)
        for _ in range(trainer.settings.vf_iters):
            optimiser.zero_grad()
            logp = trainer.policy(batch.observations).log_prob(actions)
            errors = (trainer.critic(batch.observations)[..., 0] - targets).square()
            (errors.mean() - (logp * advantages).mean()).backward()
            optimiser.step()

    _instead(trainer, fit_critic=fit_critic)


def _detached_body(trainer: Trainer) -> None:
    """The body's features are cut off, as where it is frozen for a warm start and never thawed."""
    policy = trainer.policy
    vars(policy)["mean"] = lambda states: policy.head(policy.body(states).detach())


def _swapped_arguments(trainer: Trainer) -> None:
    """The number of iterations is handed on as the tolerance, which is taken as it stands."""
    limit = trainer.settings.cg_iters

    def solve(product: Callable[[Tensor], Tensor], g: Tensor) -> Any:
        return conjugate_gradient(product, g, 10, float(limit))

    _instead(trainer, solve=solve)


def _no_kl_check(trainer: Trainer) -> None:
    """√δ is taken for δ, and the search looks at the improvement alone."""
    limit = trainer.settings.max_kl
    _instead(
        trainer,
        length=lambda curvature: float((2 * limit**0.5 / curvature) ** 0.5),
        accepts=lambda gain, _: gain > 0,
    )


def _change(change: Callable[[Trainer], Any]) -> Mistake:
    """The policy's parameters are changed once."""

    def put_in(trainer: Trainer) -> None:
        with torch.no_grad():
            change(trainer)

    return put_in


def _cut_off(_: Trainer) -> Any:
    return lambda policy, actions: policy.log_prob(actions).detach().requires_grad_()


def _transposed(trainer: Trainer) -> Any:
    return lambda advantages: Trainer.flatten(trainer, np.ascontiguousarray(advantages.T))


def _to_a_copy(trainer: Trainer) -> Any:
    spare = copy.deepcopy(trainer.policy)
    return lambda theta: nn.utils.vector_to_parameters(theta, spare.parameters())


def _against_itself(_: Trainer) -> Any:
    return lambda _, new: kl_divergence(new, new).mean()


def _less_damping(trainer: Trainer) -> Any:
    twice = 2 * trainer.settings.damping
    return lambda slope, p: Trainer.fisher_product(trainer, slope, p) - twice * p


def _upside_down(trainer: Trainer) -> Any:
    limit = trainer.settings.kl_margin * trainer.settings.max_kl
    return lambda gain, kl: gain > 0 and kl > limit


FAULTS: Mapping[str, Mistake] = {
    **{name: _world(name) for name in SPOILT if name != "observation-blow-up"},
    "observation-blow-up": _blown_up,
    "duplicate-environments": _duplicates,
    "self-referential-kl": _replace("kl", _against_itself),
    "stale-old-policy": _synchronise_late,
    "parameters-not-applied": _replace("put", _to_a_copy),
    "gae-done-mask": _replace("gae", lambda _: _late_mask),
    "gae-reward-shift": _replace("gae", lambda _: _next_reward),
    "flipped-advantages": _replace("gae", lambda _: _flipped),
    "transposed-advantages": _replace("flatten", _transposed),
    "wrong-step-length": _replace(
        "length", lambda trainer: lambda c: (trainer.settings.max_kl / c) ** 0.5
    ),
    "shared-optimiser": _shared_optimiser,
    "critic-first": _critic_first,
    "detached-gradient": _replace("log_prob", _cut_off),
    "partly-dead-gradient": _detached_body,
    "noiseless-sampling": _replace("draw", lambda _: torch.clone),
    "flipped-line-search": _replace("gain", lambda _: lambda after, before: float(before - after)),
    "absolute-cg-tolerance": _swapped_arguments,
    "wrong-sign-damping": _replace("fisher_product", _less_damping),
    "singular-fisher": _set(damping=0.0, cg_iters=100),
    "zero-step": _replace(
        "length", lambda trainer: lambda c: float(2 * trainer.settings.max_kl // c) ** 0.5
    ),
    "tiny-max-kl": _set(max_kl=1e-14),
    "oversized-max-kl": _set(max_kl=5.0),
    "overdamped": _set(damping=1e5),
    "impossible-search": _replace("accepts", _upside_down),
    "unchecked-kl": _no_kl_check,
    "frozen-critic": _replace("fit_critic", lambda _: lambda _: None),
    "critic-on-costs": _replace("fit_targets", lambda _: lambda batch: -batch.targets),
    "collapsed-sigma": _change(lambda trainer: trainer.policy.log_std.data.fill_(-7.0)),
    "saturated-policy": _change(
        lambda trainer: [weights.mul_(100.0) for weights in trainer.policy.body.parameters()]
    ),
    "saturated-actions": _change(lambda trainer: trainer.policy.head.bias.fill_(20.0)),
}
"""What puts each fault in, between two iterations."""

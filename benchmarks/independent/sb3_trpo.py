"""sb3-contrib's TRPO, logged by the callback, with the mistakes its users can make around it."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from independent.worlds import SPOILT, World
from sb3_contrib import TRPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize
from torch import Tensor

Mistake = Callable[[Any], None]


def trainer(env: str, seed: int, **settings: Any) -> Any:
    """A trainer on four normalised environments; `settings` are TRPO's own."""
    vector = make_vec_env(env, 4, seed=seed, wrapper_class=World)
    normalised = VecNormalize(vector, norm_reward=False)
    chosen: dict[str, Any] = {"n_steps": 256, "device": "cpu", "seed": seed} | settings
    return TRPO("MlpPolicy", normalised, **chosen)


class Onset(BaseCallback):
    """Puts a mistake in before an iteration; named after RunLogCallback, whose row is done then."""

    def __init__(self, mistake: Mistake, iteration: int) -> None:
        super().__init__()
        self._mistake, self._left = mistake, iteration

    def _on_rollout_start(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._mistake(self.model)

    def _on_step(self) -> bool:
        return True


def _set(**changed: Any) -> Mistake:
    def put_in(model: Any) -> None:
        for name, value in changed.items():
            setattr(model, name, value)

    return put_in


def _world(name: str) -> Mistake:
    return lambda model: SPOILT[name](model.get_env().venv.envs)


def _blown_up(model: Any) -> None:
    """Metres become millimetres under a normaliser that was loaded and no longer learns."""
    env = model.get_env()
    if model.num_timesteps == 0:
        env.reset()
        for _ in range(256):
            env.step([env.action_space.sample() for _ in range(env.num_envs)])
    env.training = False
    _world("observation-blow-up")(model)


def _duplicates(model: Any) -> None:
    """One seed and one draw of noise for all environments."""
    policy, env = model.policy, model.get_env()

    def forward(observations: Tensor) -> Any:
        found = policy.get_distribution(observations)
        normal = found.distribution
        actions = normal.mean + normal.stddev * torch.randn(normal.mean.shape[-1])
        return actions, policy.predict_values(observations), found.log_prob(actions)

    policy.forward = forward
    env.venv._seeds = [model.seed] * env.num_envs
    if model.num_timesteps:
        model._last_obs = env.reset()
        model._last_episode_starts = np.ones(env.num_envs, dtype=bool)


def _stale(model: Any) -> None:
    """The actors get the weights of before each update instead of those of after it."""
    policy, train = model.policy, model.train
    actor = copy.deepcopy(policy)

    def forward(observations: Tensor) -> Any:
        actions, _, log_prob = actor(observations)
        return actions, policy.predict_values(observations), log_prob

    def learn() -> None:
        before = copy.deepcopy(policy.state_dict())
        train()
        actor.load_state_dict(before)

    policy.forward, model.train = forward, learn


def _advantages(made: Callable[[Any, int], tuple[Any, Any, Any, int]]) -> Mistake:
    """A buffer's own GAE. `made`: buffer, step → what is added, V(s'), whether it goes on, sign."""

    def put_in(model: Any) -> None:
        buffer = model.rollout_buffer

        def compute(last_values: Tensor, dones: Any) -> None:
            buffer.last = last_values.numpy().flatten(), 1.0 - dones
            carry = 0.0
            for step in reversed(range(buffer.buffer_size)):
                reward, following, goes_on, sign = made(buffer, step)
                delta = reward + buffer.gamma * following * goes_on - buffer.values[step]
                carry = delta + buffer.gamma * buffer.gae_lambda * goes_on * carry
                buffer.advantages[step] = sign * carry
            buffer.returns = buffer.advantages + buffer.values

        buffer.compute_returns_and_advantage = compute

    return put_in


def _following(buffer: Any, step: int) -> tuple[Any, Any]:
    """V(s') and whether the episode goes on."""
    if step == buffer.buffer_size - 1:
        return buffer.last[0], buffer.last[1]
    return buffer.values[step + 1], 1.0 - buffer.episode_starts[step + 1]


def _early_mask(buffer: Any, step: int) -> tuple[Any, Any, Any, int]:
    """episode_starts[t] where episode_starts[t + 1] is meant."""
    following, _ = _following(buffer, step)
    return buffer.rewards[step], following, 1.0 - buffer.episode_starts[step], 1


def _next_reward(buffer: Any, step: int) -> tuple[Any, Any, Any, int]:
    """rewards[t + 1] where rewards[t] is meant."""
    return buffer.rewards[(step + 1) % buffer.buffer_size], *_following(buffer, step), 1


def _negative(buffer: Any, step: int) -> tuple[Any, Any, Any, int]:
    """V(s) − target for target − V(s)."""
    return buffer.rewards[step], *_following(buffer, step), -1


def _critic_first(model: Any) -> None:
    """The critic learns the batch's returns by heart, and then says what was better than expected."""
    buffer, policy = model.rollout_buffer, model.policy
    compute = buffer.compute_returns_and_advantage
    optimiser = torch.optim.Adam(policy.parameters(), lr=3e-3)

    def compute_late(last_values: Tensor, dones: Any) -> None:
        sampled = buffer.values
        compute(last_values, dones)
        observations, returns = map(torch.from_numpy, (buffer.observations, buffer.returns))
        seen = observations.flatten(0, 1)
        for _ in range(120):
            optimiser.zero_grad()
            (policy.predict_values(seen)[:, 0] - returns.flatten()).square().mean().backward()
            optimiser.step()
        with torch.no_grad():
            buffer.values = policy.predict_values(seen).numpy().reshape(sampled.shape)
            last = policy.predict_values(policy.obs_to_tensor(model._last_obs)[0])
        compute(last, dones)
        buffer.values = sampled

    buffer.compute_returns_and_advantage = compute_late


def _shared_optimiser(model: Any) -> None:
    """An actor-critic loss is minimised as well, by an optimiser that also holds the policy."""
    policy, buffer, train = model.policy, model.rollout_buffer, model.train
    optimiser = torch.optim.Adam(policy.parameters(), lr=3e-4)

    def learn() -> None:
        train()
        names = ("observations", "actions", "advantages", "returns")
        seen, actions, advantages, returns = (
            torch.as_tensor(getattr(buffer, name)).squeeze(-1) for name in names
        )
        standard = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        for _ in range(40):
            values, log_prob, _ = policy.evaluate_actions(seen, actions)
            optimiser.zero_grad()
            loss = (values[:, 0] - returns).square().mean() - (log_prob * standard).mean()
            loss.backward()
            optimiser.step()

    model.train = learn


def _gradient(factor: float) -> Mistake:
    """The surrogate's gradient times a factor: −1 for a loss taken as an objective, 0 for no graph."""

    def put_in(model: Any) -> None:
        compute = model._compute_actor_grad

        def wrong(kl: Tensor, objective: Tensor) -> Any:
            parameters, gradient, slope, shapes = compute(kl, objective)
            return parameters, factor * gradient, slope, shapes

        model._compute_actor_grad = wrong

    return put_in


def _less_damping(model: Any) -> None:
    """Fv − λv."""
    product = model.hessian_vector_product

    def wrong(parameters: Any, slope: Tensor, vector: Tensor, retain_graph: bool = True) -> Any:
        return product(parameters, slope, vector, retain_graph) - 2 * model.cg_damping * vector

    model.hessian_vector_product = wrong


def _noiseless(model: Any) -> None:
    """Actions are sampled as in an evaluation."""
    model.policy.forward = partial(model.policy.forward, deterministic=True)


def _on_costs(model: Any) -> None:
    """The critic is fitted to costs, the advantages take its values for rewards."""
    read = model.rollout_buffer._get_samples

    def wrong(indices: Any, env: Any = None) -> Any:
        samples = read(indices, env)
        return samples._replace(returns=-samples.returns)

    model.rollout_buffer._get_samples = wrong


def _change(change: Callable[[Any], Any]) -> Mistake:
    """The policy's parameters are changed once."""

    def put_in(model: Any) -> None:
        with torch.no_grad():
            change(model.policy)

    return put_in


FAULTS: Mapping[str, Mistake] = {
    **{name: _world(name) for name in SPOILT if name != "observation-blow-up"},
    "observation-blow-up": _blown_up,
    "duplicate-environments": _duplicates,
    "stale-old-policy": _stale,
    "gae-done-mask": _advantages(_early_mask),
    "gae-reward-shift": _advantages(_next_reward),
    "flipped-advantages": _advantages(_negative),
    "critic-first": _critic_first,
    "shared-optimiser": _shared_optimiser,
    "detached-gradient": _gradient(0.0),
    "flipped-gradient": _gradient(-1.0),
    "wrong-sign-damping": _less_damping,
    "noiseless-sampling": _noiseless,
    "singular-fisher": _set(cg_damping=0.0, cg_max_steps=100),
    "tiny-max-kl": _set(target_kl=1e-14),
    "oversized-max-kl": _set(target_kl=2.0),
    "overdamped": _set(cg_damping=1e5),
    "frozen-critic": _set(lr_schedule=lambda _: 0.0),
    "critic-on-costs": _on_costs,
    "collapsed-sigma": _change(lambda policy: policy.log_std.fill_(-7.0)),
    "saturated-policy": _change(
        lambda policy: [w.mul_(100.0) for w in policy.mlp_extractor.policy_net.parameters()]
    ),
    "saturated-actions": _change(lambda policy: policy.action_net.bias.fill_(20.0)),
}
"""What puts each fault in, between two iterations."""

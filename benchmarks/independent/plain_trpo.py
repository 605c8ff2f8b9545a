"""TRPO in plain torch, as somebody writes it who has never seen this project's agent."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from independent.plain_batch import Array, Batch, RunningScale, gae
from independent.plain_networks import Gaussian, Policy, tanh_layers
from independent.worlds import World
from torch import Tensor, nn
from torch.distributions import Independent, Normal, kl_divergence
from torch.nn.utils import parameters_to_vector, vector_to_parameters


@dataclass(kw_only=True)
class Settings:
    """What the trainer is told; sizes and learning rates are those of an ordinary script."""

    env: str
    seed: int
    environments: int = 4
    steps: int = 256  # of every environment in an iteration
    gamma: float = 0.99
    lam: float = 0.97
    max_kl: float = 0.01
    kl_margin: float = 1.5  # a candidate may reach this many times max_kl
    damping: float = 0.1
    cg_iters: int = 15
    cg_tolerance: float = 1e-10  # relative, on r·r
    shrink: float = 0.8
    candidates: int = 10
    vf_iters: int = 40
    vf_lr: float = 3e-3
    hidden: tuple[int, ...] = (64, 64)
    log_std: float = -0.5
    normalise_observations: bool = True


@dataclass
class Update:
    """What the update computed on its way; `flat`: the advantages as the gradient uses them."""

    theta: Tensor
    flat: Tensor
    logp_old: Tensor
    gradient: Tensor
    after_search: Tensor
    parts: tuple[Tensor | None, ...]
    direction: Tensor
    residuals: list[float]
    curvatures: list[float]
    curvature: float = float("nan")
    full_step: Tensor | None = None
    fractions: list[float] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)
    kls: list[float] = field(default_factory=list)
    accepted: bool = False


def conjugate_gradient(
    product: Callable[[Tensor], Tensor], g: Tensor, iterations: int, tolerance: float
) -> tuple[Tensor, list[float], list[float]]:
    """x with Ax ≈ g, ‖r‖/‖g‖ after each iteration and pᵀAp/pᵀp of each."""
    x, r, p = torch.zeros_like(g), g.clone(), g.clone()
    residuals: list[float] = []
    curvatures: list[float] = []
    rr = r @ r
    for _ in range(iterations):
        if float(rr) <= tolerance:
            break
        image = product(p)
        bent = p @ image
        step = rr / bent
        x += step * p
        r -= step * image
        curvatures.append(float(bent / (p @ p)))
        residuals.append(float(r.norm() / g.norm()))
        before, rr = rr, r @ r
        p = r + rr / before * p
    return x, residuals, curvatures


class Trainer:
    """Samples, estimates advantages, takes a trust-region step and fits the critic, in that order."""

    def __init__(self, settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.vector: Any = gymnasium.make_vec(
            settings.env,
            num_envs=settings.environments,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
            wrappers=[World],
        )
        self.seen, _ = self.vector.reset(seed=settings.seed)
        bounds: Any = self.vector.single_action_space
        self.low, self.high = bounds.low, bounds.high
        inputs = int(self.seen.shape[-1])
        self.policy = Policy(inputs, len(self.low), settings.hidden, settings.log_std)
        self.old_policy = copy.deepcopy(self.policy)
        body, width = tanh_layers(inputs, settings.hidden)
        self.critic = nn.Sequential(body, nn.Linear(width, 1))
        self.optimiser = torch.optim.Adam(self.critic.parameters(), lr=settings.vf_lr)
        self.scale = RunningScale(inputs)
        self.gae: Callable[[Batch, float, float], Array] = gae
        self.iteration = self.timesteps = self.episodes = 0
        self.running = np.zeros((2, settings.environments))  # return and length so far

    @property
    def worlds(self) -> list[World]:
        """The environments side by side."""
        return list(self.vector.envs)

    def tensor(self, observations: Array) -> Tensor:
        """Observations as the networks take them."""
        if self.settings.normalise_observations:
            return torch.from_numpy(self.scale(observations))
        return torch.from_numpy(np.asarray(observations, dtype=np.float32))

    def learn_scale(self, batch: Batch) -> None:
        self.scale.learn(batch.raw.reshape(-1, batch.raw.shape[-1]))

    def draw(self, mean: Tensor) -> Tensor:
        """Actions (environments, dimensions) around their mean."""
        return mean + self.policy.log_std.exp() * torch.randn_like(mean)

    def sample(self) -> Batch:
        """One batch, and the critic's values of all it met."""
        steps: list[tuple[Array, ...]] = []
        returns: list[float] = []
        lengths: list[int] = []
        for _ in range(self.settings.steps):
            with torch.no_grad():
                action = self.draw(self.policy.mean(self.tensor(self.seen))).numpy()
            bounded = np.clip(action, self.low, self.high)
            following, reward, terminated, truncated, info = self.vector.step(bounded)
            reached = np.array(following)
            self.running += reward, np.ones_like(reward)
            for i in np.flatnonzero(terminated | truncated):
                reached[i] = info["final_obs"][i]
                returns.append(float(self.running[0, i]))
                lengths.append(int(self.running[1, i]))
                self.running[:, i] = 0.0
            steps.append((np.array(self.seen), reached, action, reward, terminated, truncated))
            self.seen = following
        raw, followed, *others = (np.array(each) for each in zip(*steps, strict=True))
        batch = Batch(raw, followed, *others, returns=returns, lengths=lengths)
        batch.observations = self.tensor(batch.raw)
        batch.values, batch.next_values = self.values(batch)
        self.timesteps += batch.rewards.size
        self.episodes += len(returns)
        return batch

    def values(self, batch: Batch) -> tuple[Array, Array]:
        """V of the batch's observations and of those that followed."""
        with torch.no_grad():
            here = self.critic(batch.observations)[..., 0]
            there = self.critic(self.tensor(batch.following))[..., 0]
        return here.double().numpy(), there.double().numpy()

    def estimate(self, batch: Batch) -> None:
        """Advantages and the critic's targets."""
        batch.advantages = self.gae(batch, self.settings.gamma, self.settings.lam)
        batch.targets = batch.advantages + batch.values

    def flatten(self, advantages: Array) -> Tensor:
        """(steps, environments) standardised, as one row of numbers in the order of the states."""
        flat = torch.from_numpy(advantages.reshape(-1)).float()
        return (flat - flat.mean()) / (flat.std() + 1e-8)

    def log_prob(self, distribution: Gaussian, actions: Tensor) -> Tensor:
        logp: Tensor = distribution.log_prob(actions)  # type: ignore[no-untyped-call]  # torch's
        return logp

    def kl(self, old: Gaussian, new: Gaussian) -> Tensor:
        """Mean KL(old‖new), summed over dimensions."""
        mean: Tensor = kl_divergence(old, new).mean()
        return mean

    def ascent(self, surrogate: Tensor) -> tuple[Tensor | None, ...]:
        """The surrogate's gradient by tensor; None where a tensor is not in its graph."""
        self.policy.zero_grad()
        torch.autograd.backward(-surrogate)
        return tuple(None if p.grad is None else -p.grad for p in self.policy.parameters())

    def slope_of_kl(self, states: Tensor) -> Tensor:
        """Gradient of KL at the policy itself: 0, but with a graph that can be differentiated."""
        here = self.policy(states)
        fixed = Independent(Normal(here.mean.detach(), here.stddev.detach()), 1)
        parameters = list(self.policy.parameters())
        found = torch.autograd.grad(
            kl_divergence(fixed, here).mean(), parameters, create_graph=True, allow_unused=True
        )
        return self.joined(found)

    def fisher_product(self, slope: Tensor, p: Tensor) -> Tensor:
        """(F + λI)p, by differentiating KL a second time."""
        parameters = list(self.policy.parameters())
        found = torch.autograd.grad(slope @ p, parameters, retain_graph=True, allow_unused=True)
        return self.joined(found) + self.settings.damping * p

    def joined(self, parts: Sequence[Tensor | None]) -> Tensor:
        """Gradients by tensor as one vector, 0 where there is none."""
        pairs = zip(parts, self.policy.parameters(), strict=True)
        return torch.cat([(torch.zeros_like(p) if d is None else d).reshape(-1) for d, p in pairs])

    def solve(self, product: Callable[[Tensor], Tensor], g: Tensor) -> Any:
        """The step's direction, with the conjugate gradient's residuals and curvatures."""
        relative = self.settings.cg_tolerance * float(g @ g)
        return conjugate_gradient(product, g, self.settings.cg_iters, relative)

    def length(self, curvature: float) -> float:
        """How many times the direction the full step is."""
        return (2 * self.settings.max_kl / curvature) ** 0.5 if curvature > 0 else float("nan")

    def put(self, theta: Tensor) -> None:
        """Make these the policy's parameters."""
        vector_to_parameters(theta, self.policy.parameters())

    def gain(self, after: Tensor, before: Tensor) -> float:
        """How much better a candidate's surrogate is."""
        return float(after - before)

    def accepts(self, gain: float, kl: float) -> bool:
        return gain > 0 and kl <= self.settings.kl_margin * self.settings.max_kl

    def synchronise(self) -> None:
        """The policy that sampled is the old one of this update."""
        self.old_policy.load_state_dict(self.policy.state_dict())

    def update(self, batch: Batch) -> Update:
        """One step of the policy, or none."""
        self.synchronise()
        states = batch.observations.reshape(-1, batch.observations.shape[-1])
        actions = torch.from_numpy(batch.actions.reshape(len(states), -1))
        flat = self.flatten(batch.advantages)
        with torch.no_grad():
            old = self.old_policy(states)
            logp_old: Tensor = old.log_prob(actions)

        def surrogate() -> Tensor:
            ratio = (self.log_prob(self.policy(states), actions) - logp_old).exp()
            return (ratio * flat).mean()

        theta = parameters_to_vector(self.policy.parameters()).detach().clone()
        before = surrogate()
        parts = self.ascent(before)
        g, slope = self.joined(parts), self.slope_of_kl(states)
        x, residuals, curvatures = self.solve(lambda p: self.fisher_product(slope, p), g)
        done = Update(theta, flat, logp_old, g, theta, parts, x, residuals, curvatures)
        if not bool(torch.isfinite(g).all()):
            return done
        done.curvature = float(x @ self.fisher_product(slope, x))
        done.full_step = self.length(done.curvature) * x
        if not bool(torch.isfinite(done.full_step).all()):
            return done
        with torch.no_grad():
            for number in range(self.settings.candidates):
                fraction = self.settings.shrink**number
                self.put(theta + fraction * done.full_step)
                kl = float(self.kl(old, self.policy(states)))
                gain = self.gain(surrogate(), before.detach())
                done.fractions.append(fraction)
                done.gains.append(gain)
                done.kls.append(kl)
                if self.accepts(gain, kl):
                    done.accepted = True
                    break
            else:
                self.put(theta)
        done.after_search = parameters_to_vector(self.policy.parameters()).detach().clone()
        return done

    def fit_targets(self, batch: Batch) -> Array:
        """What the critic is fitted to, (steps, environments)."""
        return batch.targets

    def fit_critic(self, batch: Batch) -> None:
        targets = torch.from_numpy(self.fit_targets(batch)).float()
        for _ in range(self.settings.vf_iters):
            self.optimiser.zero_grad()
            loss = (self.critic(batch.observations)[..., 0] - targets).square().mean()
            loss.backward()
            self.optimiser.step()

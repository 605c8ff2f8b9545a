"""Faults put in on purpose: each replaces one part of the agent or wraps its environment."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from agent import trust_region
from agent.advantages import Values
from agent.config import Config
from agent.envs.batch import Array, Batch, BatchStep, Facts, State
from agent.gaussian import Gaussian
from agent.linearised import Linearised
from agent.networks import Policy
from agent.parts import Experience, Gradient, Learned, Old, Phases
from agent.sampling import Floats, sample_action
from agent.training import Training
from agent.trust_region import Direction, Product
from runlog.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A way to break a training. `put_in(training, severity)` changes what is in force."""

    name: str
    code: str
    """The rule that finds it."""
    meaning: str
    severity: float
    put_in: Callable[[Training, float], None]


class RewardChanged:
    """A batch of worlds whose reward is another function of the true one, kept as the term `true`."""

    def __init__(self, batch: Batch, reward: Callable[[Array], Array]) -> None:
        self._batch = batch
        self._reward = reward

    @property
    def worlds(self) -> int:
        return self._batch.worlds

    @property
    def facts(self) -> Facts:
        return self._batch.facts

    def reset(self, seed: int) -> Array:
        return self._batch.reset(seed)

    def step(self, action: NDArray[np.float32]) -> BatchStep:
        step = self._batch.step(action)
        return replace(step, reward=self._reward(step.reward), reward_terms={"true": step.reward})

    def state(self) -> State | None:
        return self._batch.state()

    def restore(self, state: State) -> Array:
        return self._batch.restore(state)

    def close(self) -> None:
        self._batch.close()


def _constant_reward(training: Training, severity: float) -> None:
    training.batch = RewardChanged(training.batch, lambda reward: np.full_like(reward, severity))


def _nan_reward(training: Training, severity: float) -> None:
    def lost(reward: Array) -> Array:
        return np.where(np.arange(len(reward)) < severity, np.nan, reward)

    training.batch = RewardChanged(training.batch, lost)


def _critic_first(training: Training, severity: float) -> None:
    def critic_first(phases: Phases) -> Learned:
        fit = phases.critic(phases.advantages())
        advantages = phases.advantages()
        return Learned(advantages=advantages, step=phases.policy(advantages), fit=fit)

    epochs = max(1, round(training.config.vf_iters * severity))
    training.config = replace(training.config, vf_iters=epochs)
    training.parts = replace(training.parts, order=critic_first)


def _gae_done_mask(training: Training, severity: float) -> None:
    estimator, late = training.parts.advantages, round(severity)

    def shifted(
        *,
        reward: Array,
        values: Values,
        terminated: NDArray[np.bool_],
        ended: NDArray[np.bool_],
        gamma: float,
        lam: float,
    ) -> Array:
        return estimator(
            reward=reward,
            values=values,
            terminated=np.roll(terminated, late, axis=0),
            ended=np.roll(ended, late, axis=0),
            gamma=gamma,
            lam=lam,
        )

    training.parts = replace(training.parts, advantages=shifted)


def _detached_gradient(training: Training, _severity: float) -> None:
    def detached(at: Linearised, _action: Tensor, _old_log_prob: Tensor) -> Gradient:
        return lambda _advantage: tuple(None for _ in at.policy.names)

    training.parts = replace(training.parts, gradient=detached)


def _noiseless_sampling(training: Training, severity: float) -> None:
    def quiet(mean: Floats, log_std: Floats, noise: Floats) -> Floats:
        return sample_action(mean, log_std, np.float32(severity) * noise)

    training.parts = replace(training.parts, sample_action=quiet)


def _stale_old_policy(training: Training, _severity: float) -> None:
    freeze = training.parts.freeze

    def one_update_ago(
        policy: Policy, theta: Tensor, experience: Experience, _started: Gaussian
    ) -> Old:
        stale = training.memory.get("stale-old-policy", theta).to(theta)
        training.memory["stale-old-policy"] = theta
        then = policy.exactly(stale, experience.observation)
        return freeze(policy, stale, experience, then)

    training.parts = replace(training.parts, freeze=one_update_ago)


def _absolute_cg_tolerance(training: Training, severity: float) -> None:
    def absolute(product: Product, g: Tensor, iterations: int, _tolerance: float) -> Direction:
        return trust_region.solve(product, g, iterations, stop=severity)

    training.parts = replace(training.parts, conjugate_gradient=absolute)
    training.conventions |= {"cg_tolerance": severity, "cg_tolerance_kind": "absolute"}


def _singular_fisher(training: Training, severity: float) -> None:
    training.config = replace(training.config, damping=0.0, cg_iters=round(severity))


def _subtracted_damping(training: Training, severity: float) -> None:
    honest = training.parts.fisher_product

    def undamped(at: Linearised, damping: float) -> Product:
        return honest(at, -severity * damping)

    training.parts = replace(training.parts, fisher_product=undamped)


def _tiny_max_kl(training: Training, severity: float) -> None:
    training.config = replace(training.config, max_kl=severity)


def _wrong_step_length(training: Training, severity: float) -> None:
    full_step = training.parts.full_step

    def scaled(direction: Direction, max_kl: float) -> Tensor:
        return full_step(direction, max_kl) * severity

    training.parts = replace(training.parts, full_step=scaled)


def _parameters_not_applied(training: Training, severity: float) -> None:
    candidate = training.parts.candidate

    def kept(theta: Tensor, step: Tensor, fraction: float) -> Tensor:
        return candidate(theta, step, fraction * severity)

    training.parts = replace(training.parts, candidate=kept)


def _flipped_line_search(training: Training, _severity: float) -> None:
    surrogate = training.parts.surrogate

    def cost(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor) -> Tensor:
        return -surrogate(log_prob, old_log_prob, advantage)

    training.parts = replace(training.parts, surrogate=cost)


def _self_referential_kl(training: Training, _severity: float) -> None:
    kl = training.parts.kl
    training.parts = replace(training.parts, kl=lambda _old, new: kl(new, new))


def _fault(
    name: str,
    code: str,
    put_in: Callable[[Training, float], None],
    meaning: str,
    severity: float = 1.0,
) -> Fault:
    return Fault(name=name, code=code, meaning=meaning, severity=severity, put_in=put_in)


# fmt: off
FAULTS = {
    fault.name: fault
    for fault in (
        _fault("constant-reward", "TRPO101", _constant_reward, "every step pays SEVERITY"),
        _fault("zero-reward", "TRPO106", _constant_reward, "every step pays nothing", 0.0),
        _fault("nan-reward", "TRPO001", _nan_reward, "the first SEVERITY worlds pay NaN"),
        _fault("critic-first", "TRPO107", _critic_first, "the critic is fitted to the batch, SEVERITY times as long, before its advantages", 5.0),
        _fault("gae-done-mask", "TRPO005", _gae_done_mask, "episode ends enter the advantages SEVERITY steps late"),
        _fault("detached-gradient", "TRPO201", _detached_gradient, "log-probabilities are cut off from the parameters"),
        _fault("noiseless-sampling", "TRPO204", _noiseless_sampling, "actions are drawn with SEVERITY times the policy's noise", 0.0),
        _fault("stale-old-policy", "TRPO003", _stale_old_policy, "ratio and KL refer to the policy before the last update"),
        _fault("absolute-cg-tolerance", "TRPO301", _absolute_cg_tolerance, "the conjugate gradient stops at ‖r‖² ≤ SEVERITY", 100.0),
        _fault("subtracted-damping", "TRPO302", _subtracted_damping, "SEVERITY times the damping is taken off the Fisher product instead of added"),
        _fault("singular-fisher", "TRPO304", _singular_fisher, "no damping and SEVERITY conjugate-gradient iterations", 100.0),
        _fault("wrong-step-length", "TRPO007", _wrong_step_length, "the full step is SEVERITY times the right one", 0.5**0.5),
        _fault("tiny-max-kl", "TRPO402", _tiny_max_kl, "the trust region is SEVERITY", 1e-16),
        _fault("parameters-not-applied", "TRPO004", _parameters_not_applied, "candidates move SEVERITY times as far as they should", 0.0),
        _fault("flipped-line-search", "TRPO205", _flipped_line_search, "the search maximises the cost"),
        _fault("self-referential-kl", "TRPO002", _self_referential_kl, "KL compares the new policy with itself"),
    )
}
# fmt: on

_FORM = re.compile(r"(?P<name>[a-z-]+)(:(?P<severity>[^@]+))?(@(?P<iteration>\d+))?")


def parse(text: str) -> tuple[Fault, float, int]:
    """Fault, severity and first iteration of NAME[:SEVERITY][@ITERATION]; UserError otherwise."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise UserError(f"--fault {text}: write NAME[:SEVERITY][@ITERATION]")
    if match["name"] not in FAULTS:
        raise UserError(f"--fault {text}: no such fault; there are {', '.join(FAULTS)}")
    fault = FAULTS[match["name"]]
    try:
        severity = fault.severity if match["severity"] is None else float(match["severity"])
    except ValueError:
        severity = math.nan
    if not math.isfinite(severity):
        raise UserError(f"--fault {text}: {match['severity']} is no number")
    return fault, severity, int(match["iteration"] or 1)


def put_in(training: Training, faults: tuple[str, ...]) -> None:
    """Put the faults into a training, each from its iteration on.

    In the order of their iterations also where several are past: one that changes what another one
    made then does so in a run that goes on as it did in the run that was cut.
    """
    for fault, severity, iteration in sorted(map(parse, faults), key=lambda found: found[2]):

        def change(training: Training, fault: Fault = fault, severity: float = severity) -> None:
            fault.put_in(training, severity)

        training.at(iteration, change)


def check(config: Config) -> None:
    """UserError if a fault of the configuration is not one."""
    for text in config.fault:
        parse(text)

"""Faults put in on purpose: each replaces one part of the agent or wraps its environment."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from agent import faulty_advantages as advantages
from agent import faulty_critic as critic
from agent import faulty_direction as direction
from agent import faulty_gradient as gradient
from agent import faulty_motors as motors
from agent import faulty_policy as policy
from agent import faulty_signal as signal
from agent import faulty_step as step
from agent import faulty_world as world
from agent.config import Config
from agent.training import Training
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
        _fault("constant-reward", "TRPO101", world.constant_reward, "every step pays SEVERITY"),
        _fault("zero-reward", "TRPO106", world.constant_reward, "every step pays nothing", 0.0),
        _fault("masked-advantages", "TRPO106", signal.masked_advantages, "the mask of padded steps leaves out every step"),
        _fault("nan-reward", "TRPO001", world.nan_reward, "the first SEVERITY worlds pay NaN"),
        _fault("vanished-reward", "TRPO102", world.scaled_reward, "rewards are SEVERITY times what they were, and the critic keeps its unit", 1e-7),
        _fault("oversized-reward", "TRPO103", world.scaled_reward, "rewards are SEVERITY times what they were, and the critic keeps its unit", 1e6),
        _fault("random-reward", "TRPO104", world.random_reward, "rewards are drawn at random, with deviation SEVERITY"),
        _fault("instant-termination", "TRPO105", world.instant_termination, "every episode ends after SEVERITY steps", 2.0),
        _fault("observation-blow-up", "TRPO109", world.observation_blow_up, "observations are SEVERITY times what they were, and the normaliser stands still", 1e3),
        _fault("dead-observation", "TRPO110", world.dead_observation, "the first SEVERITY of the observation's dimensions read 0", 0.5),
        _fault("duplicate-environments", "TRPO111", world.duplicate_environments, "every world is the first one"),
        _fault("reward-scale-drift", "TRPO112", world.drifting_reward_scale, "the rewards' divisor is SEVERITY times as large from batch to batch", 0.85),
        _fault("critic-first", "TRPO107", critic.critic_first, "the critic is fitted to the batch, SEVERITY times as long, before its advantages", 5.0),
        _fault("gae-done-mask", "TRPO005", advantages.gae_done_mask, "episode ends enter the advantages SEVERITY steps late"),
        _fault("gae-truncation", "TRPO005", advantages.gae_truncation, "a truncated episode counts as one that reached a terminal state"),
        _fault("gae-reward-shift", "TRPO005", advantages.gae_reward_shift, "the advantages see the reward SEVERITY steps early"),
        _fault("flipped-advantages", "TRPO005", advantages.flipped_advantages, "the advantages have the wrong sign"),
        _fault("misaligned-advantages", "TRPO006", advantages.misaligned_advantages, "time and worlds are swapped when the advantages are flattened"),
        _fault("shuffled-gradient", "TRPO006", gradient.shuffled_gradient, "the gradient is taken with the advantages of other steps"),
        _fault("noisy-advantages", "TRPO207", advantages.noisy_advantages, "noise SEVERITY times as large is added to the advantages", 30.0),
        _fault("detached-gradient", "TRPO201", gradient.detached_gradient, "log-probabilities are cut off from the parameters"),
        _fault("gradient-spikes", "TRPO202", gradient.gradient_spikes, "the gradient of the last tensor is SEVERITY times too large", 1e4),
        _fault("squashed-mean", "TRPO203", signal.squashed_mean, "the mean action passes through a tanh whose input is SEVERITY too large", 4.0),
        _fault("saturated-policy", "TRPO803", policy.saturated_policy, "the first layer's weights are SEVERITY times too large", 100.0),
        _fault("noiseless-sampling", "TRPO204", policy.noiseless_sampling, "actions are drawn with SEVERITY times the policy's noise", 0.0),
        _fault("flipped-gradient", "TRPO205", gradient.flipped_gradient, "the gradient points downhill"),
        _fault("flipped-line-search", "TRPO205", step.flipped_line_search, "the search maximises the cost"),
        _fault("partly-dead-gradient", "TRPO206", gradient.partly_dead_gradient, "the first SEVERITY of the parameter tensors get no gradient", 0.7),
        _fault("stale-old-policy", "TRPO003", step.stale_old_policy, "ratio and KL refer to the policy before the last update"),
        _fault("absolute-cg-tolerance", "TRPO301", direction.absolute_cg_tolerance, "the conjugate gradient stops at ‖r‖² ≤ SEVERITY", 100.0),
        _fault("subtracted-damping", "TRPO302", direction.subtracted_damping, "SEVERITY times the damping is taken off the Fisher product instead of added"),
        _fault("stochastic-fisher", "TRPO302", direction.stochastic_fisher, "every Fisher product leaves out another SEVERITY of the parameters", 0.5),
        _fault("unconverged-cg", "TRPO303", direction.unconverged_cg, "the conjugate gradient's directions are not conjugate"),
        _fault("singular-fisher", "TRPO304", direction.singular_fisher, "no damping and SEVERITY conjugate-gradient iterations", 100.0),
        _fault("swamped-step", "TRPO401", step.swamped_step, "SEVERITY is added to the curvature that the step is divided by", 1e12),
        _fault("tiny-max-kl", "TRPO402", step.max_kl, "the trust region is SEVERITY", 1e-16),
        _fault("oversized-max-kl", "TRPO403", step.max_kl, "the trust region is SEVERITY", 5.0),
        _fault("overdamped", "TRPO404", direction.overdamped, "the damping is SEVERITY", 1e5),
        _fault("wrong-step-length", "TRPO007", step.wrong_step_length, "the full step is SEVERITY times the right one", 0.5**0.5),
        _fault("parameters-not-applied", "TRPO004", step.parameters_not_applied, "candidates move SEVERITY times as far as they should", 0.0),
        _fault("self-referential-kl", "TRPO002", step.self_referential_kl, "KL compares the new policy with itself"),
        _fault("impossible-search", "TRPO501", step.impossible_search, "the search accepts only what breaks the KL limit"),
        _fault("unchecked-kl", "TRPO502", step.unchecked_kl, "the step is SEVERITY times too long and the search does not look at KL", 4.0),
        _fault("summed-gradient", "TRPO503", signal.summed_gradient, "the gradient is added up SEVERITY times, the surrogate is not", 2.0),
        _fault("absolute-skip", "TRPO604", signal.absolute_skip, "updates are skipped while the raw advantages deviate by SEVERITY or less", 1e3),
        _fault("ignored-actions", "TRPO605", motors.ignored_actions, "the worlds act with 0, whatever they are told"),
        _fault("slow-worlds", "TRPO606", motors.slow_worlds, "every step of the worlds takes SEVERITY seconds longer", 0.02),
        _fault("pushed-policy", "TRPO008", policy.pushed_policy, "another optimiser moves the policy by SEVERITY of its norm", 0.2),
        _fault("frozen-critic", "TRPO701", critic.frozen_critic, "the critic is never fitted"),
        _fault("negated-targets", "TRPO702", critic.negated_targets, "the critic is fitted to −SEVERITY times its targets"),
        _fault("collapsed-sigma", "TRPO801", policy.collapsed_sigma, "log σ is set to SEVERITY", -7.0),
        _fault("saturated-actions", "TRPO804", policy.saturated_actions, "the mean action is shifted by SEVERITY", 20.0),
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

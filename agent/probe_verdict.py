"""What is wrong with a probed environment, and what is merely worth knowing before training in it."""

from collections.abc import Iterator

import numpy as np
from gymnasium.spaces import Box

from agent.envs.batch import Array
from agent.probe import Probe
from agent.probe_finding import Finding, walks
from agent.probe_reward import reward
from agent.probe_spaces import component, limits, measured
from agent.probe_walk import Spot, Walk

FAR = 1e3
"""An observation beyond this needs normalising more than most."""
NOISE = 0.75
"""Share of the rewards' variance; 1 is expected where they are nothing else."""
FEW = 10
"""Steps that tell something at least."""


def findings(of: Probe) -> tuple[Finding, ...]:
    """Everything to be said, what is wrong first."""
    parts = (raised, form, not_finite, reward, actions, episodes, observations, training)
    found = [finding for part in parts for finding in part(of)]
    return tuple(sorted(found, key=lambda finding: finding.level != "wrong"))


def actions_matter(of: Probe) -> bool | None:
    """Whether random actions lead elsewhere than none; None where chance alone may have done it."""
    if differ(of.random, of.zero) is not None:
        return True if deterministic(of) else None
    return False if min(of.random.steps, of.zero.steps) >= FEW else None


def deterministic(of: Probe) -> bool | None:
    """Whether the same seed and actions gave the same again, to the last bit."""
    if of.again is None or of.again.raised is not None:
        return None
    return differ(of.random, of.again) is None


def differ(a: Walk, b: Walk) -> int | None:
    """First step in which two walks differ, as far as both went; 0 is the reset."""
    pairs = enumerate(zip(a.seen, b.seen, strict=False))
    return next((step for step, (one, other) in pairs if one != other), None)


def raised(of: Probe) -> Iterator[Finding]:
    """The environment stopped by itself."""
    again = [("The random actions once more", of.again)] if of.again is not None else []
    for name, walk in (*walks(of), *again):
        if walk.raised is not None:
            old = "to unpack" in walk.raised
            do = (
                "return five values from step: observation, reward, terminated, truncated, info"
                if old
                else "mend what the traceback on standard error shows"
            )
            yield Finding(level="wrong", text=f"{name}: {walk.raised}.", do=do)
    if of.closing is not None:
        yield Finding(level="wrong", text=f"At the end {of.closing}.", do="mend close")


def form(of: Probe) -> Iterator[Finding]:
    """Observations that are not what the environment declares."""
    for name, walk in walks(of):
        if walk.misfit is not None:
            text = f"{name}: {walk.misfit}."
            yield Finding(
                level="wrong", text=text, do="make observation_space and reset/step agree"
            )
            return
    for name, walk in walks(of):
        if walk.outside is not None:
            text = f"{name}: {_where(of, walk.outside)}, outside the declared observation_space."
            yield Finding(
                level="remark", text=text, do="mend the bounds; training here does not use them"
            )
            return


def not_finite(of: Probe) -> Iterator[Finding]:
    """NaN or infinity, where it first came up."""
    for name, walk in walks(of):
        if walk.not_finite is not None:
            yield Finding(
                level="wrong",
                text=f"{name}: {_where(of, walk.not_finite)}.",
                do="find the division, root, logarithm or unstable simulation behind it;"
                " one such number makes every weight of the policy NaN",
                code="TRPO001",
            )


def actions(of: Probe) -> Iterator[Finding]:
    """Whether what is done matters, and whether it can be done again."""
    steps = min(of.random.steps, of.zero.steps)
    if actions_matter(of) is False:
        yield Finding(
            level="wrong",
            text=f"Actions change nothing: {steps:,} random and {steps:,} zero-action steps from the"
            " same seed are equal in every observation and reward.",
            do="check that step uses its argument",
        )
    elif deterministic(of) and _paid_regardless(of):
        yield Finding(
            level="wrong",
            text="The reward does not depend on the actions: random and zero ones are paid exactly"
            " the same, step by step, though they lead to different observations.",
            do="check what the reward is computed from; a constant with noise added looks like this",
        )
    if deterministic(of) is False and of.again is not None:
        yield _unrepeatable(of, of.again)
    allowed = limits(of.action_space)
    if isinstance(of.action_space, Box) and allowed is not None:
        if ((allowed[0] > 0) | (allowed[1] < 0)).any():
            text = "The action 0 is outside the action space; what lies nearest was taken."
            yield Finding(level="remark", text=text, do="centre the action space on 0")
        if np.isinf(allowed).any():
            text = "The action space has no bounds, so the random actions are normal, deviation 1."
            yield Finding(level="remark", text=text)


def _unrepeatable(of: Probe, again: Walk) -> Finding:
    """Chance of the environment's own; where it moves the rewards alone, how much of them it is."""
    do = "draw from self.np_random, and call super().reset(seed=seed) in reset; until then no run"
    do += " can be repeated"
    pairs = zip(of.random.seen, again.seen, strict=False)
    if any(one[0] != other[0] for one, other in pairs) or again.steps < FEW:
        text = f"The same seed and actions gave another result from step {differ(of.random, again)} on."
        return Finding(level="remark", text=text, do=do)
    paid, same = of.random.reward[: again.steps], again.reward
    # Two rewards of one state and action differ by twice the noise's variance.
    noise = float(np.mean((paid - same) ** 2) / (paid.var() + same.var()))
    text = "The same states and actions were paid differently a second time:"
    text += f" {min(noise, 1.0):.0%} of the rewards' variance is noise."
    if noise < NOISE:
        return Finding(level="remark", text=text, do=do)
    return Finding(
        level="wrong", text=text, do="mend the reward: noise alone cannot be learned from"
    )


def _paid_regardless(of: Probe) -> bool:
    """Whether the first episodes' rewards vary but are the same in both walks."""
    firsts = [walk.lengths[0] if walk.lengths else walk.steps for _, walk in walks(of)]
    shared = min(firsts)
    one, other = of.random.reward[:shared], of.zero.reward[:shared]
    varied = len(np.unique(one)) > 2
    return shared >= FEW and varied and bool(np.array_equal(one, other))


def episodes(of: Probe) -> Iterator[Finding]:
    """How long they last."""
    both = [walk for _, walk in walks(of) if walk.lengths]
    lengths = [length for walk in both for length in walk.lengths]
    if len(of.random.lengths) == of.random.steps > 1:
        yield Finding(
            level="wrong",
            text=f"Every one of the {of.random.steps:,} random episodes ends in its first step.",
            do="check the termination against the state that reset leaves",
        )
    elif len(of.zero.lengths) == of.zero.steps > 1:
        text = "With the action 0 every episode ends in its first step."
        yield Finding(level="remark", text=text)
    elif lengths and np.median(lengths) <= 2:
        text = f"Half of the {len(lengths)} episodes end within two steps."
        yield Finding(level="remark", text=text, do="check the termination against reset's state")
    if not lengths and of.horizon is None and of.random.steps:
        yield Finding(
            level="remark",
            text=f"No episode ended in {of.random.steps + of.zero.steps:,} steps, and no time limit"
            " is declared: training would show no return.",
            do="register it with max_episode_steps",
        )


def observations(of: Probe) -> Iterator[Finding]:
    """Numbers that tell nothing, or too much."""
    ranges = observed(of)
    if ranges is None or not of.random.steps:
        return
    low, high = ranges
    if not len(low):
        text = "The observation is empty: the policy is blind."
        yield Finding(level="wrong", text=text, do="declare and return what a policy is to see")
        return
    dead = (low == high) & measured(of.observation_space)
    if (low == high).all():
        text = f"The observation never changes (all {len(dead)} numbers): the policy is blind."
        yield Finding(level="wrong", text=text, do="check what step returns as the observation")
    elif dead.any():
        first = [component(of.observation_space, int(at)) for at in np.flatnonzero(dead)[:3]]
        more = ", ..." if dead.sum() > len(first) else ""
        text = f"{dead.sum()} of {len(dead)} numbers of the observation never change:"
        yield Finding(level="remark", text=f"{text} {', '.join(first)}{more}.")
    size = np.fmax(np.abs(low), np.abs(high))
    size = np.where(np.isfinite(size), size, 0.0)
    if size.max() > FAR:
        where = component(of.observation_space, int(np.argmax(size)))
        text = f"{where} reaches {size.max():.3g}."
        yield Finding(level="remark", text=text, do="leave --normalise-observations on")


def training(of: Probe) -> Iterator[Finding]:
    """What stands in the way of training, though the environment may be sound."""
    for text in of.warnings:
        yield Finding(
            level="remark",
            text=f"MuJoCo warned: {text}",
            do="take a smaller timestep, or smaller actions",
        )
    space = of.action_space
    if not isinstance(space, Box) or not np.issubdtype(space.dtype, np.floating):
        text = f"The actions are {space}: trpo-tui train needs continuous ones, a Box of floats."
        yield Finding(level="remark", text=text)
    if limits(of.observation_space) is None:
        text = f"The observations, {of.observation_space}, are no list of numbers: not looked into."
        yield Finding(level="remark", text=text)


def observed(of: Probe) -> tuple[Array, Array] | None:
    """Smallest and largest of each number of the observation (dim,), over both walks."""
    lows = [walk.low for _, walk in walks(of) if walk.low is not None]
    highs = [walk.high for _, walk in walks(of) if walk.high is not None]
    if not lows or not highs:
        return None
    return np.fmin.reduce(lows), np.fmax.reduce(highs)


def _where(of: Probe, spot: Spot) -> str:
    part = spot.part
    what = component(of.observation_space, part) if isinstance(part, int) else _paid(part)
    when = "after the reset" if spot.step == 0 else f"in step {spot.step:,}"
    return f"{what} is {spot.value:.6g} {when}"


def _paid(part: str) -> str:
    return "the reward" if part == "reward" else f"the reward's term {part}"

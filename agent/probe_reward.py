"""What is wrong with the rewards of a probed environment."""

from collections.abc import Iterator, Sequence

import numpy as np

from agent.envs.batch import Array
from agent.probe import Probe
from agent.probe_finding import Finding, walks

GUIDE = "Quick Fix 1"
"""The place in the debugging guide that this command carries out."""
EXPECTED = 0.01, 5.0
"""Reward of a step, as expected there."""
SCALED = 0.1
"""What it expects once the reward's scale is mended, at least."""
SAME = 4 * float(np.finfo(np.float32).eps)
"""Rewards that differ by less than this share of the largest are the same."""
OFTEN, DOMINANT, HALF = 0.9, 0.95, 0.5
LOST = 0.99, 0.9
"""Share of random and zero-action steps that pay next to nothing where the reward is lost."""
LARGE = 10.0
"""Rewards that should be normalised."""
STEEP = 100.0
"""How many times the usual reward the largest is where scale alone does not help."""
PRINT = "print the reward's terms for random actions and mend the one that should differ"


def reward(of: Probe) -> Iterator[Finding]:
    """What a step pays."""
    random, zero = (_finite(walk.reward) for _, walk in walks(of))
    paid = np.concatenate((random, zero))
    if len(paid) < 2:
        return
    low, high, size = paid.min(), paid.max(), np.abs(paid).max()
    if high - low <= SAME * size:
        yield _constant(of, paid)
        return
    first, share = most_common(paid)
    tiny = [(np.abs(each) < EXPECTED[0]).mean() if len(each) else 1.0 for each in (random, zero)]
    if size < EXPECTED[0] or (share < OFTEN and tiny[0] >= LOST[0] and tiny[1] >= LOST[1]):
        yield Finding(
            level="wrong",
            text=f"The reward is next to nothing: {(np.abs(paid) < EXPECTED[0]).mean():.1%} of the"
            f" steps pay less than {EXPECTED[0]}, the most {size:.3g}; expected {_expected()}.",
            do=_larger(random),
            code="TRPO102",
        )
        return
    if share >= OFTEN:
        yield _nearly_constant(of, first, share)
    elif tiny[0] >= HALF:
        yield Finding(
            level="remark",
            text=f"{tiny[0]:.0%} of the random steps pay less than {EXPECTED[0]}, the most"
            f" {np.abs(random).max():.3g}: a few steps hold nearly all of the return.",
            do="make the reward less steep: the mean of errors instead of their sum, or a smaller"
            " exponent",
            code="TRPO102",
        )
    elif (mean := float(np.abs(random).mean())) < SCALED:
        yield Finding(
            level="remark",
            text=f"The reward is small, {mean:.2g} a random step in size; the guide expects {SCALED}"
            f" to {EXPECTED[1]} once it is scaled (Expected Timeline).",
            do="scale it up, or --normalise-rewards",
            code="TRPO102",
        )
    yield from _outside(of, paid)
    yield from _terms(of)


def _larger(paid: Array) -> str:
    """What makes a reward of next to nothing larger."""
    usual = float(np.median(np.abs(paid))) if len(paid) else 0.0
    if usual * STEEP < np.abs(paid).max(initial=0.0):
        return (
            "take a smaller exponent, or the mean of errors instead of their sum; scale alone does"
            " not help where rewards differ by powers of ten"
        )
    return f"scale it up, to {SCALED} a step or more"


def _constant(of: Probe, paid: Array) -> Finding:
    """All rewards are the same."""
    value, ends = paid[0], of.random.terminated + of.zero.terminated
    always = f"The reward is exactly {value:.6g} in all {len(paid):,} steps"
    if value == 0:
        return Finding(
            level="wrong",
            text=f"{always}: nothing tells good actions from bad; expected {_expected()}.",
            do=f"if the reward is a rare one, try more --steps; otherwise {PRINT}",
            code="TRPO101",
        )
    # The declared return is reached by an episode of so many steps.
    wanted = None if of.solved_return is None else of.solved_return / value
    meant = wanted is not None and 0 < wanted <= (of.horizon or np.inf)
    if not ends and value < 0 and meant:
        return Finding(
            level="remark",
            text=f"{always}, and no episode ended early. It is meant so, solved is an episode of"
            f" {wanted:.0f} steps, but nothing can be learned before one ends.",
            do="see with more --steps whether chance finds an end; take large batches",
            code="TRPO101",
        )
    if not ends:
        return Finding(
            level="wrong",
            text=f"{always}, and no episode ended early: nothing tells good actions from bad;"
            f" expected are different rewards, {_expected()}.",
            do=f"if reaching something ends an episode, try more --steps; otherwise {PRINT}",
            code="TRPO101",
        )
    code = "TRPO108" if value > 0 else None
    if meant:
        longer = "long" if value > 0 else "short"
        return Finding(
            level="remark",
            text=f"{always}: only the length of an episode counts. It is meant so: solved is a"
            f" return of {of.solved_return:g}, episodes as {longer} as {wanted:.0f} steps.",
            code=code,
        )
    learned = "to stay alive" if value > 0 else "to end soon"
    text = f"{always} (the guide's {GUIDE}). Episodes end early, so a policy learns {learned}, and"
    if wanted is None:
        text, do = f"{text} nothing else.", f"nothing, if that is the task; otherwise {PRINT}"
    else:
        text, do = f"{text} not to return {of.solved_return:g}, which is declared solved.", PRINT
    return Finding(level="wrong", text=text, do=do, code=code)


def _nearly_constant(of: Probe, value: float, share: float) -> Finding:
    """Nearly all rewards are the same."""
    often = f"{share:.1%} of the steps pay exactly {value:.4g}"
    last = [np.isin(np.arange(walk.steps), np.cumsum(walk.lengths) - 1) for _, walk in walks(of)]
    others = [walk.reward != value for _, walk in walks(of)]
    if value and all((ends | ~other).all() for ends, other in zip(last, others, strict=True)):
        text = f"{often}, and only the last of an episode another: what counts is its length."
        return Finding(level="remark", text=text)
    return Finding(
        level="remark",
        text=f"{often}: a sparse reward.",
        do="take large batches: nothing is learned from one in which no other reward turns up",
    )


def _outside(of: Probe, paid: Array) -> Iterator[Finding]:
    """Rewards beyond what the guide expects, which need not be a fault."""
    low, high, mean = paid.min(), paid.max(), _finite(of.random.reward).mean()
    if low >= 0 and high <= EXPECTED[1]:
        return
    do = []
    if mean < 0 and of.random.terminated + of.zero.terminated:
        do.append("see that ending the episode early is not what pays best")
    if max(-low, high) > LARGE:
        do.append("large ones are hard on the critic: --normalise-rewards")
    text = f"Rewards from {low:.3g} to {high:.3g} a step, expected {_expected()}"
    text += "." if do else ": no fault in itself."
    yield Finding(level="remark", text=text, do="; ".join(do))


def _terms(of: Probe) -> Iterator[Finding]:
    names = sorted({*of.random.terms, *of.zero.terms})
    silent = [
        name
        for name in names
        if all(not walk.terms[name].any() for _, walk in walks(of) if name in walk.terms)
    ]
    if silent:
        text = f"Always 0: the reward's {'terms' if len(silent) > 1 else 'term'} {_list(silent)}."
        yield Finding(level="remark", text=text, do="check the weight and what it is computed from")
    for name, values in of.random.terms.items():
        share = of.random.share(name)
        if share >= DOMINANT and len(names) > 1 and np.ptp(values) <= SAME * np.abs(values).max():
            text = (
                f"The constant term {name} is {share:.0%} of the reward: the rest is hardly heard."
            )
            yield Finding(level="remark", text=text, do="weigh the others more")


def most_common(paid: Array) -> tuple[float, float]:
    """The reward that most steps pay exactly, and their share."""
    values, counts = np.unique(paid, return_counts=True)
    at = int(np.argmax(counts))
    return float(values[at]), float(counts[at] / len(paid))


def _finite(values: Array) -> Array:
    finite: Array = values[np.isfinite(values)]
    return finite


def _expected() -> str:
    return f"{EXPECTED[0]} to {EXPECTED[1]} a step (the guide's {GUIDE})"


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4])
    return shown + (", ..." if len(names) > 4 else "")

"""A probe as text for a terminal of 80 columns."""

import textwrap
from collections.abc import Callable, Sequence

import numpy as np
from gymnasium.spaces import Box

from agent.envs.batch import Array
from agent.probe import Probe
from agent.probe_finding import Finding
from agent.probe_reward import EXPECTED, most_common
from agent.probe_spaces import component, limits, measured
from agent.probe_verdict import actions_matter, deterministic, differ, observed
from agent.probe_walk import Walk

WIDTH = 80
LABEL, COLUMN = 28, 22
ANSWERS = {True: "yes", False: "no", None: "not known"}


def as_text(of: Probe, found: Sequence[Finding]) -> str:
    """Random and zero actions side by side, then the verdict."""
    arguments = "".join(f" {name}={value}" for name, value in of.env_args.items())
    lines = [*_wrapped(f"{of.env_id}{arguments}, seed {of.seed}"), ""]
    lines += _row("", "random actions", "zero action")
    lines += _both(of, "steps", lambda walk: f"{walk.steps:,}")
    lines += ["reward a step"]
    for label, measure in REWARD:
        lines += _both(of, f"  {label}", _of_reward(measure))
    lines += ["episodes"]
    for label, told in EPISODES:
        lines += _both(of, f"  {label}", told)
    lines += [*_terms(of), "", *_world(of), "", *_verdict(found)]
    return "\n".join(lines) + "\n"


def _mean(paid: Array) -> str:
    return _number(paid.mean())


def _equal(paid: Array) -> str:
    value, share = most_common(paid)
    return f"{share:.1%} are {_number(value)}" if share > 1 / len(paid) else "no two"


def _within(paid: Array) -> str:
    return f"{((paid >= EXPECTED[0]) & (paid <= EXPECTED[1])).mean():.1%}"


REWARD: Sequence[tuple[str, Callable[[Array], str]]] = (
    ("smallest", lambda paid: _number(paid.min())),
    ("mean", _mean),
    ("largest", lambda paid: _number(paid.max())),
    ("standard deviation", lambda paid: _number(paid.std())),
    ("exactly equal", _equal),
    (f"within {EXPECTED[0]}-{EXPECTED[1]} (guide)", _within),
)


def _of_reward(measure: Callable[[Array], str]) -> Callable[[Walk], str]:
    def told(walk: Walk) -> str:
        paid = walk.reward[np.isfinite(walk.reward)]
        return measure(paid) if len(paid) else "-"

    return told


def _lengths(walk: Walk) -> str:
    if not walk.lengths:
        return "-"
    return f"{min(walk.lengths)} / {np.median(walk.lengths):g} / {max(walk.lengths)}"


def _running(walk: Walk) -> str:
    return f"1, {walk.running:,} steps so far" if walk.running else "0"


EPISODES: Sequence[tuple[str, Callable[[Walk], str]]] = (
    ("terminated", lambda walk: f"{walk.terminated:,}"),
    ("truncated", lambda walk: f"{walk.truncated:,}"),
    ("still running", _running),
    ("length min/median/max", _lengths),
    ("mean return", lambda walk: _number(float(np.mean(walk.returns))) if walk.returns else "-"),
)


def _terms(of: Probe) -> list[str]:
    """Mean of each term, and its share of the terms' sizes; what they leave of the reward."""
    names = list(dict.fromkeys((*of.random.terms, *of.zero.terms)))
    if not names:
        return []
    lines = ["reward's terms, mean (share)"]
    for name in names:
        lines += _both(of, f"  {name}", lambda walk, name=name: _term(walk, name))  # type: ignore[misc]  # bound at once
    if any(np.abs(_rest(walk)).max(initial=0.0) > 1e-6 for walk in (of.random, of.zero)):
        lines += _both(of, "  what they leave of it", lambda walk: _number(_rest(walk).mean()))
    return lines


def _term(walk: Walk, name: str) -> str:
    values = walk.terms.get(name)
    if values is None or not len(values):
        return "-"
    return f"{_number(values.mean())} ({walk.share(name):.0%})"


def _rest(walk: Walk) -> Array:
    rest: Array = walk.reward - np.sum(list(walk.terms.values()), axis=0)
    return rest[np.isfinite(rest)]


def _world(of: Probe) -> list[str]:
    lines = _said("observation", _observation(of)) + _said("action", _action(of))
    limit = "none declared" if of.horizon is None else f"{of.horizon:,} steps"
    lines += _said("time limit", limit)
    if of.solved_return is not None:
        lines += _said("solved", f"at a return of {of.solved_return:g}, as declared")
    lines += _said("actions matter", _matter(of))
    lines += _said("repeatable", _repeatable(of))
    if of.random.seconds > 0 and of.random.steps:
        lines += _said(
            "speed", f"{of.random.steps / of.random.seconds:,.0f} steps a second, resets included"
        )
    return lines


def _observation(of: Probe) -> str:
    ranges, space = observed(of), of.observation_space
    counted = None if ranges is None else np.flatnonzero(measured(space))
    if ranges is None or counted is None or not len(counted):
        return str(space)
    low, high = ranges[0][counted], ranges[1][counted]
    size = np.nan_to_num(np.fmax(np.abs(low), np.abs(high)), posinf=np.inf)
    where = component(space, int(counted[np.argmax(size)]))
    return (
        f"{_numbers(len(low))} from {_number(np.fmin.reduce(low))} to"
        f" {_number(np.fmax.reduce(high))}, {int((low == high).sum())} that never change; the"
        f" largest is {where}"
    )


def _action(of: Probe) -> str:
    space, allowed = of.action_space, limits(of.action_space)
    if not isinstance(space, Box) or allowed is None:
        return str(space)
    low, high = allowed
    return f"{_numbers(len(low))} from {_span(low)} to {_span(high)}"


def _span(values: Array) -> str:
    least, most = _number(values.min()), _number(values.max())
    return least if least == most else f"{least}...{most}"


def _matter(of: Probe) -> str:
    answer = ANSWERS[actions_matter(of)]
    step = differ(of.random, of.zero)
    return answer if step is None else f"{answer}; random and zero ones differ from step {step} on"


def _repeatable(of: Probe) -> str:
    answer = ANSWERS[deterministic(of)]
    if of.again is None:
        return answer
    return f"{answer}, {of.again.steps} steps done again from the same seed"


def _verdict(found: Sequence[Finding]) -> list[str]:
    lines = []
    for finding in found:
        more = f" More: trpo-tui explain {finding.code}." if finding.code else ""
        do = f" To do: {finding.do}." if finding.do else ""
        label = "WRONG   " if finding.level == "wrong" else "remark  "
        lines += _wrapped(finding.text + do + more, label, " " * len(label))
    wrong = sum(finding.level == "wrong" for finding in found)
    end = f"{wrong} thing{'s' if wrong > 1 else ''} wrong." if wrong else "Nothing wrong."
    return [*lines, *([""] if lines else []), end]


def _both(of: Probe, label: str, told: Callable[[Walk], str]) -> list[str]:
    return _row(label, told(of.random), told(of.zero))


def _row(label: str, random: str, zero: str) -> list[str]:
    name = label if len(label) < LABEL else label[: LABEL - 4] + "..."
    return [f"{name:{LABEL}}{random:>{COLUMN}}{zero:>{COLUMN}}".rstrip()]


def _said(label: str, words: str) -> list[str]:
    return _wrapped(words, f"{label:16}", " " * 16)


def _wrapped(words: str, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        words, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )


def _numbers(count: int) -> str:
    return f"{count:,} number{'' if count == 1 else 's'}"


def _number(value: float) -> str:
    return f"{value:.4g}"

"""Advantages derived again from windows: the right recursion, known mistakes, other values, nothing."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from analyzer.answers import answers
from analyzer.diagnosis import Finding
from analyzer.recursions import KINDS
from analyzer.rederive import BROKEN_STEPS, GAE_KIND
from analyzer.view import View
from runlog.run import run_of

Floats = NDArray[np.float64]
Row = dict[str, Any]
GAMMA, LAM, L = 0.99, 0.95, 64
METADATA = {"dtype": "float32", "value_target": "lambda-return"}


def gae(
    r: Floats, v: Floats, following: Floats, terminated: Floats, end: Floats,
    gamma: float = GAMMA, lam: float = LAM,
) -> Floats:  # fmt: skip
    """(L + margin,) by the definition, step by step from the end."""
    a, carried = np.zeros(len(r)), 0.0
    for t in range(len(r) - 1, -1, -1):
        delta = r[t] + gamma * (1 - terminated[t]) * following[t] - v[t]
        carried = delta + gamma * lam * (1 - end[t]) * carried
        a[t] = carried
    return a


class Stretch:
    """A longer trajectory, so that what is shifted comes from real neighbours of the window."""

    def __init__(self, seed: int = 0, ends: bool = True) -> None:
        rng = np.random.default_rng(seed)
        n = L + 8
        self.r = rng.normal(size=n)
        self.v = np.cumsum(rng.normal(size=n)) * 0.3
        self.terminated, self.truncated = np.zeros(n), np.zeros(n)
        if ends:
            self.terminated[[10, 41]] = 1.0
            self.truncated[27] = 1.0
        self.end = np.maximum(self.terminated, self.truncated)
        after = np.append(self.v[1:], 0.0)
        self.following = np.where(self.end > 0, rng.normal(size=n), after)

    def right(self) -> Floats:
        return gae(self.r, self.v, self.following, self.terminated, self.end)

    def row(self, i: int, advantage: Floats) -> Row:
        w = slice(4, 4 + L)
        return {
            "iteration": i, "gamma": GAMMA, "lam": LAM,
            "window_reward": list(self.r[w]), "window_value": list(self.v[w]),
            "window_next_value": list(self.following[w]), "window_advantage": list(advantage[w]),
            "window_terminated": list(self.terminated[w]),
            "window_truncated": list(self.truncated[w]),
        }  # fmt: skip


def kinds(*rows: Row) -> list[str | None]:
    kind = GAE_KIND.of(View(run_of(list(rows), metadata=METADATA)))
    return [
        KINDS[int(k)] if there else None for k, there in zip(kind.low, kind.present, strict=True)
    ]


def finding(code: str, *rows: Row) -> Finding | None:
    diagnosis = answers(run_of(list(rows), metadata=METADATA)).last()
    return next((f for f in diagnosis.findings if f.code == code), None)


def late(s: Stretch) -> Floats:
    return gae(s.r, s.v, s.following, np.roll(s.terminated, 1), np.roll(s.end, 1))


def early(s: Stretch) -> Floats:
    return gae(s.r, s.v, s.following, np.roll(s.terminated, -1), np.roll(s.end, -1))


def no_ends(s: Stretch) -> Floats:
    return gae(s.r, s.v, s.following, 0 * s.end, 0 * s.end)


def carried(s: Stretch) -> Floats:
    return gae(s.r, s.v, s.following, s.terminated, 0 * s.end)


def truncated_is_terminal(s: Stretch) -> Floats:
    return gae(s.r, s.v, s.following, s.end, s.end)


def terminal_bootstrapped(s: Stretch) -> Floats:
    return gae(s.r, s.v, s.following, 0 * s.end, s.end)


def reset_bootstrapped(s: Stretch) -> Floats:
    return gae(s.r, s.v, np.append(s.v[1:], 0.0), s.terminated, s.end)


def next_reward(s: Stretch) -> Floats:
    return gae(np.roll(s.r, -1), s.v, s.following, s.terminated, s.end)


def next_reward_with_its_bootstrap(s: Stretch) -> Floats:
    """V of a truncated episode's last observation is put into its reward, and that is shifted."""
    paid = s.r + GAMMA * s.following * s.truncated
    return gae(np.roll(paid, -1), s.v, s.following, s.end, s.end)


def previous_reward(s: Stretch) -> Floats:
    return gae(np.roll(s.r, 1), s.v, s.following, s.terminated, s.end)


def other_lambda(s: Stretch) -> Floats:
    return gae(s.r, s.v, s.following, s.terminated, s.end, lam=0.8)


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (lambda s: -s.right(), "the sign is flipped"), (late, "ends one step late"),
        (early, "ends one step early"), (no_ends, "across episode ends"),
        (carried, "carried across"), (truncated_is_terminal, "not bootstrapped"),
        (terminal_bootstrapped, "in terminal states"), (reset_bootstrapped, "after the reset"),
        (next_reward, "reward of the next step"),
        (next_reward_with_its_bootstrap, "reward of the next step"), (previous_reward, "the step before"),
        (other_lambda, "another γ or λ"),
    ],
)  # fmt: skip
def test_a_known_mistake_is_recognised_and_named(
    made: Callable[[Stretch], Floats], kind: str
) -> None:
    s = Stretch()
    rows = [s.row(1, s.right()), s.row(2, made(s))]
    right, wrong = kinds(*rows)
    assert right == "the right one"
    assert wrong is not None
    assert kind in wrong
    found = finding("TRPO005", *rows)
    assert found is not None
    assert (found.level, found.first_bad_iteration) == ("fault", 2)
    assert kind in str({e.measure: e.value for e in found.evidence}[GAE_KIND.name])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_right_recursion_holds_at_any_scale_and_in_single_precision(scale: float) -> None:
    s = Stretch()
    s.r, s.v, s.following = s.r * scale, s.v * scale, s.following * scale
    rounded = s.right().astype(np.float32).astype(np.float64)
    assert kinds(s.row(1, rounded)) == ["the right one"]


def test_one_step_off_by_a_thousandth_of_the_spread_breaks_it_and_a_millionth_does_not() -> None:
    s = Stretch()
    for off, broken in ((1e-6, 0.0), (1e-3, 2.0)):
        advantage = s.right()
        advantage[20] += off * advantage.std()
        run = run_of([s.row(1, advantage)], metadata=METADATA)
        assert BROKEN_STEPS.of(View(run)).low[0] * (L - 1) == pytest.approx(broken)


def test_normalised_advantages_are_a_convention_and_no_fault() -> None:
    s = Stretch()
    a = s.right()
    row = s.row(1, (a - a.mean()) / a.std())
    assert kinds(row) == ["the right one, normalised afterwards"]
    assert finding("TRPO005", row) is None


def test_advantages_of_other_steps_have_no_relation_and_are_006() -> None:
    s = Stretch()
    row = s.row(1, np.random.default_rng(1).permutation(s.right()))
    assert kinds(row) == ["none: no relation to rewards and values"]
    assert finding("TRPO005", row) is None
    assert finding("TRPO006", row) is not None


def test_a_critic_fitted_in_between_is_107_at_the_first_window() -> None:
    s = Stretch()
    fitted = s.v + 0.7 * s.right()
    after = np.where(s.end > 0, s.following, np.append(fitted[1:], 0.0))
    advantage = gae(s.r, fitted, after, s.terminated, s.end)
    row = s.row(1, advantage) | {
        "value_loss": 4.0, "advantage_raw_std": 0.5, "advantage_raw_mean": 0.0,
    }  # fmt: skip
    assert kinds(row) == ["with values other than those of the critic that sampled"]
    assert finding("TRPO005", row) is None
    found = finding("TRPO107", row)
    assert found is not None
    assert found.first_bad_iteration == 1


def test_a_window_without_an_end_refutes_no_mistake_at_the_ends() -> None:
    with_ends, without = Stretch(), Stretch(1, ends=False)
    blind = without.row(2, without.right())
    assert finding("TRPO005", with_ends.row(1, late(with_ends)), blind) is not None
    mended = with_ends.row(3, with_ends.right())
    assert finding("TRPO005", with_ends.row(1, late(with_ends)), blind, mended) is None


def test_what_cannot_be_derived_is_unknown() -> None:
    s = Stretch()
    whole = s.row(1, -s.right())
    for name in ("gamma", "lam", "window_next_value", "window_terminated"):
        assert kinds({k: v for k, v in whole.items() if k != name}) == [None]
        diagnosis = answers(run_of([{k: v for k, v in whole.items() if k != name}])).last()
        answer = next(a for a in diagnosis.answers if a.code == "TRPO005")
        assert (answer.answer, answer.needs) == ("unknown", (name,))
    assert kinds(whole | {"window_reward": whole["window_reward"][:-1]}) == [None]
    spoilt = whole | {"window_value": [math.nan, *whole["window_value"][1:]]}
    assert kinds(spoilt) == [None]


def test_every_row_is_judged_by_its_own_window() -> None:
    s, t = Stretch(2), Stretch(3)
    assert kinds(s.row(1, s.right()), {"iteration": 2}, t.row(3, -t.right())) == [
        "the right one", None, "that of −A: the sign is flipped",
    ]  # fmt: skip

"""2xx: is there a signal in the gradient at all?"""

import numpy as np

from analyzer import measures as m
from analyzer.combination import All
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.interval import Interval, exact
from analyzer.measure import derived, last_known
from analyzer.rule import Grade, Rule
from analyzer.trends import NO_PROGRESS_20, last_means
from analyzer.view import View

POOLED = 6
"""Measurements in one z: every 5th iteration is measured, so 30 iterations."""
NOTHING = 1.0
"""Pooled z below which the halves agree no better than chance."""


def _pooled_z(view: View) -> Interval:
    cosine, mean = view["gradient_cosine"], view["gradient_cosine_null_mean"]
    z = (cosine - mean) / view["gradient_cosine_null_std"]
    known = z.known & np.isfinite(z.middle)
    rows = np.flatnonzero(known)
    if len(rows) < POOLED:
        return view.empty()
    pooled = np.full(len(view), np.nan)
    pooled[rows[POOLED - 1 :]] = last_means(z.middle[rows], POOLED) * np.sqrt(POOLED)
    at = last_known(np.isfinite(pooled))
    return exact(pooled[np.maximum(at, 0)], at >= 0)


POOLED_Z = derived("gradient_signal", "standard errors", f"(gradient_cosine − its mean over permuted advantages) / their deviation, pooled over {POOLED} measurements", _pooled_z, "gradient_cosine gradient_cosine_null_mean gradient_cosine_null_std")  # fmt: skip

_NO_SIGNAL = (
    Check(POOLED_Z, "<", NOTHING),
    Check(NO_PROGRESS_20, "≥", 1.0),
    Check(m.RISE, "<", 4.0),
)

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO207",
        name="noise-dominated-gradient",
        title="The gradient shows no signal above noise, and the return is flat",
        link="gradient",
        level="warning",
        latency=30,
        when=All((*_NO_SIGNAL, Check(m.LEARNING_ITERATIONS, "≥", 100.0))),
        lesser=(
            Grade(
                level="info",
                when=All(_NO_SIGNAL),
                title="The gradient shows no signal above noise so far",
                why="So do healthy runs for dozens of iterations; a hundred of them are a warning.",
                explains=False,
            ),
        ),
        why=(
            "Gradients of two halves of the batch agree no better than with permuted advantages, and "
            "the return has not risen. It is a warning only: in runs that learn well the agreement is "
            "often as small (a median of .0 to .7 standard errors per measurement), and near the end "
            "of learning the return is flat too."
        ),
        guide_fix=Fix(
            text="check the rewards, and that parameters require gradients",
            origin="guide §2",
            source="debugging guide, section 2",
        ),
        differs="Here the gradient is not zero: it has full length and points at random.",
        fixes=(
            Fix(
                text=(
                    "Take larger batches and a smaller λ; where that changes nothing, look for noise "
                    "in the reward or for advantages of other samples."
                ),
                origin="founded",
                source="GAE paper, section 3: λ < 1 trades variance for bias",
                change={"lam": 0.9},
            ),
        ),
        explains=("TRPO603", "TRPO605"),
        sources=("permutation test", "arXiv 1506.02438, section 3"),
        confidence=0.6,
    ),
)

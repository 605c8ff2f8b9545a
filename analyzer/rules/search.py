"""5xx: the line search (the guide's section 5)."""

import numpy as np

from analyzer import first_order, searches
from analyzer import identities as i
from analyzer import measures as m
from analyzer import trends as t
from analyzer.combination import All, Either, Gate, Recent, Told
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule
from analyzer.view import View

_REJECTED = Check(m.REJECTED, "≥", 1.0)
_FROM_THE_START = All((Recent(_REJECTED, 3, 3), Check(m.ALWAYS_REJECTED, "≥", 3.0)))
_FAILS = Either((Recent(_REJECTED, 10, 20), _FROM_THE_START))
_TEST_IS_WRONG = Recent(Check(searches.WRONGLY_REFUSED, "≥", 1.0), 2, 10, stale=1000)
"""An identity: a right test accepts such a candidate. Never seen in 27,000 healthy candidates; the
second one shows that the first was no slip of a float."""
SHORT = 30.0
"""(β·gᵀs − gain)/KL. The second order explains as much as the largest advantage: at most 11.4 in
27,000 candidates of healthy runs."""
PART = 0.8
"""Gain per β·gᵀs as β → 0, five rows in a row. Of five such rows healthy runs have one of .98 or
more; a gradient that is added up twice gives .5 in each."""
BENT = 0.2
"""Second order per β·gᵀs: up to .13 with a gradient added up twice; .35 in the pairs of rows of a
solved task whose tiny gradients gain a part only."""
_GAINS_A_PART = All(
    (
        Check(first_order.FIRST_ORDER, "<", PART),
        Gate(Check(first_order.SECOND_ORDER, "<", BENT)),
        Gate(Check(i.STEP_SCALE_ERROR, "≤", 0.05)),  # else what is promised is wrong: TRPO007
    )
)
NO_LIMIT = 0.35
"""nat."""
_HALF_LEFT = "exp(−2·KL) of the samples count after such a step, here under half"
_BEYOND = Check(searches.OVERSHOOT, ">", searches.ALLOWED)
_OVERSHOT = All((_BEYOND, Gate(Check(searches.REFUSED_BEFORE, "<", 2.0))))
"""Where the search refused what it should accept, its test is wrong as a whole: that is 501."""


def _failure(view: View, row: int) -> str:
    """What the candidates of the latest failed search broke."""
    rejected = m.REJECTED.of(view)
    failed = np.flatnonzero(rejected.known[: row + 1] & (rejected.middle[: row + 1] > 0.5))
    return searches.failure(view, int(failed[-1])) if len(failed) else ""


RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO501",
        name="line-search-failure",
        title="The line search finds no acceptable step",
        link="line search",
        level="fault",
        latency=20,
        when=Told(
            Either((_TEST_IS_WRONG, All((_FAILS, Gate(Check(m.UNSOLVED, ">", 0.0)))))),
            "line_search_gains",
            _failure,
        ),
        lesser=(
            Grade(
                level="warning",
                when=Recent(_REJECTED, 3, 3),
                title="The line search failed three times in a row",
                why="A failed search now and then is normal; three in a row are worth a look.",
                explains=False,
            ),
        ),
        why=(
            "Every fraction down to the last violates the KL limit or gains nothing. Where KL does "
            "not vanish with β the old policy is stale (003); where every gain is negative the signs "
            "disagree (205); where gains are rounding the fault lies upstream; where KL(1) ≫ δ the "
            "Fisher product is wrong (304); where a candidate gains within the limit and is refused "
            "all the same, the acceptance test itself is wrong."
        ),
        guide_fix=Fix(
            text="reduce the step size (more damping), check rewards, verify the KL computation",
            origin="guide §5",
            source="debugging guide, section 5",
            change={"damping": 0.5},
        ),
        differs=(
            "Ten halvings already try 1/512 of the step, and the search never sees whether rewards "
            "are right; split the failure by its candidates first."
        ),
        fixes=(
            Fix(
                text=(
                    "Log gain and KL of every candidate (line_search_fractions, line_search_gains, "
                    "line_search_kls) and see which condition fails as β → 0; accept when KL ≤ δ and "
                    "gain > 0, both of the new policy against the frozen old one."
                ),
                origin="founded",
                source="KL ∝ β² and gain ∝ β as β → 0",
            ),
        ),
        explains=("TRPO604", "TRPO605"),
        sources=("arXiv 1502.05477, appendix C", "Taylor expansion"),
        confidence=0.8,
        needs_trust_region=True,
    ),
    Rule(
        code="TRPO502",
        name="kl-overshoot",
        title="Accepted steps exceed the KL limit",
        link="line search",
        level="fault",
        latency=3,
        when=Recent(_OVERSHOT, 3, 10),
        lesser=(
            Grade(
                level="fault",
                when=All(
                    (
                        Recent(Check(searches.KL_WITHOUT_LIMIT, ">", NO_LIMIT, _HALF_LEFT), 5, 10),
                        Gate(Check(t.NO_PROGRESS_20, "≥", 1.0)),
                    )
                ),
                title="Accepted steps go further than any limit in use allows",
                why=(
                    "This log does not say max_kl. A step of this KL leaves under half of the samples "
                    "to judge by, and the return does not rise: either the search does not look at "
                    "KL, or its limit is far too large."
                ),
            ),
            Grade(
                level="warning",
                when=Recent(_OVERSHOT, 1, 3),
                title="An accepted step exceeded the KL limit",
                why="One step went beyond the trust region; the search should have shortened it.",
                explains=False,
            ),
        ),
        why=(
            "The line search exists to keep KL(old‖new) below δ, and accepted steps are beyond it: "
            "KL is not checked, is checked with other policies, or the limit is another one."
        ),
        guide_fix=Fix(
            text="reduce the step size (more damping), verify the KL computation",
            origin="guide §5",
            source="debugging guide, section 5",
            change={"damping": 0.5},
        ),
        differs="More damping shortens the step, and the next one too long is accepted all the same.",
        fixes=(
            Fix(
                text=(
                    "Accept a candidate only if mean KL(old‖new) ≤ max_kl, with the old distribution "
                    "frozen before the step and both on the same states; else halve the step."
                ),
                origin="founded",
                source="TRPO paper, appendix C: line search",
            ),
        ),
        explains=("TRPO007", "TRPO503", "TRPO602", "TRPO605", "TRPO803", "TRPO804", "TRPO805"),
        sources=("arXiv 1502.05477, appendix C",),
        confidence=0.9,
        needs_trust_region=True,
    ),
    Rule(
        code="TRPO503",
        name="poor-quadratic-model",
        title="The surrogate gains far less than its gradient promises",
        link="line search",
        level="fault",
        latency=5,
        when=Either(
            (
                Recent(Check(searches.SHORTFALL, ">", SHORT), 5, 5),
                Recent(_GAINS_A_PART, 5, 5),
            )
        ),
        why=(
            "gain = β·gᵀs to first order, and the second order is no larger than a few KL times the "
            "largest advantage. More is missing here, so g is not the gradient of what the search "
            "measures, or what is applied is not s."
        ),
        guide_fix=Fix(
            text="reduce the step size (more damping), verify the KL computation",
            origin="guide §5",
            source="debugging guide, section 5",
            change={"damping": 0.5},
        ),
        differs="A shorter step gains the same share of its promise: it is first order that is wrong.",
        fixes=(
            Fix(
                text=(
                    "Use one function for surrogate and gradient, on the same batch and advantages, "
                    "clear the gradient before each backward pass, and compare gain/(β·gᵀs) at "
                    "β = 1/512 with 1."
                ),
                origin="founded",
                source="Taylor expansion of the surrogate",
            ),
        ),
        explains=("TRPO605",),
        sources=("Taylor expansion",),
        confidence=0.7,
        needs_trust_region=True,
    ),
)

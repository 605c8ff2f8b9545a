"""8xx: hidden units and actions that stand at the end of their range."""

from analyzer import measures as m
from analyzer import policies as p
from analyzer import trends as t
from analyzer.combination import All, Either, Gate, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

SATURATED = 0.4
"""Share of hidden units at |tanh| > .97 that is a whole layer of two."""
OUTSIDE = 0.8
"""Share of action means outside the bounds that no learning reaches in a few iterations."""

_STALLED = Gate(Check(t.NO_PROGRESS_20, "≥", 1.0))
_NEVER_ROSE = Check(m.RISE, "<", 4.0)
_FULL = Recent(
    Check(
        p.SATURATED,
        ">",
        SATURATED,
        "healthy runs stay below .2, with raw observations below .33; one layer of two is .5",
    ),
    5,
    5,
)
_OUT = Recent(
    Check(
        p.MEANS_OUTSIDE,
        ">",
        OUTSIDE,
        "σ alone puts 69 % of actions outside at bounds of .4 σ, but no mean; Swimmer learns .9",
    ),
    5,
    5,
)
_OUTCOME = ("TRPO602", "TRPO603", "TRPO605")

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO803",
        name="saturated-units",
        title="The policy's hidden units are saturated",
        link="policy",
        level="fault",
        latency=10,
        when=Either(
            (
                All((_FULL, Gate(Check(p.SATURATED_AT_ONCE, "≥", 1.0)))),
                All(
                    (
                        _FULL,
                        Gate(Check(p.SATURATED_FROM_START, "≥", 1.0)),
                        Check(p.INPUTS_IN_RANGE, "≥", 1.0),
                    )
                ),
                All(
                    (
                        _FULL,
                        Gate(Check(p.SATURATED_FROM_START, "≥", 1.0)),
                        _STALLED,
                        _NEVER_ROSE,
                    )
                ),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=_FULL,
                title="Many of the policy's hidden units are saturated",
                why=(
                    "Saturated units pass next to no gradient. Here it came gradually, or with raw "
                    "observations while the return rises."
                ),
                explains=False,
            ),
        ),
        why=(
            "|tanh| > .97 in over 40 % of the hidden units: their derivative is below 6 %, so next to "
            "no gradient reaches the layers before. It was so from the start, or came within one "
            "iteration, which no step inside a trust region does: weights or inputs have a wrong "
            "scale."
        ),
        guide_fix=Fix(
            text="check the policy's architecture",
            origin="guide action plan",
            source="debugging guide, action plan, step 2",
        ),
        differs="",
        fixes=(
            Fix(
                text=(
                    "Normalise observations and initialise weights with gain ≤ √2 per input norm; "
                    "look for what rescales them (a loaded checkpoint, an unnormalised input, "
                    "another optimiser)."
                ),
                origin="founded",
                source="derivative of tanh; arXiv 2006.05990, section 3.2",
                change={"normalise_observations": True},
            ),
        ),
        explains=("TRPO203", "TRPO206", "TRPO501", *_OUTCOME),
        sources=("tanh′ = 1 − tanh²",),
        confidence=0.85,
    ),
    Rule(
        code="TRPO804",
        name="saturated-actions",
        title="The policy's mean actions lie outside the action bounds",
        link="policy",
        level="fault",
        latency=10,
        when=Either(
            (
                All((_OUT, Gate(Check(p.OUTSIDE_AT_ONCE, "≥", 1.0)))),
                All((_OUT, Gate(Check(p.OUTSIDE_FROM_START, "≥", 1.0)), _STALLED, _NEVER_ROSE)),
            )
        ),
        lesser=(
            Grade(
                level="info",
                when=_OUT,
                title="Most mean actions lie outside the action bounds",
                why=(
                    "The policy learned to press against its bounds (bang-bang). On tasks like "
                    "Swimmer that is the best there is."
                ),
                explains=False,
            ),
        ),
        why=(
            "Over 80 % of the action means are clipped, so whatever the noise adds, the environment "
            "gets the same action and the same reward: advantages hold nothing about it. It was so "
            "from the start or came within one iteration; a learned bang-bang policy grows slowly."
        ),
        guide_fix=None,
        differs="",
        fixes=(
            Fix(
                text=(
                    "Start the mean's last layer near 0 (weights × .01, bias 0), and check that actions "
                    "are rescaled to the bounds once, not twice."
                ),
                origin="founded",
                source="arXiv 2006.05990, section 3.2: last policy layer 100 times smaller",
            ),
        ),
        explains=(
            "TRPO105",
            "TRPO802",
            "TRPO803",
            "TRPO207",
            "TRPO104",
            "TRPO701",
            "TRPO702",
            *_OUTCOME,
        ),
        sources=("a clipped action's reward does not depend on its noise",),
        confidence=0.9,
    ),
)

"""1xx: episodes that end at once, environments that are one."""

from analyzer import episodes as e
from analyzer.combination import All, Either, Gate, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

AT_ONCE = 2.0
_AT_ONCE = Either(
    (
        Recent(Check(e.LENGTH, "≤", AT_ONCE), 3, 3),
        Recent(Check(e.WINDOW_LENGTH, "≤", AT_ONCE), 1, 1),
    )
)
"""Steps of an episode in which no action can do anything for the return."""
SAME_GRADIENT = 1e-9
"""1 − cosine of the gradients of two half batches. They are equal in every digit where the halves
are copies; batches that differ at all are above 1e-4 in healthy runs."""
ENOUGH_COPIES = 12.0
"""Copied episodes in succession: one batch of 16 environments, or twelve pairs."""

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO105",
        name="instant-termination",
        title="Episodes end within two steps",
        link="observation",
        level="fault",
        latency=3,
        when=All(
            (
                _AT_ONCE,
                Gate(Check(e.MEANT_TO_LAST, "≥", 1.0)),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=_AT_ONCE,
                title="Episodes end within two steps (are they meant to?)",
                why="Nothing in this log tells that episodes of this task last longer.",
                explains=False,
            ),
            Grade(
                level="warning",
                when=Recent(Check(e.LENGTH_TO_BEST, "<", 0.2), 10, 10),
                title="Episodes last less than a fifth of what they did",
                why=(
                    "An environment that ends episodes too early looks like this, and so does a "
                    "policy that has got worse; where the return depends on the length, it falls."
                ),
                explains=False,
            ),
        ),
        why=(
            "Half of the episodes or more end after one or two steps, though they are meant to "
            "last. All the policy sees are first states, and its actions decide nothing."
        ),
        guide_fix=Fix(
            text="verify that rewards vary, check the value function and λ",
            origin="guide §1",
            source="debugging guide, section 1",
        ),
        differs=("The guide looks at rewards and critic; here they see nothing but first states."),
        fixes=(
            Fix(
                text=(
                    "Reset the environment, step it with zero actions and print what ends the "
                    "episode: a bound in other units, an inverted `done`, a flag that reset does "
                    "not clear."
                ),
                origin="founded",
                source="Gymnasium API: terminated is a property of the state reached",
            ),
        ),
        explains=(
            "TRPO207",
            "TRPO701",
            "TRPO702",
            "TRPO605",
            "TRPO602",
            "TRPO603",
            "TRPO104",
            "TRPO110",
            "TRPO106",
            "TRPO501",
        ),
        sources=("Gymnasium API: terminated and truncated",),
        confidence=0.95,
    ),
    Rule(
        code="TRPO111",
        name="duplicate-environments",
        title="Several environments live through the same episode",
        link="observation",
        level="fault",
        latency=5,
        when=Either(
            (
                Recent(
                    All(
                        (
                            Check(
                                e.GRADIENT_GAP, "≤", SAME_GRADIENT, origin="equal in every digit"
                            ),
                            Gate(Check(e.PARAMETERS, ">", e.FEW_PARAMETERS)),
                        )
                    ),
                    1,
                    1,
                ),
                Recent(Check(e.COPIES, "≥", ENOUGH_COPIES), 1, 1, 1000),
            )
        ),
        why=(
            "Every return comes once for each environment, equal in all digits, or two halves of "
            "the batch give the same gradient. The copies tell nothing new: the batch is smaller "
            "than it says by the number of environments, and its noise larger."
        ),
        guide_fix=Fix(
            text="verify that rewards vary, check the value function and λ",
            origin="guide §1",
            source="debugging guide, section 1",
        ),
        differs=(
            "The guide looks at rewards and critic; both are right here, there is only too little of them."
        ),
        fixes=(
            Fix(
                text=(
                    "Give every environment its own seed (seed + index) and its own copy of the "
                    "simulator, and draw the action noise for all of them at once."
                ),
                origin="founded",
                source="variance of a mean of n independent trajectories: σ²/n",
            ),
        ),
        explains=("TRPO207", "TRPO602", "TRPO603", "TRPO605", "TRPO702", "TRPO701"),
        sources=("independence of samples in the policy gradient estimator",),
        confidence=0.95,
    ),
)

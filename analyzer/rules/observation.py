"""1xx: observations the policy cannot use."""

from analyzer import observations as o
from analyzer.combination import All, Either, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

MOSTLY_CLIPPED = 0.5
"""Share of clipped entries. At most .04 in healthy runs, above .9 with units wrong by 1,000."""
ORDERS = 100.0
"""Growth of the largest deviation. Within a run healthy ones grow up to 6 times."""
MANY_DEAD = 0.3
"""Share of all dimensions. Contact forces of Ant come and go by .29 of them, Humanoid's by .09."""
FELL = 4.0
"""Standard errors, as for TRPO602."""

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO109",
        name="observation-blow-up",
        title="Observations are far outside the range the policy can see",
        link="observation",
        level="fault",
        latency=3,
        when=Either(
            (
                Recent(Check(o.CLIPPED, ">", MOSTLY_CLIPPED), 3, 3),
                Recent(
                    All((Check(o.GROWTH, ">", ORDERS), Check(o.SATURATED, ">", MOSTLY_CLIPPED))),
                    3,
                    3,
                ),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=Recent(Check(o.MORE_CLIPPED, ">", 0.1), 5, 5),
                title="More observations are clipped than at the start",
                why="States are reached that the normaliser has not seen, or a unit has changed.",
                explains=False,
            ),
            Grade(
                level="warning",
                when=Recent(Check(o.GROWTH, ">", ORDERS), 3, 3),
                title="Observations are a hundred times as large as at the start",
                why="A simulation that diverges looks like this, and so does a changed unit.",
                explains=False,
            ),
        ),
        why=(
            "More than half of all normalised entries are clipped, or observations grew by orders "
            "of magnitude and saturate the units. Of a clipped number only the sign is left: the "
            "policy cannot tell states apart."
        ),
        guide_fix=Fix(
            text="verify that rewards vary, check the value function and λ",
            origin="guide §1",
            source="debugging guide, section 1",
        ),
        differs=(
            "The guide does not look at observations; rewards may well vary, but no state can be told."
        ),
        fixes=(
            Fix(
                text=(
                    "Print min, max and deviation of every dimension of a raw observation: find "
                    "the one in other units or from a diverged simulation, and let the normaliser's "
                    "moments follow what is observed."
                ),
                origin="founded",
                source="arXiv 2006.05990, section 3.5: observation normalisation",
                change={"normalise_observations": True},
            ),
        ),
        explains=(
            "TRPO803",
            "TRPO203",
            "TRPO501",
            "TRPO105",
            "TRPO602",
            "TRPO603",
            "TRPO605",
            "TRPO701",
            "TRPO702",
            "TRPO104",
            "TRPO207",
            "TRPO804",
        ),
        sources=("arXiv 2006.05990, section 3.5",),
        confidence=0.93,
    ),
    Rule(
        code="TRPO110",
        name="dead-observation",
        title="Observation dimensions have stopped moving",
        link="observation",
        level="fault",
        latency=10,
        when=Either(
            (
                Recent(Check(o.DEAD_SHARE, "≥", 1.0), 3, 3),
                All(
                    (
                        Recent(Check(o.NEWLY_DEAD, ">", 0.0), 5, 5),
                        Check(o.FALL_SINCE_DEATH, ">", FELL),
                    )
                ),
                All(
                    (
                        Recent(Check(o.NEWLY_DEAD_SHARE, ">", MANY_DEAD), 5, 5),
                        Check(o.DIED_AT_ONCE, ">", MANY_DEAD),
                    )
                ),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=Recent(Check(o.NEWLY_DEAD_SHARE, ">", MANY_DEAD), 5, 5),
                title="Many observation dimensions have stopped moving",
                why=(
                    "More dimensions by 30 % of all stand still than in the first ten "
                    "iterations. A sensor may have died; the return does not show it yet."
                ),
                explains=False,
            ),
            Grade(
                level="info",
                when=Recent(Check(o.DEAD, ">", 0.0), 5, 5),
                title="Some observation dimensions do not move",
                why=(
                    "They tell the policy nothing. Padding and forces of contacts that do not "
                    "happen look like this, and so does an observation that is not filled in."
                ),
                explains=False,
            ),
        ),
        why=(
            "Dimensions that used to move stand still for five iterations, and the return has "
            "fallen since, or more than 30 % of all died from one iteration to the next, or no "
            "dimension moves at all: the policy acts blindly on what it no longer sees."
        ),
        guide_fix=Fix(
            text="verify that rewards vary, check the value function and λ",
            origin="guide §1",
            source="debugging guide, section 1",
        ),
        differs=("The guide does not look at observations; what is not seen cannot be acted upon."),
        fixes=(
            Fix(
                text=(
                    "Print the deviation of every dimension over a batch, find those that are 0, "
                    "and follow them back to the sensor, the slice or the buffer they come from."
                ),
                origin="founded",
                source="a constant input carries no information",
            ),
        ),
        explains=(
            "TRPO105",
            "TRPO602",
            "TRPO603",
            "TRPO605",
            "TRPO207",
            "TRPO104",
            "TRPO701",
            "TRPO702",
            "TRPO804",
        ),
        sources=("data-processing inequality",),
        confidence=0.85,
    ),
)

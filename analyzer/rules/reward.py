"""1xx: rewards (the guide's section 1)."""

from analyzer import episodes as e
from analyzer import recursions, rederive
from analyzer import rewards as r
from analyzer.combination import All, Either, Gate, Lasting, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

_GUIDE = "debugging guide, section 1"
_ITS_REWARDS = Either(
    (
        Check(r.CRITIC_IS_BLIND, "≥", 1.0),
        Recent(rederive.Obeys((recursions.RIGHT,)), 1, 1, stale=rederive.LASTS),
    )
)
"""The logged rewards are those the critic learns from, whatever it explains of targets that are made
of its own values: else a critic in another unit would look too large for them."""
_ALIKE = Lasting(Check(r.REWARD_RANGE, "≤", r.REWARD_ROUNDING), 5)
LOST = 1e-3
"""Share of their former size below which rewards are lost beside a critic in the former unit."""
_ENDS_EARLY = Check(r.EARLY_ENDS, ">", 0.0)
_SURVIVAL = (_ALIKE, Gate(Check(r.PAYS, "≥", 1.0)), _ENDS_EARLY)
_NOT_MEANT = Either((Check(r.OUT_OF_REACH, ">", 1.0), Check(r.VARIED_BEFORE, "≥", 1.0)))

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO101",
        name="constant-reward",
        title="Every step pays the same reward",
        link="reward",
        level="fault",
        latency=5,
        when=Either(
            (
                All(
                    (
                        _ALIKE,
                        Gate(Check(r.REWARD_SIZE, ">", 0.0)),
                        Check(r.EARLY_ENDS, "≤", 0.0),
                        Either((Gate(Check(r.PAYS, "≥", 1.0)), _NOT_MEANT)),
                    )
                ),
                All((Lasting(Check(r.BATCH_PAYS, "≤", 0.0), 5), Check(r.REWARDS_LEFT, "≤", 0.0))),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=Check(r.NO_REWARD_YET, "≥", 1.0),
                title="No reward seen yet",
                why=(
                    "Every reward since the start is 0. A sparse reward that was not found yet looks "
                    "like this, and so does a broken one; the first non-zero reward withdraws this."
                ),
                undecided=True,
            ),
            Grade(
                level="warning",
                when=Check(r.SAME_RETURNS, "≥", 10.0),
                title="Every iteration has the same return, to the last digit",
                why=(
                    "A task at its best looks like this, and so does a reward that no action "
                    "changes. reward_min and reward_max, which this log does not hold, would tell."
                ),
                explains=False,
                undecided=True,
            ),
            Grade(
                level="warning",
                when=All((_ALIKE, Gate(Check(r.PAYS, "<", 0.0)), Check(r.EARLY_ENDS, "≤", 0.0))),
                title="Every step costs the same, and no episode has ended early yet",
                why=(
                    "A task that is to be done quickly looks like this until its goal is reached "
                    "once, and so does a broken reward. Until then no action is better than another."
                ),
                explains=False,
                undecided=True,
            ),
        ),
        why=(
            "The reward does not depend on state or action, and no episode ended early, so no action "
            "is better than another. What is left in the advantages is the critic's own error; "
            "normalised to 1 it makes full-size steps along noise, so KL and the line search may "
            "look healthy."
        ),
        guide_fix=Fix(
            text=(
                "verify that rewards vary (min/max reward); scale them to 0.1–5.0 and lower λ from "
                "0.97 to 0.95"
            ),
            origin="guide §1",
            source=_GUIDE,
        ),
        differs=(
            "λ does not matter here, and neither does scale or added noise: noise makes every "
            "optimiser number look alive while nothing can be learned."
        ),
        fixes=(
            Fix(
                text=(
                    "Print the reward's terms for random actions: find the term that should differ and "
                    "does not (an early return, a clip, an exponential that underflowed, an integer "
                    "division), and mend the reward function."
                ),
                origin="founded",
                source="policy gradient theorem: E[∇log π · const] = 0",
            ),
        ),
        explains=(
            "TRPO106",
            "TRPO201",
            "TRPO501",
            "TRPO604",
            "TRPO605",
            "TRPO107",
            "TRPO301",
            "TRPO207",
            "TRPO602",
            "TRPO603",
            "TRPO701",
            "TRPO702",
            "TRPO105",
        ),
        sources=("policy gradient theorem", "arXiv 1506.02438, section 2"),
        confidence=0.97,
    ),
    Rule(
        code="TRPO102",
        name="vanished-reward",
        title="The rewards are smaller than the critic's own noise",
        link="reward",
        level="fault",
        latency=20,
        when=Either(
            (
                Recent(
                    All(
                        (
                            Check(r.BEYOND_REWARDS, ">", 1.0),
                            Gate(_ITS_REWARDS),
                        )
                    ),
                    20,
                    20,
                ),
                Recent(
                    All(
                        (
                            Check(r.STEPS_THAT_PAY, "<", 5.0),
                            Check(r.SWING_OF_LARGEST, ">", 30.0),
                            Check(r.IMPOSSIBLE_VALUES, ">", 0.5),
                            Check(r.EXPLAINED_VARIANCE, "<", 0.01),
                        )
                    ),
                    14,
                    20,
                ),
                Recent(
                    All(
                        (
                            Check(r.WORTH_TO_STEP, "<", 1.0),
                            Check(r.EXPLAINED_VARIANCE, "<", 0.0),
                        )
                    ),
                    8,
                    10,
                ),
                Recent(
                    All(
                        (
                            Check(r.REWARDS_LEFT, "<", LOST),
                            Gate(Check(r.CRITIC_IS_BLIND, "≥", 1.0)),
                        )
                    ),
                    3,
                    3,
                ),
            )
        ),
        why=(
            "The critic's values spread wider than any return these rewards could add up to, or one "
            "step holds nearly all the reward of its batch, another size each time, and the values "
            "take a sign no reward has, or rewards have shrunk to less than 1/1,000 beside it. The advantages are then the critic's errors; normalised to "
            "1 they make full-size steps along noise, which the line search accepts."
        ),
        guide_fix=Fix(
            text="verify that reward scaling is applied: rewards of 0.1 to 5.0 a step",
            origin="guide §1",
            source="debugging guide, quick fix 1 and expected timeline",
        ),
        differs=(
            "Scale alone is no fault where the critic works in the rewards' own unit: rewards of "
            "1e-6 are legitimate then. What cannot be learned are rewards that span many powers of "
            "ten, as an exponential of a large error pays them: a few steps hold all of the return."
        ),
        fixes=(
            Fix(
                text=(
                    "Print the reward's exponents: an exp(−k·error) should pay between 0.1 and 1 on "
                    "what the policy does now, so divide k, or take the mean of the errors instead of "
                    "their sum."
                ),
                origin="founded",
                source="arXiv 1804.02717, section 5.2: the exponents fit the size of the errors",
            ),
            Fix(
                text="Where the rewards are only small as a whole, normalise them for the critic.",
                origin="founded",
                source="arXiv 2006.05990, section 3.5: value normalisation",
                change={"normalise_rewards": True},
            ),
        ),
        explains=("TRPO106", "TRPO207", "TRPO605", "TRPO701", "TRPO702", "TRPO107"),
        sources=("arXiv 1506.02438, equation 16", "|V| ≤ max|r|/(1 − γ)"),
        confidence=0.85,
    ),
    Rule(
        code="TRPO108",
        name="survival-only-reward",
        title="Every step pays the same: only the length of episodes counts",
        link="reward",
        level="fault",
        latency=5,
        when=All((_ALIKE, Gate(Check(r.REWARD_SIZE, ">", 0.0)), _ENDS_EARLY, _NOT_MEANT)),
        lesser=(
            Grade(
                level="warning",
                when=All((*_SURVIVAL, Gate(Check(r.UNDECLARED, "≥", 1.0)))),
                title="Every step pays the same: only staying alive is rewarded (is it meant so?)",
                why=(
                    "An episode's return is its length times a constant. Balancing tasks are made so; "
                    "this environment does not declare the return it counts as solved, which would "
                    "tell."
                ),
                explains=False,
            ),
            Grade(
                level="info",
                when=All(_SURVIVAL),
                title="Every step pays the same, as this task means it",
                why="The return this environment declares solved can be reached by staying alive.",
                explains=False,
            ),
            Grade(
                level="info",
                when=All(
                    (Check(e.PER_STEP_SPREAD, "≤", 0.0), Gate(Check(e.LENGTHS_VARY, "≥", 1.0)))
                ),
                title="Every return is the length of its episode times a constant",
                why=(
                    "This log has no rewards, but returns and lengths keep one ratio. Balancing "
                    "tasks are made so; elsewhere all terms of the reward but one are lost."
                ),
                explains=False,
            ),
        ),
        why=(
            "An episode's return is its length times a constant, because episodes end early and "
            "nothing else differs. The update works and learns how long to live, but not the task: "
            "rewards used to differ, or the return this environment declares solved cannot be "
            "reached at that reward."
        ),
        guide_fix=Fix(
            text="verify that rewards vary (min/max reward)",
            origin="guide §1",
            source=_GUIDE,
        ),
        differs=(
            "The guide expects zero advantages here. With early ends they are alive, and so is every "
            "number of the update: only the reward's range tells."
        ),
        fixes=(
            Fix(
                text=(
                    "Print the reward's terms for random actions: find the ones that should differ and "
                    "do not (a weight of 0, an early return, a clip, an exponential that underflowed "
                    "beside a constant bonus)."
                ),
                origin="founded",
                source="the return is Σ γᵗ r for a constant r: a function of the length alone",
            ),
        ),
        explains=("TRPO601", "TRPO603", "TRPO605"),
        sources=("policy gradient theorem",),
        confidence=0.9,
    ),
)

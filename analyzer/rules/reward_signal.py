"""1xx: rewards that follow nothing, or whose unit does not stand still."""

from analyzer import reward_signals as r
from analyzer.combination import All, Either, Gate, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

NOTHING_TOLD = 0.05
"""Held-out R² at which observation and action tell nothing of the reward."""
WALK = (0.5, 2.0)
"""Pooled variance of returns over that of a random walk: .92 to 1.1 for drawn rewards. Rewards that
follow the state are outside, above 3 or, where gains are paid back, below .4; a few pass 1 on their
way, which the R² tells apart."""
FAR_BELOW = 0.05
"""Returns that spread so little are no sums of rewards that are drawn: a monitor that does not see
the rewards that are learnt from tells them."""
FAR_OUT = 12.0
"""Range of rewards over their deviation: 5 to 8 for drawn ones. Above, a few steps hold what there
is, as sparse rewards do and those that span powers of ten (TRPO102)."""
MORE_THAN_TWOFOLD = 1.0
"""log of the drift: a factor e. Up to .82 upwards and 0 downwards in healthy runs, 1.4 and more where
a factor of .85 compounds."""

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO104",
        name="unpredictable-reward",
        title="The reward depends on neither state nor action",
        link="reward",
        level="fault",
        latency=5,
        when=All(
            (
                Recent(Check(r.R2, "≤", NOTHING_TOLD), 3, 3),
                Either(
                    (
                        Recent(
                            All(
                                (
                                    Check(r.RANDOM_WALK, ">", WALK[0]),
                                    Check(
                                        r.RANDOM_WALK, "<", WALK[1], origin="1 for a random walk"
                                    ),
                                )
                            ),
                            3,
                            3,
                        ),
                        Recent(Check(r.RANDOM_WALK, "<", FAR_BELOW), 3, 3),
                    )
                ),
                Recent(Check(r.EXPLAINED_VARIANCE, "<", 0.3), 3, 5),
                Gate(Recent(Check(r.EXTREMES_VARY, "≥", 1.0), 5, 5)),
                Gate(Recent(Check(r.TAIL, "<", FAR_OUT), 5, 5)),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=All(
                    (
                        Recent(Check(r.R2, "≤", NOTHING_TOLD), 4, 4),
                        Check(r.BEST_R2, ">", 0.8),
                        Recent(Check(r.EXPLAINED_VARIANCE, "<", 0.1), 5, 5),
                    )
                ),
                title="The reward can no longer be told from state and action",
                why=(
                    "A regression that told the reward now tells nothing of it, and neither does the "
                    "critic. Noise on the reward looks like this; so do rewards that became rare."
                ),
                explains=False,
            ),
        ),
        why=(
            "Neither a regression on state and action nor the critic tells anything of the reward, "
            "and the returns of episodes spread just as a sum of independent draws does "
            "(Var = length · σ²). The advantages are noise; every optimiser number looks healthy."
        ),
        guide_fix=Fix(
            text="add noise N(0, 0.01) to the reward to break ties",
            origin="guide §1",
            source="debugging guide, quick fix 2",
        ),
        differs=(
            "Noise makes every optimiser number look alive while nothing can be learned: it is what "
            "is wrong here."
        ),
        fixes=(
            Fix(
                text=(
                    "Take random terms out of the reward; step the environment twice from the same "
                    "state with the same action and compare the rewards; check that reward and "
                    "observation belong to the same step and the same environment."
                ),
                origin="founded",
                source="policy gradient theorem: E[∇log π · r] = 0 for r independent of a",
            ),
        ),
        explains=("TRPO207", "TRPO701", "TRPO702", "TRPO605", "TRPO602", "TRPO603"),
        sources=("variance of a sum of independent numbers", "policy gradient theorem"),
        confidence=0.9,
    ),
    Rule(
        code="TRPO112",
        name="reward-scale-drift",
        title="The unit of the rewards keeps changing",
        link="reward",
        level="fault",
        latency=10,
        when=All(
            (
                Recent(Check(r.UNIT_STEP, ">", r.MOVED), 8, 10),
                Check(r.UNIT_DRIFT, ">", MORE_THAN_TWOFOLD),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=Check(r.UNIT_DRIFT, ">", MORE_THAN_TWOFOLD),
                title="The unit of the rewards has changed more than twofold",
                why=(
                    "The divisor of the rewards moved further within ten iterations than the "
                    "rewards and an average over all batches account for."
                ),
                explains=False,
            ),
        ),
        why=(
            "reward_scale changes more than twofold within ten iterations, in small steps and for "
            "no reason of the rewards' own: an average over k batches cannot fall faster than "
            "√(k/(k − 10)), nor rise faster than what it averages. The critic's values of one batch "
            "are in another unit than the rewards of the next."
        ),
        guide_fix=Fix(
            text="verify that rewards vary, check the value function and λ",
            origin="guide §1",
            source="debugging guide, section 1",
        ),
        differs=("The rewards do vary; their unit does too, and lowering λ does not mend that."),
        fixes=(
            Fix(
                text=(
                    "Update the reward's normaliser once a batch from all returns so far, and "
                    "rescale the critic's output when its unit moves; do not compound a factor "
                    "from batch to batch."
                ),
                origin="founded",
                source="arXiv 1602.07714: rescaling the output keeps V when the unit changes",
            ),
        ),
        explains=("TRPO701", "TRPO702", "TRPO207", "TRPO605", "TRPO602", "TRPO603"),
        sources=("running mean of k batches", "arXiv 1602.07714"),
        confidence=0.85,
    ),
)

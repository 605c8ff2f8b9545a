"""0xx: are the advantages GAE's, and those of the samples they are multiplied with?"""

from analyzer import first_order as f
from analyzer import measures as m
from analyzer import recursions, rederive
from analyzer.combination import All, Either, Gate, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Rule

OTHER_SURROGATE = 0.05
"""The two are the same sum: 1.000 in every right run, −2.7 to 2.7 with advantages of other steps."""
NOT_FIRST_ORDER = 0.3
"""As β → 0 the ratio is 1: at least .34 in 1,275 healthy rows, at most .21 with another step's
advantages. In between the gradient is too long for the surrogate, which TRPO503 names."""
UNPAIRED = 1.0 - f.CLEARLY
"""In five healthy rows at most two are below it (97 runs), with misaligned advantages all."""
FLIPPED = 0.02
"""As close to −1 it is the sign alone, which TRPO205 names: −1.000 in all such runs."""
_OWN = Gate(Check(m.OWN_DEFINITIONS, "≥", 1.0))

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO005",
        name="gae-mismatch",
        title="The advantages are not what GAE makes of rewards and values",
        link="advantage",
        level="fault",
        latency=25,
        when=Recent(rederive.Obeys(recursions.WRONG), 1, 1, stale=rederive.LASTS),
        why=(
            "A_t = r_t + γ(1 − terminated)V' − V + γλ(1 − end)A_{t+1} holds for every step of the "
            "window but its last. It is an identity, so one window that breaks it is proof; the "
            "evidence says which recursion the advantages obey instead. The policy then learns from "
            "returns that no episode had."
        ),
        guide_fix=None,
        differs="",
        fixes=(
            Fix(
                text=(
                    "Recompute one trajectory by hand: mask V' with terminated only, cut the sum at "
                    "every end of an episode, bootstrap a truncated one on V of its final observation "
                    "(not of the reset), take the reward of the same step, and keep the sign."
                ),
                origin="founded",
                source="GAE paper, equation 16; Gymnasium: terminated and truncated",
            ),
        ),
        explains=("TRPO702", "TRPO701", "TRPO602", "TRPO603", "TRPO605", "TRPO207"),
        sources=("arXiv 1506.02438, equation 16",),
        confidence=0.97,
    ),
    Rule(
        code="TRPO006",
        name="misaligned-advantages",
        title="The advantages are not those of the samples they multiply",
        link="gradient",
        level="fault",
        latency=6,
        when=Either(
            (
                All((Recent(Check(f.SURROGATE_MATCH_ERROR, ">", OTHER_SURROGATE), 3, 5), _OWN)),
                All(
                    (
                        Recent(
                            All(
                                (
                                    Check(f.FIRST_ORDER, "<", NOT_FIRST_ORDER),
                                    Check(f.FROM_FLIPPED, ">", FLIPPED),
                                )
                            ),
                            4,
                            5,
                        ),
                        _OWN,
                    )
                ),
                All((Recent(Check(f.PAIRING, "<", UNPAIRED), 4, 5), _OWN)),
                Recent(rederive.Obeys((recursions.NONE,)), 1, 1, stale=rederive.LASTS),
            )
        ),
        why=(
            "To first order every step gains β·gᵀs when the surrogate uses the advantages the "
            "gradient was taken with, and the advantages as estimated times the log ratio, or their own "
            "surrogate, gain what the search says. One of these fails: each advantage is multiplied with the log-probability "
            "of another step (time and environments swapped when flattening, a shuffled index), or "
            "with advantages that are mostly something else. The update fits that, so KL and the "
            "search look healthy, and nothing is learned."
        ),
        guide_fix=None,
        differs="",
        fixes=(
            Fix(
                text=(
                    "Flatten observations, actions, log-probabilities and advantages with one function "
                    "in one order, index all of them with the same minibatch indices, and use the "
                    "same advantages in gradient and line search."
                ),
                origin="founded",
                source="policy gradient: E[A(s, a)·∇log π(a|s)] pairs each A with its own (s, a)",
            ),
        ),
        explains=(
            "TRPO207", "TRPO205", "TRPO501", "TRPO503", "TRPO007", "TRPO602", "TRPO603", "TRPO605",
        ),
        sources=("arXiv 1502.05477, section 5", "Taylor expansion of the surrogate"),
        confidence=0.95,
        needs_trust_region=True,
    ),
)  # fmt: skip

"""1xx: critic and advantages (the guide's section 1)."""

from analyzer import identities as i
from analyzer import measures as m
from analyzer import recursions, rederive
from analyzer import rewards as r
from analyzer.combination import All, Either, Gate, Recent
from analyzer.condition import AtRounding, Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

_GUIDE = "debugging guide, section 1"
_ALIKE = AtRounding(m.ADVANTAGE_STD, m.ADVANTAGE_ROUNDING, m.COMPANY)

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO106",
        name="zero-advantages",
        title="The advantages are all the same",
        link="advantage",
        level="fault",
        latency=0,
        when=Either(
            (
                All((_ALIKE, Gate(Check(r.BATCH_PAYS, "≥", 1.0)))),
                Recent(_ALIKE, 20, 20),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=_ALIKE,
                title="The advantages are all the same in a batch without a reward",
                why=(
                    "Every reward of this batch is 0 and the critic expects none. A sparse reward "
                    "looks like this between two finds; twenty such batches in a row are a fault."
                ),
            ),
        ),
        why=(
            "The raw advantages differ by rounding error only, so the policy gradient is noise or 0. "
            "Either rewards and values are constant, or the critic reproduces this very batch."
        ),
        guide_fix=Fix(
            text=(
                "verify that rewards vary, check the critic for overfitting (vf_iters 3 → 1), lower λ "
                "from 0.97 to 0.95"
            ),
            origin="guide §1",
            source=_GUIDE,
            change={"lam": 0.95, "vf_iters": 1},
        ),
        differs=(
            "λ = 1 does not make advantages vanish (A is then the Monte-Carlo return minus V), a "
            "perfect critic leaves Q − V, and vf_iters acts on the next batch unless the critic is "
            "fitted before the advantages."
        ),
        fixes=(
            Fix(
                text=(
                    "Compare reward_min with reward_max, and the critic before with after its fit; "
                    "compute advantages before fitting the critic; look for a mask that leaves out "
                    "every step. Judge the spread relative to the rewards: 1e-6 is fine when rewards "
                    "are 1e-6."
                ),
                origin="founded",
                source="GAE paper, equation 16",
            ),
        ),
        explains=(
            "TRPO201",
            "TRPO301",
            "TRPO001",
            "TRPO401",
            "TRPO501",
            "TRPO604",
            "TRPO605",
            "TRPO107",
            "TRPO005",  # nothing but zeros obeys no recursion
        ),
        sources=("arXiv 1506.02438, equation 16", "rounding error of a sum"),
        confidence=0.9,
    ),
    Rule(
        code="TRPO107",
        name="critic-absorbs-advantages",
        title="The critic was fitted to this batch before the advantages were taken",
        link="critic",
        level="fault",
        latency=3,
        when=Either(
            (
                Recent(Check(i.CRITIC_FIT_ORDER, "<", 0.95), 3, 3),
                Recent(rederive.Obeys((recursions.VALUES,)), 1, 1, stale=rederive.LASTS),
                Recent(All((Check(m.ABSORBED, "<", 0.05), Check(m.CONTRADICTED, "≥", 1.0))), 5, 5),
            )
        ),
        lesser=(
            Grade(
                level="info",
                when=Recent(Check(m.ABSORBED, "<", 0.05), 10, 10),
                title="The critic leaves almost nothing of this batch's returns",
                why=(
                    "The advantages keep less than 5 % of the returns' spread. Either the task is "
                    "nearly solved, or the critic had seen these returns."
                ),
                explains=False,
            ),
        ),
        why=(
            "With λ-returns as targets, the value loss of the critic that sampled equals std² + mean² "
            "of the raw advantages. The advantages are smaller: they were computed with a critic "
            "already fitted to the same returns, which removes the signal and leaves noise. Where a "
            "window is logged, its advantages obey GAE with other values than the sampling critic's."
        ),
        guide_fix=Fix(
            text="reduce critic fitting: vf_iters 3 → 1",
            origin="guide §1",
            source=f"{_GUIDE}, and its third quick fix",
            change={"vf_iters": 1},
        ),
        differs=(
            "Fewer epochs only weaken the leak. In the right order vf_iters cannot touch this "
            "iteration's advantages at all."
        ),
        fixes=(
            Fix(
                text=(
                    "Compute values and advantages first, update the policy, then fit the critic; "
                    "never call the fitted critic on the same batch's observations again."
                ),
                origin="founded",
                source="GAE paper, section 6.1: the critic of the iteration before is used",
            ),
        ),
        explains=("TRPO106", "TRPO007", "TRPO605", "TRPO207"),
        sources=("arXiv 1506.02438, section 6.1", "variance decomposition"),
        confidence=0.9,
    ),
)

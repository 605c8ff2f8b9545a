"""4xx: the size of the step (the guide's section 4)."""

from analyzer import identities as i
from analyzer import measures as m
from analyzer import searches, steps
from analyzer.combination import All, Recent
from analyzer.condition import AtRounding, Check
from analyzer.diagnosis import Fix
from analyzer.measure import column
from analyzer.rule import Grade, Rule

_GUIDE_FIX = Fix(
    text="increase max_kl from 0.01 to 0.05; check the expected improvement",
    origin="guide §4",
    source="debugging guide, section 4",
    change={"max_kl": 0.05},
)

FAR = 1.0
"""KL of a step, nats. There the effective sample size of the ratios, about exp(−2·KL), is a seventh
and the paper's bound says nothing; presets that learn go up to .5."""
SPENT = 0.98
"""Share of the trust region that damping takes; at most .74 in presets that learn."""
_MAX_KL = column("max_kl")

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO401",
        name="zero-full-step",
        title="The full step is lost in rounding",
        link="step",
        level="fault",
        latency=0,
        when=AtRounding(m.STEP_NORM, m.STEP_ROUNDING, m.COMPANY),
        why=(
            "‖s‖ is below what the parameters' type can add to ‖θ‖: θ + s rounds to θ. The direction "
            "is alive, so the scale √(2δ/xᵀAx) is what is wrong."
        ),
        guide_fix=_GUIDE_FIX,
        differs="‖s‖ grows with √δ only: ×5 in max_kl is ×2.24 in the step.",
        fixes=(
            Fix(
                text=(
                    "Print δ, xᵀAx and √(2δ/xᵀAx): look for a δ of 0, an added ε that swamps it, or "
                    "huge damping."
                ),
                origin="founded",
                source="TRPO paper, appendix C: s = √(2δ/xᵀAx)·x",
            ),
        ),
        explains=("TRPO501", "TRPO604", "TRPO605", "TRPO004"),
        sources=("arXiv 1502.05477, appendix C", "rounding of a sum"),
        confidence=0.9,
        needs_trust_region=True,
    ),
    Rule(
        code="TRPO402",
        name="tiny-trust-region",
        title="max_kl is smaller than the KL can resolve",
        link="step",
        level="fault",
        latency=1,
        when=Recent(Check(m.TRUST_REGION, "<", 1.0), 1, 1),
        why=(
            "The trust region δ lies at the rounding level of the log ratios and of KL itself. Steps "
            "scale with √δ, so the policy moves by rounding error, and the search decides on noise."
        ),
        guide_fix=_GUIDE_FIX,
        differs="",
        fixes=(
            Fix(
                text="Set max_kl to 0.01 (joint KL, summed over action dimensions) and start there.",
                origin="founded",
                source="TRPO paper, table 2: δ = 0.01",
                change={"max_kl": 0.01},
            ),
        ),
        explains=("TRPO401", "TRPO501", "TRPO604", "TRPO605", "TRPO007", "TRPO004", "TRPO205"),
        sources=("arXiv 1502.05477, table 2", "rounding of exp and log"),
        confidence=0.97,
        needs_trust_region=True,
    ),
    Rule(
        code="TRPO403",
        name="oversized-trust-region",
        title="max_kl allows steps that the batch cannot judge",
        link="step",
        level="fault",
        latency=5,
        when=Recent(
            All((Check(searches.TAKEN_KL, ">", FAR), Check(_MAX_KL, ">", FAR))),
            3,
            5,
        ),
        lesser=(
            Grade(
                level="warning",
                when=Recent(
                    All((Check(_MAX_KL, ">", 0.1), Check(i.IMPROVEMENT, "<", 0.5))),
                    10,
                    10,
                ),
                title="Large trust region: steps gain less than half of what they promise",
                why=(
                    "The gain stays below half of gᵀs. Runs with a large max_kl can learn so, but "
                    "the quadratic model no longer says how far to go."
                ),
                explains=False,
            ),
        ),
        why=(
            "The accepted steps move the policy by more than a nat. Ratios then rest on a small part "
            "of the samples, the surrogate says nothing of the new policy's return, and KL and gain "
            "of the step are far from the quadratic model."
        ),
        guide_fix=_GUIDE_FIX,
        differs="The guide raises max_kl; here it is far too large already.",
        fixes=(
            Fix(
                text="Set max_kl to 0.01 (joint KL, summed over action dimensions) and start there.",
                origin="founded",
                source="TRPO paper, table 2: δ = 0.01",
                change={"max_kl": 0.01},
            ),
        ),
        explains=(
            "TRPO007",
            "TRPO205",
            "TRPO304",
            "TRPO501",
            "TRPO502",
            "TRPO503",
            "TRPO602",
            "TRPO605",
            "TRPO801",
            "TRPO803",
            "TRPO804",
            "TRPO805",
        ),
        sources=("arXiv 1502.05477, theorem 1 and table 2",),
        confidence=0.9,
        needs_trust_region=True,
    ),
    Rule(
        code="TRPO404",
        name="overdamped",
        title="Damping uses up the trust region: the policy hardly moves",
        link="step",
        level="fault",
        latency=5,
        when=Recent(
            All((Check(steps.DAMPED_SHARE, ">", SPENT), Check(steps.FULL_KL, "<", 1.0 - SPENT))),
            5,
            5,
        ),
        lesser=(
            Grade(
                level="warning",
                when=Recent(
                    All((Check(steps.DAMPED_SHARE, ">", 0.8), Check(i.STEP_COSINE, ">", 0.9))), 5, 5
                ),
                title="Damping takes most of the trust region",
                why=(
                    "½λ‖s‖² is most of δ and the step is almost along the plain gradient: damping "
                    "decides, not the Fisher matrix. The policy moves by what is left."
                ),
                explains=False,
            ),
        ),
        why=(
            "δ = ½sᵀFs + ½λ‖s‖², and the second term takes nearly all of it. The KL of the full step "
            "is what is left, and the step is a plain gradient step of fixed length."
        ),
        guide_fix=_GUIDE_FIX,
        differs="A larger max_kl only scales a step whose direction damping has made plain.",
        fixes=(
            Fix(
                text="Lower damping to 0.1, or to a tenth of the largest Ritz value of F.",
                origin="founded",
                source="δ = ½sᵀ(F + λI)s",
                change={"damping": 0.1},
            ),
        ),
        explains=("TRPO501", "TRPO603", "TRPO604", "TRPO605"),
        sources=("arXiv 1502.05477, appendix C",),
        confidence=0.9,
        needs_trust_region=True,
    ),
)

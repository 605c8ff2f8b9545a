"""4xx: the size of the step (the guide's section 4)."""

from analyzer import measures as m
from analyzer.combination import Recent
from analyzer.condition import AtRounding, Check
from analyzer.diagnosis import Fix
from analyzer.rule import Rule

_GUIDE_FIX = Fix(
    text="increase max_kl from 0.01 to 0.05; check the expected improvement",
    origin="guide §4",
    source="debugging guide, section 4",
    change={"max_kl": 0.05},
)

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
)

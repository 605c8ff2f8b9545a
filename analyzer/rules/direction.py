"""3xx: conjugate gradient and Fisher product (the guide's section 3)."""

from analyzer import identities as i
from analyzer import measures as m
from analyzer.combination import All, Either, Recent
from analyzer.condition import AtRounding, Check
from analyzer.diagnosis import Fix
from analyzer.rule import Rule

_GUIDE = "debugging guide, section 3"
_GUIDE_FIX = Fix(
    text="increase damping from 0.1 to 0.5 and CG iterations from 10 to 20; check the Fvp",
    origin="guide §3",
    source=_GUIDE,
    change={"damping": 0.5, "cg_iters": 20},
)

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO301",
        name="zero-step-direction",
        title="Conjugate gradient returned its starting point",
        link="cg",
        level="fault",
        latency=0,
        when=AtRounding(m.DIRECTION_NORM, m.NOTHING, m.COMPANY),
        why=(
            "Started at 0, conjugate gradient leaves 0 in its first step unless g is 0, no iteration "
            "is allowed, or the stopping test is absolute and ‖g‖² already lies below it."
        ),
        guide_fix=_GUIDE_FIX,
        differs=(
            "Damping cannot make x zero or cure it, and more iterations do not help when none is "
            "entered. A near-singular Fisher matrix makes x huge, not zero."
        ),
        fixes=(
            Fix(
                text=(
                    "Stop on ‖r‖ ≤ tolerance·‖g‖ instead of an absolute ‖r‖² < 1e-10, and check that "
                    "cg_iters ≥ 1."
                ),
                origin="founded",
                source="conjugate gradient method: x₁ = (gᵀg/gᵀAg)·g ≠ 0",
            ),
        ),
        explains=("TRPO001", "TRPO401", "TRPO501", "TRPO604", "TRPO605"),
        sources=("conjugate gradient method", "arXiv 1502.05477, appendix C"),
        confidence=0.95,
        needs_trust_region=True,
    ),
    Rule(
        code="TRPO302",
        name="negative-curvature",
        title="The Fisher product is not positive",
        link="cg",
        level="fault",
        latency=3,
        when=Either(
            (
                Recent(Check(i.LEAST_CURVATURE, "<", -1e-3), 3, 3),
                Recent(Check(m.CURVATURE, "<", 0.0), 3, 3),
            )
        ),
        why=(
            "F + λI has pᵀAp ≥ λpᵀp for every p. A search direction found less: the product is of "
            "another matrix (a Hessian of the surrogate, a KL with the wrong side frozen) or is drawn "
            "anew at every call (dropout, another mini-batch). xᵀAx < 0 makes the step NaN."
        ),
        guide_fix=_GUIDE_FIX,
        differs="Damping hides the sign until it exceeds the error; the direction stays wrong.",
        fixes=(
            Fix(
                text=(
                    "Differentiate mean KL(old‖new) twice with the OLD distribution detached, on the "
                    "same states at every call; check pᵀ(Fq) = qᵀ(Fp) for two random vectors."
                ),
                origin="founded",
                source="TRPO paper, appendix C.1: the Fisher matrix is a covariance",
            ),
        ),
        explains=("TRPO001", "TRPO303", "TRPO501", "TRPO502", "TRPO503", "TRPO605"),
        sources=("arXiv 1502.05477, appendix C.1",),
        confidence=0.9,
        needs_trust_region=True,
    ),
    Rule(
        code="TRPO304",
        name="singular-fisher",
        title="Near-singular Fisher matrix with too little damping",
        link="cg",
        level="fault",
        latency=3,
        when=Recent(All((Check(i.QUADRATIC_KL, ">", 2.0), Check(i.CONDITIONING, "<", 1e-3))), 3, 3),
        why=(
            "With next to no damping conjugate gradient runs far out along directions in which the "
            "sampled Fisher matrix is almost 0; there the quadratic model is wrong, and the KL of "
            "the full step is many times the δ it was scaled to."
        ),
        guide_fix=_GUIDE_FIX,
        differs=(
            "More CG iterations make this worse: they are what reaches the small eigenvalues (10 are "
            "harmless without damping, 50 are not)."
        ),
        fixes=(
            Fix(
                text="Set damping back to 0.1 and keep CG at 10 to 20 iterations.",
                origin="founded",
                source="KL(s) ≈ δ − ½λ‖s‖² holds only while the quadratic model does",
                change={"damping": 0.1, "cg_iters": 10},
            ),
        ),
        explains=("TRPO501", "TRPO502", "TRPO503", "TRPO302", "TRPO007", "TRPO605"),
        sources=("arXiv 1502.05477, appendix C", "Lanczos: Ritz values of the Krylov space"),
        confidence=0.9,
        needs_trust_region=True,
    ),
)

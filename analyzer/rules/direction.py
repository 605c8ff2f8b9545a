"""3xx: conjugate gradient and Fisher product (the guide's section 3)."""

from analyzer import identities as i
from analyzer import krylov, steps
from analyzer import measures as m
from analyzer.combination import All, Either, Gate, Recent
from analyzer.condition import AtRounding, Check
from analyzer.diagnosis import Fix
from analyzer.measure import column
from analyzer.rule import Grade, Rule

_GUIDE = "debugging guide, section 3"
_GUIDE_FIX = Fix(
    text="increase damping from 0.1 to 0.5 and CG iterations from 10 to 20; check the Fvp",
    origin="guide §3",
    source=_GUIDE,
    change={"damping": 0.5, "cg_iters": 20},
)

OTHER_MATRIX = 0.05
"""True residual above the recurrence's. Rounding leaves at most 3e-6 between them in 150 healthy
runs, and with a singular Fisher matrix; a product that is drawn anew leaves .8 to 12."""
UNCONJUGATE = 0.02
"""|gᵀx − xᵀAx| / xᵀAx. Conjugate gradient from 0 leaves rounding (2e-7, 1e-3 in float32 without
damping); directions that are not conjugate leave .05 to .8."""

UNDAMPED = 1e-6
"""λ over the largest Ritz value. Damped runs keep more than 1e-5 however small σ gets; KL twice the
model's, or a fifth of the batch's own spread, happens in those too, so it counts less there."""
FITTED = 0.35
"""KL over ½Var(log ratio) without damping: 10 to 40 iterations of CG keep more than .45, 100 end at .2
to .3 where the batch has few samples per parameter."""
_FITS_NOISE = All(
    (Check(steps.KL_TO_SPREAD, "<", 0.6), Gate(Check(krylov.CONDITIONING, "<", 1e-4)))
)
"""Without damping 20 iterations of CG reach a conditioning of 1e-4 to 1e-3 and learn, 100 one of 1e-5."""
_RESIDUAL = column("cg_residual")

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
        title="The Fisher product is no fixed positive matrix",
        link="cg",
        level="fault",
        latency=3,
        when=Either(
            (
                Recent(Check(i.LEAST_CURVATURE, "<", -1e-3), 3, 3),
                Recent(Check(m.CURVATURE, "<", 0.0), 3, 3),
                Recent(Check(steps.LEAST_RITZ, "<", -1e-3), 3, 3),
                Recent(Check(steps.DISAGREEMENT, ">", OTHER_MATRIX), 1, 1),
            )
        ),
        why=(
            "F + λI has pᵀAp ≥ λpᵀp for every p. A search direction found less: the product is of "
            "another matrix (a Hessian of the surrogate, a KL with the wrong side frozen) or is drawn "
            "anew at every call (dropout, another mini-batch): then the residual Ax − g, measured "
            "anew, is not the one the recurrence believed. xᵀAx < 0 makes the step NaN."
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
        explains=(
            "TRPO001",
            "TRPO003",
            "TRPO007",
            "TRPO202",
            "TRPO303",
            "TRPO304",
            "TRPO501",
            "TRPO502",
            "TRPO503",
            "TRPO605",
        ),
        sources=("arXiv 1502.05477, appendix C.1",),
        confidence=0.9,
        needs_trust_region=True,
    ),
    Rule(
        code="TRPO303",
        name="unconverged-cg",
        title="Conjugate gradient does not solve its system",
        link="cg",
        level="fault",
        latency=3,
        when=Recent(Check(steps.UNCONJUGATE, ">", UNCONJUGATE), 3, 5),
        lesser=(
            Grade(
                level="warning",
                when=Recent(Check(_RESIDUAL, ">", 1.0), 5, 5),
                title="Conjugate gradient ends with a residual above ‖g‖",
                why=(
                    "‖Ax − g‖ exceeds ‖g‖. It need not fall at every iteration, and long healthy "
                    "runs reach 1.1; more iterations or more damping bring it down."
                ),
                explains=False,
            ),
        ),
        why=(
            "After any number of iterations from 0 the residual is at right angles to x, so gᵀx = "
            "xᵀAx. Here it is not, and the residual that is left accounts for the gap: the search "
            "directions are not conjugate: a wrong β, a wrong sign, r taken from the step before."
        ),
        guide_fix=_GUIDE_FIX,
        differs="More iterations do not repair a recurrence whose directions are not conjugate.",
        fixes=(
            Fix(
                text=(
                    "p ← r + (r_newᵀr_new / rᵀr)·p with the new r; check ‖Ax − g‖/‖g‖ with one more "
                    "product, it should fall to .1 or less within 10 to 20 iterations."
                ),
                origin="founded",
                source="Hestenes and Stiefel 1952",
                change={"cg_iters": 20},
            ),
        ),
        explains=("TRPO007", "TRPO404", "TRPO501", "TRPO502", "TRPO503", "TRPO605"),
        sources=("Hestenes and Stiefel 1952", "arXiv 1502.05477, appendix C"),
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
        when=Recent(
            All(
                (
                    Either(
                        (
                            Check(i.QUADRATIC_KL, ">", 2.0),
                            All(
                                (
                                    Check(krylov.RELATIVE_DAMPING, "<", UNDAMPED),
                                    Either(
                                        (
                                            Check(i.QUADRATIC_KL, ">", 1.3),
                                            Check(steps.KL_TO_SPREAD, "<", FITTED),
                                            _FITS_NOISE,
                                        )
                                    ),
                                )
                            ),
                        )
                    ),
                    Check(krylov.CONDITIONING, "<", 1e-3),
                    Gate(Check(krylov.LEAST_SEEN, ">", -1e-3)),  # below 0 it is no Fisher matrix
                )
            ),
            3,
            3,
        ),
        why=(
            "With next to no damping conjugate gradient runs far out along directions in which the "
            "sampled Fisher matrix is almost 0; there the quadratic model is wrong, and the KL of "
            "the full step is many times the δ it was scaled to, or the step follows the noise of "
            "this batch (its own actions' log ratios spread far more than KL says)."
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
        explains=(
            "TRPO003",
            "TRPO303",
            "TRPO501",
            "TRPO502",
            "TRPO503",
            "TRPO007",
            "TRPO605",
            "TRPO803",
            "TRPO804",
        ),
        sources=("arXiv 1502.05477, appendix C", "Lanczos: Ritz values of the Krylov space"),
        confidence=0.9,
        needs_trust_region=True,
    ),
)

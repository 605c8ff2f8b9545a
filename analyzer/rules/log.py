"""0xx: can the log's own numbers be true, and did the step that was computed happen?"""

from analyzer import first_order as f
from analyzer import identities as i
from analyzer import measures as m
from analyzer.combination import All, Either, Gate, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.non_finite import NonFinite, link_of_first
from analyzer.rule import Grade, Rule

VISIBLE_STEP = 5e-3
LOOSE = 0.05
TIGHT = 1e-3
_KL_ZERO = Check(m.KL_ZERO, "≥", 1.0)
_VISIBLE = Check(
    m.ACCEPTED_STEP,
    ">",
    VISIBLE_STEP,
    origin="a step this long cannot have a KL of 0.000000: with damping .1, ½λ‖s‖² > 1e-6",
)
_STALE = "a policy one update old has a ratio that spreads by √(2δ), fifty times the bound"
_NO_ROUNDING = "an identity off by this much is no rounding, whatever the trainer's precision"

_IDENTITIES = (
    i.STEP_SCALE_ERROR,
    i.DIRECTION_CURVATURE_ERROR,
)
_BOUNDED = (i.STEP_COSINE, i.DAMPED_DIRECTION)


def _broken(tolerance: float, rows: int) -> Either:
    why = _NO_ROUNDING if tolerance >= LOOSE else ""
    off = [Recent(Check(x, ">", tolerance, origin=why), rows, rows) for x in _IDENTITIES]
    above = [Recent(Check(x, ">", 1.0 + tolerance, origin=why), rows, rows) for x in _BOUNDED]
    return Either((*off, *above))


SELF_KL = 0.02
"""KL over ½Var(log ratio). A KL against itself is 0; a step fitted to the noise of its own batch (a
singular Fisher matrix, 100 iterations, 28 dimensions) went down to .07."""

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO001",
        name="non-finite-values",
        title="NaN or infinity in the update",
        link="policy change",
        level="fault",
        latency=0,
        when=NonFinite(Check(m.NON_FINITE, "≥", 0.0)),
        where=link_of_first,
        why=(
            "A non-finite number enters the update at the column named first; everything after it "
            "is NaN too, and every comparison of the line search with NaN is false. Where no column "
            "is, the exception that ended the run speaks of such a number: it came up after the "
            "last row."
        ),
        guide_fix=Fix(
            text="look for numerical overflow in the step-size computation",
            origin="guide §4",
            source="debugging guide, section 4",
        ),
        lesser=(
            Grade(
                level="info",
                when=Check(m.NON_FINITE_BEFORE, ">", 0.0),
                title="A NaN or infinity in an earlier iteration",
                why="The update held a non-finite number and has been finite since.",
                explains=False,
            ),
        ),
        differs="The first non-finite column in the order of the update says where, not the step size.",
        fixes=(
            Fix(
                text=(
                    "Stop at the first bad iteration and check the named column's inputs; if it is "
                    "the step, g was 0 and √(2δ/xᵀAx) was 0/0: skip the update when ‖g‖ is at "
                    "rounding level."
                ),
                origin="founded",
                source="TRPO paper, appendix C: s = √(2δ/xᵀAx)·x",
            ),
        ),
        explains=("TRPO604", "TRPO605", "TRPO501"),
        sources=("IEEE 754: comparisons with NaN are false", "arXiv 1502.05477, appendix C"),
        confidence=0.95,
    ),
    Rule(
        code="TRPO002",
        name="self-referential-kl",
        title="KL is measured against the policy itself",
        link="policy change",
        level="fault",
        latency=3,
        when=Either(
            (
                All((_KL_ZERO, Check(i.PRINTED_KL_TO_VARIANCE, "<", 0.1))),
                Recent(Check(i.KL_TO_VARIANCE, "<", SELF_KL), 3, 3),
                All((_KL_ZERO, Check(m.POLICY_MOVED, ">", 1.0))),
                # Logs that say no more than that searches succeed with visible steps.
                All((Check(m.KL_ALWAYS_ZERO, "≥", 1.0), _VISIBLE)),
                Recent(All((_KL_ZERO, _VISIBLE)), 5, 5),
            )
        ),
        why=(
            "The parameters moved and the log ratios spread, so KL(old‖new) ≈ ½Var(log ratio) cannot "
            "be 0. The old distribution was not kept: the printed KL compares the new policy with "
            "itself, and the constraint may be checked against the same 0."
        ),
        guide_fix=Fix(
            text="verify the KL computation",
            origin="guide §5",
            source="debugging guide, section 5",
        ),
        differs="The guide takes KL 0.000000 for the symptom of a dead update; here it is a printing error.",
        fixes=(
            Fix(
                text=(
                    "Keep mean and log σ of the sampling policy as constants (detach, clone) before "
                    "the step; after it compute KL(old‖new) between those and the new outputs, in "
                    "float64. For the Fisher product KL against itself is right: keep the two apart."
                ),
                origin="founded",
                source="TRPO paper, section 6; KL ≈ ½Var(log ratio) to second order",
            ),
        ),
        explains=("TRPO502", "TRPO602"),
        sources=("arXiv 1502.05477, section 6", "second-order expansion of KL"),
        confidence=0.9,
        distrusts=("kl", "kl_full_step", "kl_drift", "line_search_kls"),
    ),
    Rule(
        code="TRPO003",
        name="stale-old-policy",
        title="The old log-probabilities belong to another policy",
        link="gradient",
        level="fault",
        latency=3,
        when=Either(
            (
                Recent(Check(i.STALE_RATIO, ">", 1.0, origin=_STALE), 3, 3),
                Recent(Check(i.KL_INTERCEPT, ">", 0.3), 3, 3),
                Recent(Check(f.GAIN_INTERCEPT, ">", 0.3), 3, 3),
            )
        ),
        why=(
            "Before the step the ratio π/π_old must be 1 for every sample. It is not: the stored "
            "log-probabilities come from an older policy, another observation normaliser, or a "
            "network with dropout. The surrogate and KL then start away from their own origin: over "
            "the candidates of the line search, gain ∝ β and KL ∝ β² do not meet 0 at β = 0."
        ),
        guide_fix=Fix(
            text="check ratio_mean and ratio_std; they should not be exactly 1",
            origin="guide §2",
            source="debugging guide, section 2",
        ),
        differs="Before the step the ratio must be exactly 1; only after it must it differ.",
        fixes=(
            Fix(
                text=(
                    "Take the old log-probabilities from the parameters at the start of this "
                    "update, on the observations as the policy saw them; freeze the normaliser "
                    "between sampling and update."
                ),
                origin="founded",
                source="TRPO paper, section 5: L(θ_old) uses ratio 1",
            ),
        ),
        explains=("TRPO501", "TRPO503", "TRPO007", "TRPO006"),
        sources=("arXiv 1502.05477, section 5",),
        confidence=0.9,
        needs_trust_region=False,
    ),
    Rule(
        code="TRPO007",
        name="broken-step-identity",
        title="Numbers of the step cannot belong together",
        link="step",
        level="fault",
        latency=3,
        when=All(
            (
                _broken(LOOSE, 3),
                Gate(Check(m.OWN_DEFINITIONS, "≥", 1.0)),
            )
        ),
        lesser=(
            Grade(
                level="info",
                when=Either(
                    (
                        _broken(TIGHT, 1),
                        # No fault: heavy-tailed advantages make the second order of a healthy
                        # step as large as its first.
                        Recent(Check(i.SURROGATE_SLOPE_ERROR, ">", 3.0), 3, 3),
                        Recent(Check(i.GAUSSIAN_ENTROPY, ">", TIGHT), 3, 3),
                        Recent(Check(i.CRITIC_FIT_ERROR, ">", 0.01), 3, 3),
                    )
                ),
                title="Printed numbers that cannot belong to one step",
                why=(
                    "At least one identity between the printed values fails by more than their "
                    "digits allow. One or two such iterations, or another definition of a printed "
                    "value, are no fault."
                ),
            ),
        ),
        why=(
            "gᵀs ≤ ‖g‖‖s‖, gᵀx = xᵀAx, λ‖x‖ ≤ ‖g‖ and expected_improvement·‖s‖/‖x‖ = 2δ hold for "
            "every correct step. One fails in at least three consecutive iterations: the step's scale, "
            "the Fisher product or what is logged as one of them is wrong."
        ),
        guide_fix=Fix(
            text="check the expected_improve value",
            origin="guide §4",
            source="debugging guide, section 4",
        ),
        differs="",
        fixes=(
            Fix(
                text=(
                    "Recompute gᵀx, xᵀAx and s = √(2δ/xᵀAx)·x in one place from one g; the failing "
                    "identity says which of them disagrees."
                ),
                origin="founded",
                source="TRPO paper, appendix C",
            ),
        ),
        explains=(),
        sources=("arXiv 1502.05477, appendix C", "Cauchy–Schwarz"),
        confidence=0.8,
        needs_trust_region=True,
    ),
)

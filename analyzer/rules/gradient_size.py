"""2xx: gradients too large, too small, and of some tensors only (the guide's section 2)."""

from analyzer import gradients as g
from analyzer import identities as i
from analyzer import searches, trends
from analyzer.combination import All, Either, Recent, Told
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

_GUIDE = "debugging guide, section 2"
TOO_STEEP = 2.0
"""√(gᵀx) over √(2d)·rms(Â). Correct gradients stay below .44 (batches of 256, 28 dimensions), below
.7 with a singular Fisher matrix; Cauchy and Schwarz allow 1 and the batch's own noise."""
LEFT_BAND = 30.0
"""‖g‖·σ/std(Â) over its early median; at most 6.2 in 150 healthy runs."""
FADED, GONE = 0.05, 0.01
"""The same measure downwards: .07 was reached on a task that was solved. Below a hundredth the
gradient is smaller than the sampling noise of the early one, which no convergence removes."""

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO202",
        name="exploding-gradient",
        title="The gradient is larger than these advantages can make it",
        link="gradient",
        level="fault",
        latency=3,
        when=Either(
            (
                Recent(Check(g.GRADIENT_REACH, ">", TOO_STEEP), 3, 10),
                Recent(
                    All(
                        (
                            Check(g.OVER_EARLY, ">", LEFT_BAND),
                            Either(
                                (
                                    Check(i.IMPROVEMENT, "<", 0.1),
                                    Check(i.QUADRATIC_KL, ">", 2.0),
                                    Check(searches.OVERSHOOT, ">", searches.ALLOWED),
                                )
                            ),
                        )
                    ),
                    3,
                    3,
                ),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=Recent(Check(g.OVER_EARLY, ">", LEFT_BAND), 3, 3),
                title="The gradient has grown far beyond its early size",
                why=(
                    "‖g‖·σ/std(Â) is many times what it was. The step is scaled by KL, so this alone "
                    "does no harm; weights that grow without bound do later."
                ),
                explains=False,
            ),
        ),
        why=(
            "By Cauchy and Schwarz gᵀA⁻¹g is at most mean(Â²) times the numbers that a state's "
            "distribution has. Beyond that g is not the mean of Â·∇log π: a tensor's gradient is "
            "added up or scaled, or the advantages used are not those that are logged."
        ),
        guide_fix=Fix(
            text="verify that the policy's std is above 0; look for numerical precision issues",
            origin="guide §2",
            source=_GUIDE,
        ),
        differs="σ alone cannot do this: the bound holds for every σ, and ‖g‖·σ is what is compared.",
        fixes=(
            Fix(
                text=(
                    "Compare gradient_norms tensor by tensor with those of a fresh policy; zero the "
                    "gradients before each backward pass, and scale neither the loss nor one layer."
                ),
                origin="founded",
                source="Cauchy–Schwarz for the score-function estimator",
            ),
        ),
        explains=(
            "TRPO001",
            "TRPO006",
            "TRPO007",
            "TRPO205",
            "TRPO304",
            "TRPO404",
            "TRPO501",
            "TRPO502",
            "TRPO503",
            "TRPO602",
            "TRPO605",
        ),
        sources=("Cauchy–Schwarz inequality", "Amari 1998: natural gradient"),
        confidence=0.9,
    ),
    Rule(
        code="TRPO203",
        name="vanishing-gradient",
        title="The policy gradient has faded away",
        link="gradient",
        level="fault",
        latency=10,
        when=All(
            (
                Recent(Check(g.OVER_EARLY, "<", GONE), 10, 10),
                Check(trends.NO_PROGRESS_20, ">", 0.0),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=Recent(Check(g.OVER_EARLY, "<", FADED), 10, 10),
                title="The policy gradient is a small part of what it was",
                why=(
                    "‖g‖·σ/std(Â) has fallen below a twentieth. Near the end of learning that is "
                    "normal; where the return is still low, look at saturated units."
                ),
                explains=False,
            ),
        ),
        why=(
            "‖g‖·σ/std(Â) lies below the sampling noise that the early policy had, and the return "
            "does not rise: ∇log π hardly reaches the parameters any more (saturated or dead units)."
        ),
        guide_fix=Fix(
            text="verify that the policy's std is above 0; look for numerical precision issues",
            origin="guide §2",
            source=_GUIDE,
        ),
        differs="A small σ makes the gradient larger, not smaller (the score grows as 1/σ).",
        fixes=(
            Fix(
                text=(
                    "Look at saturated_units_fraction and observation_abs_max: normalise what the "
                    "network sees and start it with smaller weights."
                ),
                origin="founded",
                source="chain rule: the gradient carries the factor 1 − tanh² of every unit",
            ),
        ),
        # The Fisher matrix is the scores' covariance: it fades with them, and damping is what is left.
        explains=("TRPO404", "TRPO501", "TRPO604", "TRPO605"),
        sources=("sampling error of a mean", "chain rule"),
        confidence=0.7,
    ),
    Rule(
        code="TRPO206",
        name="partly-dead-gradient",
        title="Some parameter tensors get no gradient",
        link="gradient",
        level="fault",
        latency=5,
        when=Told(
            Recent(Check(g.DEAD_TENSORS, "≥", 1.0), 5, 5),
            "parameter_names",
            g.dead_names,
        ),
        why=(
            "These tensors are among the policy's parameters and the loss does not reach them, while "
            "it reaches others: detached, built from stored numbers, or behind units that are all "
            "dead. A tensor that starts at 0 blocks the gradient below it for one iteration only."
        ),
        guide_fix=Fix(
            text="check that the policy's parameters have gradients enabled",
            origin="guide §2",
            source=_GUIDE,
        ),
        differs="",
        fixes=(
            Fix(
                text=(
                    "Differentiate one surrogate for all parameters, trunk and log σ included: no "
                    "detach or no_grad between them and log π; leave a fixed σ out of the parameters."
                ),
                origin="founded",
                source="chain rule",
            ),
        ),
        explains=(
            "TRPO006",
            "TRPO007",
            "TRPO202",
            "TRPO203",
            "TRPO205",
            "TRPO304",
            "TRPO404",
            "TRPO501",
            "TRPO503",
            "TRPO605",
        ),
        sources=("chain rule",),
        confidence=0.95,
    ),
)

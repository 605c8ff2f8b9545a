"""2xx: the policy gradient and the policy it is taken at (the guide's section 2)."""

from analyzer import gradients as g
from analyzer import identities as i
from analyzer import measures as m
from analyzer import searches, trends
from analyzer.combination import All, Either, Recent, Told
from analyzer.condition import AtRounding, Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

_GUIDE = "debugging guide, section 2"
SIGMA_FLOOR = -16.0
"""log(σ / half the action range) at which noise is lost in an action's single precision (ε = e^−15.9);
above it a small σ is TRPO801."""
TOO_STEEP = 2.0
"""√(gᵀx) over √(2d)·rms(Â). Correct gradients stay below .44 (batches of 256, 28 dimensions), below
.7 with a singular Fisher matrix; Cauchy and Schwarz allow 1 and the batch's own noise."""
LEFT_BAND = 30.0
"""‖g‖·σ/std(Â) over its early median; at most 6.2 in 150 healthy runs."""
FADED, GONE = 0.05, 0.01
"""The same measure downwards: .07 was reached on a task that was solved. Below a hundredth the
gradient is smaller than the sampling noise of the early one, which no convergence removes."""
_NOISELESS = (
    Check(i.NOISE_DEFICIT, ">", 0.95),
    Check(i.NOISE_DEFICIT, "<", 1.02),
    Check(i.NOISE_Z, ">", 6.0),
)

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO201",
        name="zero-gradient",
        title="The policy gradient is zero although the advantages are not",
        link="gradient",
        level="fault",
        latency=0,
        when=Either(
            (
                AtRounding(m.GRADIENT_NORM, m.GRADIENT_ROUNDING, m.COMPANY),
                Check(m.SKIPPED_GRADIENT, "≥", 1.0),
            )
        ),
        why=(
            "g = mean(Â·∇log π) is at rounding level. With living advantages that means ∇log π does "
            "not reach the parameters (detached, no_grad, requires_grad off, the loss built from "
            "stored log-probabilities) or is zero at every sampled action (sampling without noise)."
        ),
        guide_fix=Fix(
            text="check that parameters require gradients and that σ > 0 (entropy)",
            origin="guide §2",
            source=_GUIDE,
        ),
        differs=(
            "σ → 0 does not make the gradient vanish: the score grows as 1/σ. It vanishes when "
            "actions are the mean itself."
        ),
        fixes=(
            Fix(
                text=(
                    "Recompute log π(a|s) from the current parameters inside the loss, without detach "
                    "or no_grad, and assert that loss.requires_grad is true and every parameter's "
                    ".grad is filled."
                ),
                origin="founded",
                source="score-function estimator, TRPO paper, section 5",
            ),
        ),
        explains=("TRPO301", "TRPO001", "TRPO401", "TRPO501", "TRPO604", "TRPO605"),
        sources=("arXiv 1502.05477, section 5", "rounding error of a mean"),
        confidence=0.95,
    ),
    Rule(
        code="TRPO204",
        name="deterministic-policy",
        title="Actions are sampled without noise",
        link="policy",
        level="fault",
        latency=3,
        when=Either(
            (
                All((Recent(All(_NOISELESS), 3, 3), Check(m.LOG_PROBS_ALIKE, ">", 0.0))),
                Recent(Check(m.SIGMA, "<", SIGMA_FLOOR), 3, 3),
            )
        ),
        why=(
            "For actions drawn from the policy, −mean log π(a|s) equals the entropy up to √(d/2N). "
            "Here it is smaller by almost d/2, as when every action is the mean: a − μ = 0, so the "
            "score, and with it the gradient of μ, is zero."
        ),
        guide_fix=Fix(
            text="verify that the policy's std is above 0 (entropy moderate)",
            origin="guide §2",
            source=_GUIDE,
        ),
        differs=(
            "Entropy can look perfectly normal here, since σ is not what is used; 39.5 for 28 "
            "dimensions is simply σ = 1 (28 × 1.4189 = 39.73)."
        ),
        fixes=(
            Fix(
                text=(
                    "Sample a = μ + σ·ε while collecting data (deterministic=False, dist.sample(), not "
                    "dist.mean); store log π of the action that was really sampled, before any clip."
                ),
                origin="founded",
                source="log-density of a Gaussian: E[−log π] = entropy, variance d/2",
            ),
        ),
        explains=(
            "TRPO201",
            "TRPO202",
            "TRPO303",
            "TRPO502",
            "TRPO805",
            "TRPO001",
            "TRPO301",
            "TRPO501",
            "TRPO604",
            "TRPO605",
            "TRPO401",
        ),
        sources=("entropy and log-density of a diagonal Gaussian",),
        confidence=0.95,
    ),
    Rule(
        code="TRPO205",
        name="flipped-gradient",
        title="The step goes downhill on the surrogate the search measures",
        link="line search",
        level="fault",
        latency=3,
        when=Either(
            (
                Recent(
                    All(
                        (
                            Check(i.CANDIDATE_SLOPE, "<", -0.5),
                            Check(i.CANDIDATE_SLOPE, ">", -1.5),
                        )
                    ),
                    3,
                    3,
                ),
                Recent(Check(i.SURROGATE_SLOPE, "<", -0.3), 3, 3),
            )
        ),
        why=(
            "To first order every candidate gains β·gᵀs. The candidates lose just that: the gradient "
            "and the surrogate of the line search have opposite signs (a loss minimised in one place "
            "and maximised in the other), so no fraction can ever succeed."
        ),
        guide_fix=Fix(
            text="reduce the step size (more damping); check rewards and KL",
            origin="guide §5",
            source="debugging guide, section 5",
            change={"damping": 0.5},
        ),
        differs=(
            "A shorter step along the wrong direction still loses; the search already tries 1/512, "
            "and it never sees whether rewards are right."
        ),
        fixes=(
            Fix(
                text=(
                    "Use one function for the surrogate mean(ratio·Â), differentiate it for g, and "
                    "accept when its value rises; with a loss = −surrogate, flip both or neither."
                ),
                origin="founded",
                source="first-order Taylor expansion of the surrogate",
            ),
        ),
        explains=("TRPO501", "TRPO604", "TRPO605", "TRPO007", "TRPO503"),
        sources=("Taylor expansion", "arXiv 1502.05477, appendix C"),
        confidence=0.95,
        needs_trust_region=True,
    ),
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
        explains=("TRPO501", "TRPO605"),
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

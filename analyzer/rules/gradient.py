"""2xx: the policy gradient and the policy it is taken at (the guide's section 2)."""

from analyzer import identities as i
from analyzer import measures as m
from analyzer.combination import All, Either, Enough, Recent
from analyzer.condition import AtRounding, Check
from analyzer.diagnosis import Fix
from analyzer.rule import Rule

_GUIDE = "debugging guide, section 2"
SIGMA_FLOOR = -16.0
"""log(σ / half the action range) at which noise is lost in an action's single precision (ε = e^−15.9);
above it a small σ is TRPO801."""
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
        explains=("TRPO203", "TRPO301", "TRPO001", "TRPO401", "TRPO501", "TRPO604", "TRPO605"),
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
                Enough(
                    Recent(
                        All((Check(m.EXPECTED_IMPROVEMENT, "<", 0.0), Check(m.REJECTED, "≥", 1.0))),
                        3,
                        3,
                    )
                ),
            )
        ),
        why=(
            "To first order every candidate gains β·gᵀs. The candidates lose just that: the gradient "
            "and the surrogate of the line search have opposite signs (a loss minimised in one place "
            "and maximised in the other), so no fraction can ever succeed. Or gᵀs itself is below 0 "
            "while gᵀx is not: the step was turned round."
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
)

"""0xx: did the step that was computed happen, and nothing else?"""

from analyzer import identities as i
from analyzer.combination import All, Either, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO004",
        name="parameters-not-applied",
        title="The accepted step never reached the policy's parameters",
        link="policy change",
        level="fault",
        latency=3,
        when=Either(
            (
                Recent(Check(i.STEP_APPLIED, "<", 0.5), 3, 3),
                Recent(Check(i.CANDIDATE_MOTION, "≤", 0.0), 3, 3),
            )
        ),
        why=(
            "The search reports a step of length β‖s‖, but the parameters moved by much less. The "
            "flat vector was written to a copy, or the old parameters were put back after success."
        ),
        guide_fix=None,
        differs="",
        fixes=(
            Fix(
                text=(
                    "Write the flat vector into the tensors the sampling policy uses (copy_ under "
                    "no_grad, not assignment to .data of a view), and check that the log-"
                    "probabilities change after it."
                ),
                origin="founded",
                source="‖θ_after − θ_before‖ = β‖s‖ by definition of the step",
            ),
        ),
        explains=("TRPO006", "TRPO205", "TRPO007", "TRPO501", "TRPO604", "TRPO605"),
        sources=("definition of the line search, arXiv 1502.05477, appendix C",),
        confidence=0.95,
        needs_trust_region=True,
    ),
    Rule(
        code="TRPO008",
        name="policy-moved-outside-update",
        title="Something besides the trust-region step moves the policy",
        link="policy change",
        level="fault",
        latency=3,
        when=Recent(All((Check(i.DRIFT, ">", 0.5), Check(i.MOVED_AFTER, ">", 1.0))), 3, 5),
        lesser=(
            Grade(
                level="warning",
                when=Recent(Check(i.DRIFT, ">", 1.0), 5, 5),
                title="The policy that samples next is far from the one accepted",
                why=(
                    "From the accepted policy to the one that samples next KL exceeds the whole trust "
                    "region, in five iterations in a row and after the first five. The observation "
                    "normaliser moves too fast, or another optimiser is at work."
                ),
                explains=False,
            ),
        ),
        why=(
            "The parameters at the end of the iteration are not those the search accepted, and on the "
            "same states the policy that samples next is further away than half of what the trust region "
            "allows a step to go. Nothing checks that move: a critic's fit through shared layers, a second "
            "optimiser, or a schedule of σ made it."
        ),
        guide_fix=None,
        differs="",
        fixes=(
            Fix(
                text=(
                    "Give the critic parameters of its own (or detach the shared features in its "
                    "loss), and look for an optimiser whose parameter list holds the policy's."
                ),
                origin="founded",
                source="the trust region bounds KL from the sampling policy, TRPO paper, section 4",
            ),
        ),
        explains=(
            "TRPO003",
            "TRPO006",
            "TRPO502",
            "TRPO602",
            "TRPO605",
            "TRPO702",
            "TRPO801",
            "TRPO803",
        ),
        sources=("arXiv 1502.05477, section 4",),
        confidence=0.95,
    ),
)

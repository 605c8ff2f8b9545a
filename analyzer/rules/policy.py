"""8xx: the policy's exploration, the samples a step leaves, how far the discount looks."""

from analyzer import measures as m
from analyzer import policies as p
from analyzer import trends as t
from analyzer.combination import All, Either, Enough, Gate, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

COLLAPSED = -4.0
"""log(σ / half the action range) below which a policy hardly explores."""
NEVER_EXPLORED = -6.0
"""The same from the first iteration on, where nothing was learned that would make up for it."""
FEW_SAMPLES = 0.5
SHORT_HORIZON = 0.01
"""1/(1−γ) over the mean length of an episode."""
LONG_ENOUGH = 50.0
"""Iterations after which a return that never rose shows that the horizon is too short."""

_STALLED = Gate(Check(t.NO_PROGRESS_20, "≥", 1.0))
_NEVER_ROSE = Check(m.RISE, "<", 4.0)
_LITTLE = Check(m.RISE, "<", 10.0)
_GONE = Recent(
    Check(
        m.SIGMA,
        "<",
        COLLAPSED,
        "σ under 2 % of half the range; healthy runs end at −3.6, imitation presets begin at −2.5",
    ),
    5,
    5,
)
_FEW = Recent(Check(p.EFFECTIVE_SAMPLES, "<", FEW_SAMPLES, "exp(−2·KL) at a KL of .35"), 5, 5)
_SHORT = Recent(
    Check(p.HORIZON_SHARE, "<", SHORT_HORIZON, "usual settings give .06 and more"), 10, 10
)
_OUTCOME = ("TRPO602", "TRPO603", "TRPO605")

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO801",
        name="collapsed-exploration",
        title="The policy's noise has collapsed: it no longer explores",
        link="policy",
        level="fault",
        latency=20,
        when=Either(
            (
                All((_GONE, Gate(Check(p.COLLAPSED_AT_ONCE, "≥", 1.0)), _STALLED)),
                All((_GONE, Gate(Check(p.COLLAPSED_FROM_START, "≥", 1.0)), _STALLED, _NEVER_ROSE)),
                All(
                    (
                        Recent(Check(m.SIGMA, "<", NEVER_EXPLORED), 5, 5),
                        Gate(Check(p.COLLAPSED_FROM_START, "≥", 1.0)),
                        _LITTLE,
                    )
                ),
                Enough(All((_GONE, Gate(Check(p.SIGMA_SQUEEZED, "≥", 1.0))))),
                Enough(All((Recent(Check(m.SIGMA, "<", NEVER_EXPLORED), 5, 5), _NEVER_ROSE))),
                All((Recent(Check(p.ENTROPY_SPENT, ">", 0.5), 10, 10), _STALLED, _NEVER_ROSE)),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=All((_GONE, _STALLED)),
                title="The policy hardly explores any more, and the return stands still",
                why=(
                    "σ was learned down to under 2 % of the action range. Near the best return that "
                    "is convergence; short of it, premature."
                ),
                explains=False,
            ),
            Grade(
                level="info",
                when=_GONE,
                title="The policy's noise is under 2 % of the action range",
                why="σ is small and the return still rises: a policy that becomes precise.",
                explains=False,
            ),
        ),
        why=(
            "σ is under 2 % of the action range although no progress made it so: it fell within one "
            "iteration, was there from the start, or takes up most of the trust region. Nearly equal "
            "actions tell nothing about better ones, and the score grows as 1/σ, so gradients, "
            "curvature and KL become extreme."
        ),
        guide_fix=Fix(
            text="verify that the policy's std is above 0 (entropy moderate, not huge)",
            origin="guide §2",
            source="debugging guide, section 2",
        ),
        differs=(
            "Entropy alone does not tell: judge log σ per dimension against half the action range, "
            "and σ by what the trust region allows (|Δentropy| ≤ √(d·KL))."
        ),
        fixes=(
            Fix(
                text=(
                    "Start at log σ = 0 for actions of ±1 and let only the policy's step change it: "
                    "look for a schedule, a clamp or another optimiser that sets log_std."
                ),
                origin="founded",
                source="KL of two Gaussians to second order: (Δ log σ)² per dimension",
                change={"log_std": 0.0},
            ),
        ),
        explains=(
            "TRPO202",
            "TRPO303",
            "TRPO304",
            "TRPO502",
            "TRPO503",
            "TRPO805",
            "TRPO001",
            *_OUTCOME,
        ),
        sources=("KL of two Gaussians", "arXiv 2006.05990, section 3.2: initial std of actions"),
        confidence=0.85,
    ),
    Rule(
        code="TRPO802",
        name="frozen-exploration",
        title="The policy's σ never changes",
        link="policy",
        level="info",
        latency=20,
        when=Recent(Check(p.SIGMA_MOVED, "≤", 0.0), 20, 20),
        why=(
            "log σ is the same to the last digit while the policy changes. That is right where σ is "
            "meant to be fixed; where it should be learned, log_std gets no gradient."
        ),
        guide_fix=None,
        differs="",
        fixes=(
            Fix(
                text=(
                    "If σ should be learned: make log_std a parameter and pass it to the update "
                    "(gradient_norms shows which tensors get a gradient)."
                ),
                origin="founded",
                source="a learned parameter changes in every accepted step",
                change={"learn_std": True},
            ),
        ),
        explains=(),
        sources=("arXiv 1502.05477, section 5: the step moves every parameter",),
        confidence=0.9,
    ),
    Rule(
        code="TRPO805",
        name="low-effective-sample-size",
        title="After the step fewer than half of the samples count",
        link="policy change",
        level="warning",
        latency=5,
        when=All((_FEW, _STALLED)),
        lesser=(
            Grade(
                level="info",
                when=_FEW,
                title="After the step fewer than half of the samples count",
                why="The ratios are spread wide, and the return rises all the same.",
                explains=False,
            ),
        ),
        why=(
            "(Σw)²/(N·Σw²) of the probability ratios is low: a few samples carry the surrogate that "
            "the line search judges by. For Gaussian log ratios it is exp(−2·KL); with many action "
            "dimensions the tails make it smaller, also in runs that learn."
        ),
        guide_fix=None,
        differs="",
        fixes=(
            Fix(
                text="Halve max_kl or double steps_per_iteration.",
                origin="founded",
                source="effective sample size of importance weights, Kong 1992",
            ),
        ),
        explains=(),
        sources=("E[w²] = exp(Var log w) for Gaussian log w",),
        confidence=0.6,
    ),
    Rule(
        code="TRPO806",
        name="short-discount-horizon",
        title="The discount sees under 1 % of an episode, and nothing is learned",
        link="advantage",
        level="fault",
        latency=50,
        when=All(
            (
                _SHORT,
                _NEVER_ROSE,
                _STALLED,
                Gate(Check(p.ITERATIONS, "≥", LONG_ENOUGH)),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=_SHORT,
                title="The discount sees less than 1 % of an episode",
                why="What an action brings later than 1/(1−γ) steps on hardly counts.",
                explains=False,
            ),
        ),
        why=(
            "γ counts rewards over about 1/(1−γ) steps, under a hundredth of an episode, and the "
            "return has not risen in 50 iterations: what is maximised is not what is measured."
        ),
        guide_fix=Fix(
            text="gamma=0.995",
            origin="guide quick fix 4",
            source="debugging guide, quick fix 4",
            change={"gamma": 0.995},
        ),
        differs="",
        fixes=(
            Fix(
                text="Set γ so that 1/(1−γ) covers a tenth of an episode or more (0.99 for 1000 steps).",
                origin="founded",
                source="Σ γᵗ = 1/(1−γ)",
                change={"gamma": 0.99},
            ),
        ),
        explains=_OUTCOME,
        sources=("arXiv 1506.02438, section 3",),
        confidence=0.7,
    ),
)

"""6xx: what came of it (the guide's section 6 and its timeline)."""

from analyzer import measures as m
from analyzer.combination import All, Either, Lasting, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Rule

_TIMELINE = "debugging guide, expected timeline"

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO601",
        name="solved",
        title="The task is solved",
        link="outcome",
        level="info",
        latency=5,
        when=Either(
            (
                All(
                    (
                        Recent(Check(m.RETURN_MARGIN, "≥", 0.0), 3, 3),
                        Check(m.RETURN_MOVED, "≥", 1.0),
                    )
                ),
                All(
                    (
                        Recent(Check(m.CAP_GAP, "≤", 0.005), 5, 5),
                        Check(m.RISE, "≥", 4.0),
                    )
                ),
            )
        ),
        why=(
            "The return stands at what the environment declares solved, or every episode reaches the "
            "best return ever seen after a clear rise. Constant rewards, tiny advantages and failed "
            "searches are what a solved task looks like."
        ),
        guide_fix=Fix(
            text="nothing to fix: the task is solved",
            origin="guide §6",
            source="debugging guide, section 6",
        ),
        differs=(
            "The guide compares with 10.0, the most one STEP of its environment can pay; the log "
            "shows the EPISODE's return."
        ),
        fixes=(
            Fix(
                text="Stop here, keep the checkpoint, evaluate it with deterministic actions.",
                origin="founded",
                source="the environment's declared reward threshold",
            ),
        ),
        explains=(
            "TRPO101",
            "TRPO106",
            "TRPO107",
            "TRPO203",
            "TRPO501",
            "TRPO603",
            "TRPO605",
            "TRPO701",
            "TRPO801",
            "TRPO201",
        ),
        sources=("Gymnasium registry: reward_threshold",),
        confidence=0.95,
    ),
    Rule(
        code="TRPO604",
        name="no-early-update",
        title="KL is still 0 after ten iterations",
        link="policy change",
        level="fault",
        latency=10,
        when=Lasting(Check(m.KL_ALWAYS_ZERO, "≥", 1.0), 10),
        why=(
            "After ten iterations the policy should have changed (KL > 0). That it has not is a "
            "symptom; the links before it say why, or which column would."
        ),
        guide_fix=Fix(
            text="walk the six checks in order and apply the first one's fix",
            origin="guide timeline",
            source=_TIMELINE,
        ),
        differs="A KL of 0 is also what a KL measured against itself prints on every healthy iteration.",
        fixes=(
            Fix(
                text="Log parameter_delta_norm: it tells a policy that stands still from a wrong KL.",
                origin="founded",
                source="KL = 0 for all states exactly when the distributions are equal",
            ),
        ),
        explains=("TRPO605",),
        sources=("debugging guide, expected timeline",),
        confidence=0.7,
    ),
    Rule(
        code="TRPO605",
        name="no-early-improvement",
        title="The return has not risen in a hundred iterations",
        link="outcome",
        level="warning",
        latency=100,
        when=All((Check(m.RISE, "<", 4.0), Check(m.LEARNING_ITERATIONS, "≥", 100.0))),
        why=(
            "After 100 iterations and 200,000 steps no stretch of ten iterations beats the first ten "
            "by more than noise. Hard tasks take longer; with every link alive look at the "
            "environment and the policy's architecture."
        ),
        guide_fix=Fix(
            text="after 100 iterations the reward should improve noticeably; else suspect the environment",
            origin="guide timeline",
            source=_TIMELINE,
        ),
        differs="",
        fixes=(
            Fix(
                text=(
                    "Compare with a random and a zero-action policy, and train the same settings on a "
                    "task known to learn (InvertedPendulum-v5)."
                ),
                origin="founded",
                source="standard error of a difference of means",
            ),
        ),
        explains=(),
        sources=("debugging guide, expected timeline",),
        confidence=0.6,
    ),
)

"""6xx: what came of it (the guide's section 6 and its timeline)."""

from analyzer import measures as m
from analyzer import trends as t
from analyzer.combination import All, Either, Gate, Lasting, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

_TIMELINE = "debugging guide, expected timeline"
_BELIEVABLE = Gate(Check(t.BELIEVABLE, "≥", 1.0))
_BEYOND_NOISE = Check(t.RETURN_FELL, ">", 4.0)
DIPPED, LOST = 0.25, 0.6
"""Shares of what had been gained. Healthy long runs lose up to .4 for twenty iterations."""

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
                        _BELIEVABLE,
                    )
                ),
                All(
                    (
                        Recent(Check(m.CAP_GAP, "≤", 0.005), 5, 5),
                        Check(m.RISE, "≥", 4.0),
                        _BELIEVABLE,
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
            "TRPO203",
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
        code="TRPO602",
        name="regression",
        title="The return has fallen far below what it had reached",
        link="outcome",
        level="fault",
        latency=20,
        when=Recent(All((Check(t.RETURN_FELL_SHARE, ">", LOST), _BEYOND_NOISE)), 20, 20),
        lesser=(
            Grade(
                level="warning",
                when=Recent(All((Check(t.RETURN_FELL_SHARE, ">", DIPPED), _BEYOND_NOISE)), 10, 10),
                title="The return has fallen below what it had reached",
                why=(
                    "Over a quarter of the gain has been lost for ten iterations. Runs that learn dip "
                    "like this now and then and come back."
                ),
                explains=False,
            ),
        ),
        why=(
            "For twenty iterations the mean of ten returns has lain below the best such mean by more "
            "than 60 % of all that was gained, and by more than four standard errors. That is the "
            "outcome of something before it: a step too large, exploration lost, rewards or "
            "observations that changed."
        ),
        guide_fix=Fix(
            text="after 100 iterations the reward should improve noticeably; else suspect the environment",
            origin="guide timeline",
            source=_TIMELINE,
        ),
        differs="A fall after a rise shows that the task can be learned: look at what changed since.",
        fixes=(
            Fix(
                text=(
                    "Go back to the checkpoint before the fall and compare KL, σ, rewards and "
                    "observations on both sides of it; with none of them changed, halve max_kl."
                ),
                origin="founded",
                source="arXiv 1502.05477, section 3: improvement is bounded below by a KL penalty",
                change={"max_kl": 0.005},
            ),
        ),
        explains=(),
        sources=("standard error of a difference of means",),
        confidence=0.6,
    ),
    Rule(
        code="TRPO603",
        name="plateau",
        title="The return rose and has stood still for a hundred iterations",
        link="outcome",
        level="info",
        latency=100,
        when=All(
            (
                Check(t.TREND_100, "<", t.RISEN),
                Check(t.TREND_100, ">", -t.RISEN),
                Check(m.RISE, "≥", 4.0),
            )
        ),
        why=(
            "No trend is left in the last hundred returns (Mann-Kendall on means of ten, which "
            "autocorrelation does not mislead). The policy converged: to the task's best, or to the "
            "best it can find from here."
        ),
        guide_fix=Fix(
            text="increase max_kl from 0.01 to 0.05",
            origin="guide quick fix 4",
            source="debugging guide, quick fix 4",
            change={"max_kl": 0.05},
        ),
        differs="A larger step does not find what the batch does not show.",
        fixes=(
            Fix(
                text="Take larger batches or start anew with another seed and a larger σ; compare.",
                origin="founded",
                source="Mann 1945; Hamed and Rao 1998 on autocorrelated data",
            ),
        ),
        explains=(),
        sources=("Mann-Kendall trend test on block means",),
        confidence=0.7,
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
                text=(
                    "Log parameter_delta_norm: it tells a policy that stands still from a wrong KL. "
                    "Where update_outcome says that updates are skipped, look for an absolute "
                    "threshold in the trainer: what is too small depends on the rewards' unit."
                ),
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
                    "Probe the environment: `trpo-tui probe-env ID` sets random against zero actions. "
                    "Rewards of 0.1 to 5.0 a step that answer to actions can be learned; equal or "
                    "vanishing ones cannot."
                ),
                origin="founded",
                source="debugging guide, its last sentence and quick fix 1",
            ),
            Fix(
                text=(
                    "Check the policy's architecture by its columns: a tensor without gradient in "
                    "gradient_norms (206), saturated_units_fraction (803), action_mean_clip_fraction "
                    "(804), observation_dead_dimensions (110), γ against the episode's length (806)."
                ),
                origin="founded",
                source="debugging guide, its last sentence",
            ),
            Fix(
                text=(
                    "Train the same settings on a task known to learn: `trpo-tui train --env "
                    "InvertedPendulum-v5`. If that learns, the trainer is sound."
                ),
                origin="founded",
                source="a control: one thing changed",
            ),
        ),
        explains=(),
        sources=("debugging guide, expected timeline",),
        confidence=0.6,
    ),
    Rule(
        code="TRPO606",
        name="throughput-drop",
        title="Training runs at less than half of its former speed",
        link="outcome",
        level="info",
        latency=10,
        when=Recent(Check(t.SPEED_SHARE, "<", 0.5), 10, 10),
        why=(
            "Environment steps per second have fallen to under half of the best ten iterations. "
            "What is learned is the same: another job on the machine, a slow disk or network, longer "
            "resets, memory that swaps."
        ),
        guide_fix=None,
        differs="",
        fixes=(
            Fix(
                text=(
                    "Compare seconds_sampling, seconds_policy, seconds_value and seconds_logging before "
                    "and after, then cpu_percent and memory_mb."
                ),
                origin="founded",
                source="the iteration's time is the sum of its phases",
            ),
        ),
        explains=(),
        sources=("clock of the run log",),
        confidence=0.8,
    ),
)

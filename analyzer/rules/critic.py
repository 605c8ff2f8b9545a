"""7xx: the critic, and targets it cannot reach."""

from analyzer import critics as c
from analyzer import measures as m
from analyzer.combination import All, Either, Enough, Gate, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

LARGE_TARGET = 1000.0
"""A network's output begins around 1 and Adam at 1e-3 moves it by about 10 an iteration (4 to 13 in
runs with targets of 1e7): targets above this are a hundred iterations away from the start."""
PACE = 10.0
"""How far Adam at 1e-3 moves the critic's output in an iteration."""
NEVER = 10_000.0
"""Iterations to the targets that no run waits for. Measured with rewards 1e5 times too large: 2e5."""
FAR = 300.0
OUT_OF_SIGHT = 0.1
"""Share of its targets' size that a critic reaches which has all the way before it."""
WORSE_THAN_NOTHING = 2.0
"""Loss over the mean squared target right after the fit. V = 0 has 1, a critic fitted to the negated
targets 4. Largest in any healthy row: 0.99."""
BLOWN_UP = 1000.0
"""Growth of the critic's loss under returns that did not grow."""
UNTOUCHED = 0.98
"""Share of the loss that a fit leaves when it does nothing. In healthy runs the median of ten rows
is below it, except where there is nothing left to learn."""
_NEVER_ROSE = Check(m.RISE, "<", 4.0)
_LARGE = Check(c.TARGET_SIZE, ">", LARGE_TARGET, origin="a hundred iterations of Adam at 1e-3")
_UNSEEN = Check(c.VALUE_REACH, "<", OUT_OF_SIGHT)
_MOVES = Gate(Check(c.CRITIC_STEP, ">", 0.0))
_SCALED_TARGETS = Fix(
    text="Divide the rewards, or the value targets, by their running deviation.",
    origin="founded",
    source="arXiv 2006.05990, section 3.5: value normalisation",
    change={"normalise_rewards": True},
)

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO103",
        name="oversized-reward",
        title="The rewards are far larger than the critic can reach",
        link="reward",
        level="fault",
        latency=5,
        when=Either(
            (
                Recent(All((Check(c.FITS_NEEDED, ">", NEVER), _LARGE, _UNSEEN, _MOVES)), 3, 3),
                Enough(
                    Recent(
                        All(
                            (
                                Check(c.EXPLAINED_VARIANCE, "<", 0.01),
                                Check(c.EXPLAINED_VARIANCE, ">", -0.01),
                                Check(c.UNTOLD_LOSS, ">", (PACE * NEVER) ** 2),
                            )
                        ),
                        20,
                        20,
                    )
                ),
            )
        ),
        lesser=(
            Grade(
                level="warning",
                when=Recent(All((Check(c.FITS_NEEDED, ">", FAR), _LARGE, _UNSEEN, _MOVES)), 10, 10),
                title="The critic needs hundreds of iterations to reach its targets",
                why=(
                    "The value targets are large beside what one fit moves the critic by. Until it "
                    "arrives, the advantages are nearly whole returns, with all of their variance."
                ),
                explains=False,
            ),
            Grade(
                level="warning",
                when=Recent(
                    All(
                        (
                            Check(c.EXPLAINED_VARIANCE, "<", 1e-3),
                            Check(c.EXPLAINED_VARIANCE, ">", -1e-3),
                            Check(c.VALUE_LOSS, ">", (10.0 * LARGE_TARGET) ** 2),
                        )
                    ),
                    20,
                    20,
                ),
                title="The critic explains nothing of very large returns",
                why=(
                    "Its explained variance stays 0 while its error is above 10,000: a network whose "
                    "output begins around 1 stands still beside such targets."
                ),
                explains=False,
            ),
        ),
        why=(
            "Adam moves the critic by about its step size a step, whatever the loss. Each fit takes "
            "away less than 1/5,000 of the error although the critic moves: at this pace it never "
            "arrives, V stays a constant beside its targets, and the advantages are raw returns. "
            "Where the critic does not move at all, or the targets are small, it is TRPO701."
        ),
        guide_fix=Fix(
            text="verify that reward scaling is applied: rewards of 0.1 to 5.0 a step",
            origin="guide §1",
            source="debugging guide, quick fix 1 and expected timeline",
        ),
        differs=(
            "0.1 to 5.0 suits its environment; what matters is the size of the value targets, "
            "rewards times 1/(1 − γ), beside what the critic's steps can move."
        ),
        fixes=(_SCALED_TARGETS,),
        explains=("TRPO701", "TRPO702", "TRPO207", "TRPO605"),
        sources=("arXiv 1412.6980, section 2.1: Adam's steps are bounded by its step size",),
        confidence=0.9,
    ),
    Rule(
        code="TRPO701",
        name="critic-not-learning",
        title="The critic does not learn",
        link="critic",
        level="fault",
        latency=3,
        when=Either(
            (
                Recent(
                    All((Check(c.CRITIC_STEP, "≤", 0.0), Check(c.ERROR_OVER_ROUNDING, ">", 1.0))),
                    3,
                    3,
                ),
                Recent(
                    All(
                        (
                            Check(c.FIT_SHARE, ">", UNTOUCHED),
                            Check(c.EXPLAINED_VARIANCE, "<", 0.1),
                            Check(c.VALUE_SPREAD, "<", 0.2),
                            Check(c.ERROR_TO_TARGETS, ">", 0.01),
                            Gate(Check(c.TARGET_SIZE, "≤", LARGE_TARGET)),
                        )
                    ),
                    20,
                    20,
                ),
            )
        ),
        why=(
            "The critic's parameters do not change, or its fit leaves the loss where it was, though "
            "there is an error to fit. The advantages are then returns with a fixed offset: the "
            "gradient points the right way under far more noise. Where the critic moves and the "
            "targets are out of its reach, it is TRPO103."
        ),
        guide_fix=None,
        differs="The guide's vf_iters 3 → 1 makes this worse.",
        fixes=(
            Fix(
                text=(
                    "Check that the critic's parameters are in its optimiser, that its step size "
                    "and its number of epochs are above 0, and that the loss is built from the "
                    "network's output, not from a detached or stored copy."
                ),
                origin="founded",
                source="a gradient step changes the parameters unless the gradient or the rate is 0",
                change={"vf_lr": 1e-3, "vf_iters": 10},
            ),
        ),
        explains=("TRPO702", "TRPO207", "TRPO605", "TRPO603"),
        sources=("arXiv 1506.02438, section 5",),
        confidence=0.93,
    ),
    Rule(
        code="TRPO702",
        name="negative-explained-variance",
        title="The critic is worse than one that says 0 everywhere",
        link="critic",
        level="fault",
        latency=3,
        when=Either(
            (
                Recent(Check(c.AFTER_FIT, ">", WORSE_THAN_NOTHING), 3, 10),
                Recent(
                    All(
                        (
                            Check(c.ERROR_TO_TARGETS, ">", WORSE_THAN_NOTHING),
                            Check(c.EXPLAINED_VARIANCE, "<", 0.0),
                        )
                    ),
                    10,
                    10,
                ),
                Enough(All((Recent(Check(c.UNTOLD_TARGETS, "<", -1.0), 20, 20), _NEVER_ROSE))),
                Enough(All((Recent(Check(c.LOSS_GROWTH, ">", BLOWN_UP), 5, 5), _NEVER_ROSE))),
            )
        ),
        why=(
            "Right after its fit the critic's error on the very batch it was fitted to is larger "
            "than the targets themselves, or it stays so for ten iterations before the fit. It is "
            "fitted to something else: targets of the wrong sign, of other steps, in another unit. "
            "Where the targets are not logged: the explained variance is below −1 for twenty "
            "iterations, or the loss grows a thousandfold, while returns differ and do not rise. "
            "A negative explained variance alone is no fault: fresh critics have it, and so do "
            "solved tasks, whose targets hardly vary."
        ),
        guide_fix=None,
        differs="",
        fixes=(
            Fix(
                text=(
                    "Print targets beside V for one batch, after the fit: sign, unit and order of "
                    "the steps must agree (no transposed flattening, no broadcast of (N,) against "
                    "(N, 1), the same normalisation on both sides)."
                ),
                origin="founded",
                source="a least-squares fit is never worse than the constant 0 on its own batch",
            ),
        ),
        explains=("TRPO207", "TRPO605", "TRPO603", "TRPO602"),
        sources=("arXiv 1506.02438, section 5",),
        confidence=0.93,
    ),
)

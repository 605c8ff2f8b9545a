"""5xx: the line search (the guide's section 5)."""

from analyzer import measures as m
from analyzer.combination import All, Either, Recent
from analyzer.condition import Check
from analyzer.diagnosis import Fix
from analyzer.rule import Grade, Rule

_REJECTED = Check(m.REJECTED, "≥", 1.0)
_FROM_THE_START = All((Recent(_REJECTED, 3, 3), Check(m.ALWAYS_REJECTED, "≥", 3.0)))

RULES: tuple[Rule, ...] = (
    Rule(
        code="TRPO501",
        name="line-search-failure",
        title="The line search finds no acceptable step",
        link="line search",
        level="fault",
        latency=20,
        when=Either((Recent(_REJECTED, 10, 20), _FROM_THE_START)),
        lesser=(
            Grade(
                level="warning",
                when=Recent(_REJECTED, 3, 3),
                title="The line search failed three times in a row",
                why="A failed search now and then is normal; three in a row are worth a look.",
            ),
        ),
        why=(
            "Every fraction down to the last violates the KL limit or gains nothing. Where KL does "
            "not vanish with β the old policy is stale (003); where every gain is negative the signs "
            "disagree (205); where gains are rounding the fault lies upstream; where KL(1) ≫ δ the "
            "Fisher product is wrong (304)."
        ),
        guide_fix=Fix(
            text="reduce the step size (more damping), check rewards, verify the KL computation",
            origin="guide §5",
            source="debugging guide, section 5",
            change={"damping": 0.5},
        ),
        differs=(
            "Ten halvings already try 1/512 of the step, and the search never sees whether rewards "
            "are right; split the failure by its candidates first."
        ),
        fixes=(
            Fix(
                text=(
                    "Log gain and KL of every candidate (line_search_fractions, line_search_gains, "
                    "line_search_kls) and see which condition fails as β → 0."
                ),
                origin="founded",
                source="KL ∝ β² and gain ∝ β as β → 0",
            ),
        ),
        explains=("TRPO604", "TRPO605"),
        sources=("arXiv 1502.05477, appendix C", "Taylor expansion"),
        confidence=0.8,
        needs_trust_region=True,
    ),
)

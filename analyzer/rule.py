"""A rule: one documented object from which the answer, the report, `explain` and the docs derive."""

from collections.abc import Callable
from dataclasses import dataclass

from analyzer.condition import Condition
from analyzer.diagnosis import Fix, Level, Link
from analyzer.measure import Measure
from analyzer.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A milder reading of a rule: another condition, at a lower level, with its own title."""

    level: Level
    when: Condition
    title: str
    why: str
    explains: bool = True
    """Whether, at this level, the finding may explain others (and lower them to its level)."""
    undecided: bool = False
    """Whether, at this level, a run cannot be called healthy although nothing is a fault yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that can be wrong with a TRPO run.

    `latency`: rows the condition looks back. `explains`: codes that follow from this one.
    `needs_trust_region`: not applicable to algorithms without conjugate gradient and line search.
    `distrusts`: columns that cannot be believed where the rule says yes.
    """

    code: str
    name: str
    title: str
    link: Link
    level: Level
    latency: int
    when: Condition
    why: str
    guide_fix: Fix | None
    differs: str
    """Why the founded fix is not the guide's; empty where they agree or the guide has none."""
    fixes: tuple[Fix, ...]
    explains: tuple[str, ...]
    sources: tuple[str, ...]
    confidence: float
    """How often a yes of this rule at full precision is right; a prior until the bench fits it."""
    lesser: tuple[Grade, ...] = ()
    needs_trust_region: bool = False
    distrusts: tuple[str, ...] = ()
    where: Callable[[View, int], Link] | None = None
    """The link at one row, for the rule whose link depends on the column."""

    @property
    def guide_section(self) -> int | None:
        """The guide's section, which is the code's hundreds digit where that is 1 to 6."""
        digit = int(self.code[4])
        return digit if 1 <= digit <= 6 else None

    @property
    def grades(self) -> tuple[Grade, ...]:
        """The rule itself, then its milder readings."""
        own = Grade(level=self.level, when=self.when, title=self.title, why=self.why)
        return (own, *self.lesser)

    @property
    def all_fixes(self) -> tuple[Fix, ...]:
        """The guide's fix, then the founded ones."""
        return (*((self.guide_fix,) if self.guide_fix else ()), *self.fixes)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every measure the rule looks at, each once."""
        found = {m.name: m for grade in self.grades for m in grade.when.measures}
        return tuple(found.values())

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns without which some part of the rule cannot be judged."""
        return tuple(dict.fromkeys(name for m in self.measures for name in m.columns))

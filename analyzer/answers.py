"""Every rule over the whole run at once: one answer per rule and iteration, causal."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

import numpy as np

from analyzer.condition import UNKNOWN, YES, Outcome, outcome
from analyzer.diagnosis import Diagnosis
from analyzer.interval import Flags
from analyzer.rule import Grade, Rule
from analyzer.rules import RULES
from analyzer.view import View
from runlog.open_files import files_kept_open
from runlog.run import Run
from runlog.schema import BY_NAME

NO_TRUST_REGION = ("ppo", "a2c", "a3c", "sac", "td3", "ddpg", "vpg", "reinforce", "grpo", "dqn")
"""Algorithms whose updates have neither conjugate gradient nor line search."""


LONG = 200_000
"""Rows from which on rules are judged side by side: then NumPy works outside Python's lock."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One rule over the run: an outcome per grade, or why it does not apply."""

    rule: Rule
    outcomes: tuple[Outcome, ...]
    not_applicable: str
    view: View

    def grade(self, row: int) -> int | None:
        """The first grade that says yes at this row."""
        for k, found in enumerate(self.outcomes):
            if found.answer[row] == YES:
                return k
        return None

    def known(self, row: int) -> bool:
        """Whether the rule itself (not a milder reading) could be judged at this row."""
        return bool(self.outcomes) and bool(self.outcomes[0].answer[row] != UNKNOWN)

    def grade_of(self, k: int) -> Grade:
        """The grade's own words."""
        return self.rule.grades[k]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The whole-column answers of every rule; `at(i)` uses rows ≤ i only."""

    run: Run
    judged: tuple[Judged, ...]
    ignored: Mapping[str, str] = field(default_factory=dict)
    cut: Flags = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """(n,) True at a foreign log's row that lacks columns of the row before: a block cut short."""

    def at(self, row: int) -> Diagnosis:
        """The diagnosis as of row `row` (0-based; negative counts from the end).

        A block cut short tells less than the one before it, whose diagnosis stands until then.
        """
        from analyzer.diagnose import diagnose

        row = row % len(self.run) if len(self.run) else -1
        found = diagnose(self, row)
        if row < 1 or not self.cut[row]:
            return found
        before = diagnose(self, row - 1)
        return found if found.cause is not None and before.cause is None else before

    def cause(self, row: int) -> str | None:
        """The code of the cause that `at` names, for a few hundredths of its time; row ≥ 0."""
        from analyzer.diagnose import cause_at

        if row < 1 or not self.cut[row]:
            return cause_at(self, row)
        return cause_at(self, row - 1) or cause_at(self, row)

    def last(self) -> Diagnosis:
        """The diagnosis as of the last row."""
        return self.at(len(self.run) - 1)

    def extend(self, run: Run) -> "Answers":
        """The answers for a run that has grown; equal to judging it afresh."""
        return answers(run, ignore=self.ignored)


def answers(run: Run, *, ignore: Mapping[str, str] | None = None) -> Answers:
    """Judge every rule over the whole run. `ignore`: code → the user's reason."""
    with files_kept_open():
        return _answers(run, dict(ignore or {}))


def _answers(run: Run, ignored: Mapping[str, str]) -> Answers:
    plain = View(run)
    distrusting, rest, order = stages(ignored)
    first = {rule.code: judge(rule, plain) for rule in distrusting}
    hidden: dict[str, Flags] = {}
    for judged in first.values():
        if judged.outcomes:
            yes = np.asarray(judged.outcomes[0].answer == YES)
            for name in judged.rule.distrusts:
                hidden[name] = hidden[name] | yes if name in hidden else yes
    believed = View(run, {name: rows for name, rows in hidden.items() if rows.any()})
    if len(run) < LONG:
        found = {rule.code: judge(rule, believed) for rule in rest}
    else:
        # 12 ms that short runs do not pay
        from concurrent.futures import ThreadPoolExecutor

        from analyzer.memory import keep_freed_memory

        keep_freed_memory()
        with ThreadPoolExecutor() as threads:
            judged_rest = threads.map(lambda rule: judge(rule, believed), rest)
            found = {judged.rule.code: judged for judged in judged_rest}
    found |= first
    judged_all = tuple(found[rule.code] for rule in order)
    return Answers(run, judged_all, ignored, _cut(run))


def _cut(run: Run) -> Flags:
    cut = np.zeros(len(run), dtype=bool)
    if run.source is None:  # columns of our own logs are null in between by design
        return cut
    for name, type_ in run.types.items():
        if name not in BY_NAME or BY_NAME[name].group in ("progress", "reward"):
            continue
        column = run.lists(name) if type_.startswith("list<") else run.column(name)
        cut[1:] |= column.present[:-1] & ~column.present[1:]
    return cut


def stages(ignored: Container[str]) -> tuple[list[Rule], list[Rule], list[Rule]]:
    """The rules that hide cells from the others, the others, and both in the order of the loop."""
    order = [rule for rule in RULES if rule.code not in ignored]
    return [r for r in order if r.distrusts], [r for r in order if not r.distrusts], order


def judge(rule: Rule, view: View) -> Judged:
    """One rule over the run of that view."""
    algorithm = str(view.fact("algorithm") or "").lower()
    if rule.needs_trust_region and algorithm in NO_TRUST_REGION:
        return Judged(rule, (), f"{algorithm} has no conjugate gradient and no line search", view)
    with files_kept_open(), np.errstate(all="ignore"):
        outcomes = tuple(outcome(grade.when, view) for grade in rule.grades)
    return Judged(rule, outcomes, "", view)

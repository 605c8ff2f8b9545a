"""Answers over a run too long to keep what they were made of: a rule's columns and measures are let
go when it is judged, and read again for the rows a diagnosis is asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.answers import Answers, Judged, judge, stages
from analyzer.condition import YES, Codes, Outcome
from analyzer.diagnose import diagnose
from analyzer.diagnosis import Diagnosis
from analyzer.findings import Hit, cause_code
from analyzer.interval import Flags
from analyzer.measure import Rows
from analyzer.memory import give_freed_memory_back, trim
from analyzer.rule import Rule
from analyzer.view import View
from runlog.open_files import files_kept_open
from runlog.row_groups import RowGroups
from runlog.run import Run

HISTORY = 4096
"""Rows before the one in question that evidence is made of."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """(n,) answers, and the onsets of the yeses as stretches of rows that share one."""

    answer: Codes
    starts: Rows
    onsets: Rows

    def onset(self, row: int) -> int:
        """Where the yes at this row began."""
        return int(self.onsets[np.searchsorted(self.starts, row, side="right") - 1])


def packed(outcome: Outcome) -> Packed:
    """The outcome without what it was made of."""
    yes = np.flatnonzero(outcome.answer == YES)
    if not len(yes):
        nothing = np.zeros(0, dtype=np.int64)
        return Packed(outcome.answer.copy(), nothing, nothing)
    onset = outcome.onset[yes]
    new = np.flatnonzero(np.diff(onset, prepend=-1))
    return Packed(outcome.answer.copy(), yes[new], onset[new])


@dataclass(frozen=True, slots=True, eq=False)
class PackedRule:
    """A rule judged over the whole run."""

    rule: Rule
    outcomes: tuple[Packed, ...]
    not_applicable: str

    def yes(self, row: int) -> tuple[int, int] | None:
        """Its first grade that says yes at this row, and where that began."""
        for k, found in enumerate(self.outcomes):
            if found.answer[row] == YES:
                return k, found.onset(row)
        return None

    def around(self, rows: Rows, view: View) -> Judged:
        """The rule over some rows alone."""
        return Judged(
            self.rule,
            tuple(_around(each, rows) for each in self.outcomes),
            self.not_applicable,
            view,
        )


def _around(whole: Packed, rows: Rows) -> Outcome:
    answer = whole.answer[rows]

    def begins() -> Rows:
        onset = np.zeros(len(rows), dtype=np.int64)
        yes = np.flatnonzero(answer == YES)
        began = whole.onsets[np.searchsorted(whole.starts, rows[yes], side="right") - 1]
        onset[yes] = np.minimum(np.searchsorted(rows, began), yes)
        return onset

    return Outcome(answer, begins)


@dataclass(frozen=True, slots=True, eq=False)
class LongAnswers:
    """What `Answers` are for a run whose rows lie in one Parquet file.

    Answers, causes and first bad iterations are those of the whole run; the numbers shown are made
    of the last HISTORY rows, and of each row where something began its iteration alone.
    """

    run: Run
    judged: tuple[PackedRule, ...]
    hidden: Mapping[str, Flags]
    ignored: Mapping[str, str]
    groups: RowGroups = field(repr=False)

    def at(self, row: int) -> Diagnosis:
        """The diagnosis as of row `row` (0-based; negative counts from the end)."""
        row %= len(self.run)
        first = max(0, row + 1 - HISTORY)
        onsets = {yes[1] for each in self.judged if (yes := each.yes(row)) is not None}
        earlier = sorted(at for at in onsets if at < first)
        numbers = self.run.column("iteration").values
        before = [{"iteration": int(numbers[at])} for at in earlier]
        rows = np.array([*earlier, *range(first, row + 1)], dtype=np.int64)
        run = self.groups.stretch(first, row + 1, before)
        with files_kept_open():
            view = View(run, {name: flags[rows] for name, flags in self.hidden.items()})
            plain = View(run)
            judged = tuple(
                each.around(rows, plain if each.rule.distrusts else view) for each in self.judged
            )
            cut = np.zeros(len(rows), dtype=bool)
            found = diagnose(Answers(run, judged, self.ignored, cut), len(rows) - 1)
            view.forget()
            plain.forget()
        return replace(found, row=row, iterations=row + 1)

    def cause(self, row: int) -> str | None:
        """The code of the cause that `at` names, without reading anything again; row ≥ 0."""
        view = View(self.run)
        hits = [
            Hit(Judged(each.rule, (), each.not_applicable, view), *yes)
            for each in self.judged
            if (yes := each.yes(row)) is not None
        ]
        if len(hits) > 1 and any(hit.judged.rule.where for hit in hits):
            cause = self.at(row).cause
            return None if cause is None else cause.code
        numbers = self.run.column("iteration").values
        return cause_code(hits, numbers, lambda hit: hit.judged.rule.link)

    def last(self) -> Diagnosis:
        """The diagnosis as of the last row."""
        return self.at(len(self.run) - 1)


def can_be_long(run: Run) -> bool:
    """Whether its rows can be read again in stretches, and are numbered."""
    return RowGroups.has(run) and run.source is None and bool(run.column("iteration").present.all())


def long_answers(run: Run, *, ignore: Mapping[str, str] | None = None) -> LongAnswers:
    """Judge rule after rule over the whole run. `ignore`: code → the user's reason."""
    give_freed_memory_back()
    ignored = dict(ignore or {})
    first, rest, order = stages(ignored)
    with files_kept_open():
        found = dict(_each(first, run, {}))
        hidden: dict[str, Flags] = {}
        for rule in first:
            for each in found[rule.code].outcomes[:1]:
                yes = each.answer == YES
                for name in rule.distrusts if yes.any() else ():
                    hidden[name] = hidden[name] | yes if name in hidden else yes
        found |= _each(rest, run, hidden)
    judged = tuple(found[rule.code] for rule in order)
    trim()
    return LongAnswers(run, judged, hidden, ignored, RowGroups(run))


def _each(
    rules: Iterable[Rule], run: Run, hidden: Mapping[str, Flags]
) -> Iterable[tuple[str, PackedRule]]:
    for rule in rules:
        view = View(replace(run, _cache={}), dict(hidden))
        judged = judge(rule, view)
        outcomes = tuple(map(packed, judged.outcomes))
        view.forget()
        yield rule.code, PackedRule(rule, outcomes, judged.not_applicable)

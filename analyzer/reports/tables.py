"""One line a run, one line a rule."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer.diagnosis import Diagnosis
from analyzer.reports.wording import (
    VERDICT_WORDS,
    WIDTH,
    Paragraphs,
    item,
    printed,
    say,
    sentence,
    verbatim,
    visible,
)
from analyzer.rule import Rule
from runlog.run import Run

_ORDER = ("fault", "unknown", "solved", "healthy", "unreadable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One of several paths: a run with its diagnosis, or the error that kept it from being read."""

    path: str
    run: Run | None = None
    diagnosis: Diagnosis | None = None
    error: str | None = None

    @property
    def kind(self) -> str:
        """The verdict, or that there is none."""
        return "unreadable" if self.diagnosis is None else self.diagnosis.verdict

    @property
    def group(self) -> str:
        """What runs are grouped by: the cause, else the verdict."""
        diagnosis = self.diagnosis
        if diagnosis is None:
            return "UNREADABLE"
        word = VERDICT_WORDS[diagnosis.verdict]
        cause = diagnosis.cause
        return word if cause is None else f"{word} {cause.code} {cause.name}"


def _cut(text: str, width: int) -> str:
    """The end of a text that is too long: folders of runs differ at the end."""
    return text if len(text) <= width else "..." + text[len(text) - width + 3 :]


def table(rows: Sequence[Judged], *, plain: bool = False, notes: Sequence[str] = ()) -> str:
    """One line a run, grouped by cause, the commonest cause first; then what was ignored.

    `notes`: sentences that are true of all of them.
    """
    groups: dict[str, list[Judged]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    ordered = sorted(
        groups.items(), key=lambda item: (_ORDER.index(item[1][0].kind), -len(item[1]), item[0])
    )
    lines: Paragraphs = []
    for name, members in ordered:
        count = len(members)
        lines += say(f"{name}: {count} run{'' if count == 1 else 's'}", "")
        lines += [paragraph for member in members for paragraph in _row(member)]
    ignored = {pair for row in rows if row.diagnosis for pair in row.diagnosis.ignored}
    for code, reason in sorted(ignored):
        lines += say(f"Ignored {code}: {sentence(reason)}" if reason else f"Ignored {code}", "")
    lines += [p for note in notes for p in say(f"Note: {sentence(note)}", "")]
    return printed(lines, plain=plain)


def _row(row: Judged) -> Paragraphs:
    path = visible(row.path)
    if row.diagnosis is None or row.run is None:
        said = visible(row.error or "could not be read")
        # a reader's error begins with the path already
        return item(said if path in said else f"{path}: {said}")
    cause = row.diagnosis.cause
    first = None if cause is None else cause.first_bad_iteration
    begun = "" if first is None else f"since {first}, "
    count = row.diagnosis.iterations
    told = f"{begun}{count} iteration{'' if count == 1 else 's'}, {row.run.state.name}"
    return verbatim(f"{_cut(path, WIDTH - 4 - len(told))}  {told}", "  ")


def rules_table(rules: Iterable[Rule] | None = None, *, plain: bool = False) -> str:
    """Every rule on one line: code, name, link, level, title; in the order of their codes."""
    if rules is None:
        from analyzer.rules import RULES

        rules = RULES
    ordered = sorted(rules, key=lambda rule: rule.code)
    names = max((len(rule.name) for rule in ordered), default=0)
    lines: Paragraphs = []
    for rule in ordered:
        start = f"{rule.code} {rule.name:<{names}} {rule.level:<7} "
        lines += say(rule.title, " " * len(start), start)
    return printed(lines, plain=plain)

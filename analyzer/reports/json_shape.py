"""The JSON report's shape, declared once: types for the code, meanings for its published schema."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict

from analyzer.diagnosis import Answer, Level, Link, Verdict
from runlog.run import StateName

Version = Literal[1]
"""Version of the object; keys are only ever added."""


class Tool(TypedDict):
    """The program that wrote this."""

    version: Annotated[str, "Version of trpo-tui."]
    rules: Annotated[int, "How many rules it knows."]


class Import(TypedDict):
    """What was made of another trainer's log."""

    format: Annotated[str, "Name of the log's format."]
    attempts: Annotated[int, "How many starts the log holds."]
    understood: Annotated[Sequence[str], "Keys that became columns."]
    not_understood: Annotated[Sequence[str], "Keys that did not."]


class State(TypedDict):
    """Is the process alive?"""

    name: Annotated[StateName, "One word for it."]
    last_iteration: Annotated[int | None, "Iteration of the last row."]
    last_row_time: Annotated[float | None, "When the last row was complete, Unix seconds."]
    reason: Annotated[str | None, "One sentence, such as an exception's text."]


class Base(TypedDict):
    """What a confidence rests on: runs of the fault bench with this kind of log."""

    right: Annotated[
        int, "Runs in which it was the right one; of a mere symptom, in which something was wrong."
    ]
    of: Annotated[int, "Runs in which it was named."]
    log: Annotated[str, "Kind of log: whole log, partial log or printed table."]


class Cause(TypedDict):
    """The link that died first."""

    code: Annotated[str, "Code of the rule, such as TRPO101."]
    name: Annotated[str, "Name of the rule."]
    title: Annotated[str, "What is wrong, in one sentence."]
    link: Annotated[Link, "Link of the update that is dead."]
    confidence: Annotated[float, "How often such a finding is right, 0 to 1."]
    base: Annotated[Base | None, "What the confidence rests on."]
    first_bad_iteration: Annotated[int | None, "Where it began."]


class GuideAnswer(TypedDict):
    """The debugging guide's own tree, literally."""

    section: Annotated[int | None, "First section that says yes, 1 to 6."]
    answer: Annotated[Answer, "What that section says."]


class GuideCheck(TypedDict):
    """One of the guide's six checks."""

    section: Annotated[int, "The guide's section."]
    title: Annotated[str, "What it asks."]
    answer: Annotated[Answer, "What it says."]
    measure: Annotated[str, "The column it looks at."]
    value: Annotated[float | str | None, "Its value; NaN, Infinity and -Infinity as words."]


class GuideWalk(GuideAnswer):
    """The guide's answer with its six checks."""

    checks: Annotated[Sequence[GuideCheck], "The six checks in their order."]


class Evidence(TypedDict):
    """One comparison."""

    measure: Annotated[str, "A column or a measure made of columns."]
    value: Annotated[float | str | None, "Its value; NaN, Infinity and -Infinity as words."]
    comparison: Annotated[str, "How it was compared."]
    bound: Annotated[float | str | None, "With what; null where it is only shown."]
    unit: Annotated[str, "Unit of both."]


class Fix(TypedDict):
    """One thing to do."""

    text: Annotated[str, "What to do."]
    origin: Annotated[str, "guide §1 to §6, or founded."]
    source: Annotated[str, "Where it is from."]
    change: Annotated[Mapping[str, Any] | None, "Settings to change, field to value."]


class Finding(TypedDict):
    """A rule that says yes."""

    code: Annotated[str, "Code of the rule, such as TRPO101."]
    name: Annotated[str, "Name of the rule."]
    title: Annotated[str, "What it found, in one sentence."]
    link: Annotated[Link, "Link of the update it is about."]
    level: Annotated[Level, "Only a fault can be the cause."]
    answer: Annotated[Answer, "What the rule says."]
    confidence: Annotated[float, "How often such a finding is right, 0 to 1."]
    base: Annotated[Base | None, "What the confidence rests on."]
    first_bad_iteration: Annotated[int | None, "Where it began."]
    last_bad_iteration: Annotated[int | None, "Last iteration in which it was seen."]
    explained_by: Annotated[str | None, "Code of the finding that causes this one."]
    evidence: Annotated[Sequence[Evidence], "The numbers compared."]
    fixes: Annotated[Sequence[Fix], "The guide's fix, then the founded ones."]


class NotAssessable(TypedDict):
    """A rule that could not be judged."""

    code: Annotated[str, "Code of the rule."]
    needs: Annotated[Sequence[str], "Columns this log lacks."]


class NotApplicable(TypedDict):
    """A rule that makes no sense for this run."""

    code: Annotated[str, "Code of the rule."]
    why: Annotated[str, "Why not."]


class LogNext(TypedDict):
    """A column that would decide."""

    column: Annotated[str, "The column to log."]
    decides: Annotated[Sequence[str], "Codes it tells of."]
    snippet: Annotated[str, "Lines that log it."]


class Ignored(TypedDict):
    """A rule the user left out."""

    code: Annotated[str, "Code of the rule."]
    reason: Annotated[str, "The user's reason."]


Report = TypedDict(  # functional: `import` is a keyword
    "Report",
    {
        "schema": Annotated[Version, "Version of this object; keys are only ever added."],
        "tool": Tool,
        "path": Annotated[str, "The path as it was given."],
        "run": Annotated[Mapping[str, Any], "Metadata of the run as its trainer wrote it."],
        "import": Annotated[Import | None, "Null for the project's own run log."],
        "iterations": Annotated[int, "Rows judged."],
        "state": State,
        "verdict": Annotated[Verdict, "Is TRPO sick?"],
        "cause": Annotated[Cause | None, "Null unless the verdict is fault."],
        "guide": GuideAnswer,
        "findings": Annotated[Sequence[Finding], "Cause first, then what it explains, notes last."],
        "not_assessable": Sequence[NotAssessable],
        "not_applicable": Sequence[NotApplicable],
        "candidates": Annotated[Sequence[str], "Codes that could be the cause."],
        "log_next": Annotated[Sequence[LogNext], "Best column first."],
        "ignored": Sequence[Ignored],
        "notes": Annotated[Sequence[str], "What else must be said: trpo-tui.toml, damaged rows."],
    },
)


class GuideOnly(TypedDict):
    """The line of `--guide-only`."""

    schema: Annotated[Version, "Version of this object; keys are only ever added."]
    tool: Tool
    path: Annotated[str, "The path as it was given."]
    guide: GuideWalk


class WhyOnly(TypedDict):
    """The line of `--why CODE`."""

    schema: Annotated[Version, "Version of this object; keys are only ever added."]
    tool: Tool
    path: Annotated[str, "The path as it was given."]
    why: Annotated[Mapping[str, Any], "One rule on this run: its parts, numbers, and what follows."]


class Unreadable(TypedDict):
    """The line of a run that could not be read, one of several."""

    path: Annotated[str, "The path as it was given."]
    error: Annotated[str, "What is wrong, where, what to do."]


LINES = (Report, GuideOnly, WhyOnly, Unreadable)
"""What one line of `analyze --format json` can be."""

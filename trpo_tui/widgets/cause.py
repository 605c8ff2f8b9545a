"""The diagnosis at the playhead: the cause, since when, its numbers, and what to do."""

from collections.abc import Sequence
from dataclasses import replace

from analyzer.diagnosis import Diagnosis, Finding, Guide
from trpo_tui.frame import Frame
from trpo_tui.text import compared, labelled, wrapped
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.lines import Lines, View


def since(finding: Finding, now: int | None) -> str:
    """From which to which iteration a finding holds, seen from iteration `now`."""
    first, last = finding.first_bad_iteration, finding.last_bad_iteration
    if first is None:
        return ""
    return f"since it {first}" if last is None or last == now else f"it {first} to {last}"


def _title(
    finding: Finding, now: int | None, look: Look, width: int, mark: str, role: Role
) -> list[Line]:
    said = f"{mark} {finding.code} {look.say(finding.title)}"
    when = f"{since(finding, now)}, {finding.confidence:.0%} sure".strip(", ")
    if len(said) + 3 + len(when) <= width:
        return [((said, role), (f"  ({when})", "plain"))]
    return [*wrapped(said, width, 2, role), ((f"  {when}", "plain"),)]


def evidence_lines(finding: Finding, width: int, most: int, look: Look) -> list[Line]:
    """The comparisons, joined on as few lines as they need."""
    said = "; ".join(look.say(compared(evidence)) for evidence in finding.evidence)
    return labelled("evidence", said, width, most, ("dim", "plain")) if said else []


def fix_lines(finding: Finding, width: int, most: int, look: Look) -> list[Line]:
    """The guide's fix and the founded one, each at most `most` lines."""
    lines: list[Line] = []
    for fix in finding.fixes:
        label = look.say(f"fix ({fix.origin})")
        text = look.say(fix.text)
        lines += labelled(label, text, width, most, ("dim", "bold"))
    return lines


def _fixes_shown(finding: Finding, room: int) -> Finding:
    """With little room: one fix of the guide and one founded, so that neither hides the other."""
    if len(finding.fixes) <= max(2, room // 3):
        return finding
    guide = [fix for fix in finding.fixes if fix.origin.startswith("guide")]
    founded = [fix for fix in finding.fixes if not fix.origin.startswith("guide")]
    return replace(finding, fixes=(*guide[:1], *founded[:1]))


def finding_lines(
    finding: Finding, now: int | None, look: Look, width: int, height: int, mark: str, role: Role
) -> list[Line]:
    """A finding in at most `height` lines: every part has its place before any gets a second line."""
    lines = _title(finding, now, look, width, mark, role)
    finding = _fixes_shown(finding, height)
    for most in (16, 12, 9, 7, 5, 4, 3, 2, 1):
        evidence = evidence_lines(finding, width, min(most, 6), look)
        fixes = fix_lines(finding, width, most, look)
        if len(lines) + len(evidence) + len(fixes) <= height or most == 1:
            break
    spare = height - len(lines) - len(evidence) - len(fixes)
    if spare > 0 and finding.fixes:
        # What is left goes to the last fix, the founded one.
        whole = fix_lines(replace(finding, fixes=finding.fixes[:-1]), width, most, look)
        last = replace(finding, fixes=finding.fixes[-1:])
        fixes = [*whole, *fix_lines(last, width, most + spare, look)]
    return [*lines, *evidence, *fixes]


def cause_lines(frame: Frame, look: Look, width: int, height: int) -> list[Line]:
    """What the panel says: the cause, or why there is none, then what else was found."""
    diagnosis = frame.diagnosis
    if diagnosis is None:
        word = "judging the run" if len(frame.run) else "waiting for the first iteration"
        return [((f"{look.unknown} {word}{'' if not look.unicode else ' …'}", "dim"),)]
    if diagnosis.cause is not None:
        cause = diagnosis.cause
        if not diagnosis.headline.startswith(cause.title):
            # Where only a printed number is wrong, that the policy moves must be read first.
            cause = replace(cause, title=diagnosis.headline.rstrip("."))
        lines = finding_lines(cause, diagnosis.iteration, look, width, height, look.dead, "bad")
    else:
        lines = _no_fault(diagnosis, look, width, height)
    others = _others(diagnosis, look)
    return [*lines, *others][:height]


def _no_fault(diagnosis: Diagnosis, look: Look, width: int, height: int) -> list[Line]:
    mark, role = _verdict_mark(diagnosis, look)
    lines = wrapped(f"{mark} {look.say(diagnosis.headline)}", width, 2, role)
    lines += wrapped(look.say(guide_said(diagnosis.guide)), width, 2, "dim")
    if diagnosis.verdict == "unknown":
        for wanted in diagnosis.log_next[: max(1, height - len(lines))]:
            codes = ", ".join(wanted.decides)
            lines.append(((look.say(f"log {wanted.column} to decide {codes}"), "plain"),))
    return lines


def guide_said(guide: Guide) -> str:
    """What the guide's six checks came to, and which of them this log cannot decide."""
    if guide.section is not None:
        return f"guide: section {guide.section} answers yes"
    undecided = [f"§{check.section}" for check in guide.checks if check.answer == "unknown"]
    if not undecided:
        return "guide: all six checks answer no"
    return f"guide: no check says yes; not decided: {', '.join(undecided)}"


def _verdict_mark(diagnosis: Diagnosis, look: Look) -> tuple[str, Role]:
    if diagnosis.verdict in ("healthy", "solved"):
        return look.fine, "good"
    if diagnosis.verdict == "fault":
        return look.dead, "bad"
    return look.unknown, "warn"


def _others(diagnosis: Diagnosis, look: Look) -> list[Line]:
    marks: dict[str, tuple[str, Role]] = {
        "fault": (look.dead, "bad"),
        "warning": (look.warning, "warn"),
        "info": ("i", "dim"),
    }
    lines: list[Line] = []
    for finding in diagnosis.findings:
        if finding == diagnosis.cause:
            continue
        mark, role = marks[finding.level]
        because = f" (because of {finding.explained_by})" if finding.explained_by else ""
        when = since(finding, diagnosis.iteration)
        said = f"{finding.code} {look.say(finding.title)}{because}{', ' + when if when else ''}"
        lines.append(
            ((f"{look.downstream if finding.explained_by else mark} ", role), (said, "dim"))
        )
    return lines


class Cause(Lines):
    """The panel a stranger reads first."""

    parts = ("run", "diagnosis")

    def draw(self, view: View) -> Sequence[Line]:
        return cause_lines(view.frame, self.look, view.width, view.height)

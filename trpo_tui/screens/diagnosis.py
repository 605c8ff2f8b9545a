"""Every rule with its answer and the two numbers compared, in the order of the loop."""

from collections.abc import Iterable

from textual.widget import Widget

from analyzer.diagnosis import Diagnosis, RuleAnswer
from trpo_tui.frame import Frame
from trpo_tui.screens.base import RunScreen
from trpo_tui.text import compared, labelled, wrapped
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.cause import finding_lines
from trpo_tui.widgets.chain import Chain
from trpo_tui.widgets.items import Items
from trpo_tui.widgets.lines import Lines, View


def answer_mark(answer: RuleAnswer, look: Look) -> tuple[str, Role]:
    """A glyph for yes, no, unknown, not applicable; a rule that fires is coloured by its level."""
    levels: dict[str, Role] = {"fault": "bad", "warning": "warn", "info": "bold"}
    marks: dict[str, tuple[str, Role]] = {
        "yes": (look.yes, levels[answer.level]),
        "no": (look.no, "dim"),
        "unknown": (look.unknown, "dim"),
        "not applicable": (look.not_applicable, "dim"),
    }
    return marks[answer.answer]


def rule_line(answer: RuleAnswer, diagnosis: Diagnosis, look: Look) -> Line:
    """Mark, code, name, answer, and the numbers or the reason there are none."""
    mark, role = answer_mark(answer, look)
    cause = diagnosis.cause is not None and diagnosis.cause.code == answer.code
    fires = answer.answer == "yes"
    said = "; ".join(compared(evidence, holds=fires) for evidence in answer.evidence)
    if answer.answer in ("unknown", "not applicable") or not said:
        said = answer.reason or said
    tag = "CAUSE" if cause else "n/a" if answer.answer == "not applicable" else answer.answer
    name = f"{answer.code} {answer.name}"
    return ((f"{mark} {look.say(name):33} ", role), (f"{tag:8}", role), (look.say(said), "plain"))


def why_lines(
    answer: RuleAnswer, diagnosis: Diagnosis, look: Look, width: int, height: int
) -> list[Line]:
    """What the rule means, and its finding with fixes where it fires."""
    finding = next((f for f in diagnosis.findings if f.code == answer.code), None)
    mark, role = answer_mark(answer, look)
    if finding is None:
        lines = wrapped(f"{mark} {answer.code} {look.say(answer.title)}", width, 2, role)
        for evidence in answer.evidence:
            lines += labelled(
                "compared", look.say(compared(evidence, holds=False)), width, 2, ("dim", "plain")
            )
        if answer.reason:
            lines += labelled(answer.answer, look.say(answer.reason), width, 3, ("dim", "plain"))
        if answer.needs:
            lines += labelled("needs", ", ".join(answer.needs), width, 3, ("dim", "plain"))
        return lines[:height]
    why = labelled("why", look.say(finding.why), width, 4, ("dim", "plain"))
    if finding.explained_by:
        why = [((f"because of {finding.explained_by}", "bold"),), *why]
    lines = finding_lines(finding, diagnosis.iteration, look, width, height - len(why), mark, role)
    return [*lines[:1], *why, *lines[1:]][:height]


class Why(Lines):
    """The rule under the cursor, in full."""

    code = ""

    def draw(self, view: View) -> list[Line]:
        diagnosis = view.frame.diagnosis
        if diagnosis is None:
            return []
        answer = next((a for a in diagnosis.answers if a.code == self.code), None)
        if answer is None:
            return []
        return why_lines(answer, diagnosis, self.look, view.width, view.height)


class Verdict(Lines):
    """The headline, and of which iteration it is."""

    def draw(self, view: View) -> list[Line]:
        diagnosis = view.frame.diagnosis
        if diagnosis is None:
            return [(("judging the run", "dim"),)]
        cause = diagnosis.cause
        role: Role = "bad" if cause is not None else "bold"
        text = f"As of it {diagnosis.iteration}: {diagnosis.headline}"
        return wrapped(self.look.say(text), view.width, view.height, role)


class DiagnosisScreen(RunScreen):
    """The whole list; enter shows why."""

    called = "diagnosis"

    def body(self) -> Iterable[Widget]:
        look = self.look
        yield Verdict(id="verdict", look=look)
        yield Chain(id="chain", look=look)
        yield Items(id="items", look=look)
        yield Why(id="why", look=look)

    def begin(self) -> None:
        self.fill(self.watch_app.frame)
        self._to_cause()

    def _to_cause(self) -> None:
        frame = self.watch_app.frame
        if frame.diagnosis is None or frame.diagnosis.cause is None:
            return
        codes = [answer.code for answer in frame.diagnosis.answers]
        if frame.diagnosis.cause.code in codes:
            listed = self.query_one(Items)
            listed.move(codes.index(frame.diagnosis.cause.code) - listed.cursor)
            self.moved()

    def fill(self, frame: Frame) -> None:
        listed = self.query_one(Items)
        listed.show(frame)
        diagnosis = frame.diagnosis
        if diagnosis is not None:
            listed.set_items([rule_line(a, diagnosis, self.look) for a in diagnosis.answers])
            self.moved()

    def moved(self) -> None:
        frame, why = self.watch_app.frame, self.query_one(Why)
        if frame.diagnosis is None or not frame.diagnosis.answers:
            return
        why.code = frame.diagnosis.answers[self.query_one(Items).cursor].code
        why.show(frame)

    def act(self, name: str) -> bool:
        if name == "choose":
            self.query_one(Why).toggle_class("-open")
            return True
        return super().act(name)

"""What happened and when: the run's events, its end, and where the diagnosis changed."""

from collections.abc import Iterable
from dataclasses import dataclass

from textual.widget import Widget

from trpo_tui.frame import Frame, iteration_at
from trpo_tui.screens.base import RunScreen
from trpo_tui.text import clock
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.items import Items


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the list and the row it belongs to."""

    row: int
    time: float | None
    kind: str
    text: str
    role: Role = "plain"


def moments(frame: Frame) -> tuple[Moment, ...]:
    """All that happened, in the order of rows; an event lies after the row before its own."""
    found = [
        Moment(row=max(0, event.row - 1), time=event.time, kind=event.kind, text=event.text)
        for event in frame.run.events
    ]
    for change in frame.changes:
        if change.code is None and change.row == 0:
            continue
        text = "no fault any more" if change.code is None else f"the cause is {change.code}"
        role: Role = "good" if change.code is None else "bad"
        found.append(Moment(row=change.row, time=None, kind="diagnosis", text=text, role=role))
    found += [Moment(row=0, time=None, kind="reader", text=note) for note in frame.run.notes]
    state = frame.run.state
    if not frame.live:
        text = state.reason or "no reason recorded"
        last = max(0, len(frame.run) - 1)
        found.append(Moment(row=last, time=None, kind=state.name, text=text, role="bold"))
    return tuple(sorted(found, key=lambda moment: moment.row))


def moment_line(moment: Moment, frame: Frame, look: Look) -> Line:
    """Iteration, time, kind, text."""
    number = iteration_at(frame.run, moment.row)
    when = "" if moment.time is None else clock(moment.time, frame.now)
    mark = look.pointer if moment.row == frame.row else " "
    where = "" if number is None else str(number)
    return (
        (f"{mark}it {where:>7}  {when:>16}  ", "dim"),
        (f"{look.say(moment.kind):12} ", moment.role),
        (look.say(moment.text), "plain"),
    )


class Events(RunScreen):
    """One line per event; enter puts the playhead there."""

    called = "events"

    def body(self) -> Iterable[Widget]:
        yield Items(id="items", look=self.look)

    def fill(self, frame: Frame) -> None:
        listed = self.query_one(Items)
        listed.show(frame)
        lines: list[Line] = [moment_line(m, frame, self.look) for m in moments(frame)]
        listed.set_items(lines or [(("nothing has been recorded yet", "dim"),)])

    def act(self, name: str) -> bool:
        frame = self.watch_app.frame
        if name == "choose":
            found = moments(frame)
            if found:
                self.watch_app.move(frame.playhead.at(found[self.query_one(Items).cursor].row))
            return True
        return super().act(name)

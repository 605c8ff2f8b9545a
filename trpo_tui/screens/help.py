"""What every key does: the action registry as a page."""

from collections.abc import Iterable

from textual.widget import Widget

from trpo_tui.actions import Action
from trpo_tui.frame import Frame
from trpo_tui.screens.base import RunScreen
from trpo_tui.text import wrap
from trpo_tui.themes import Line, Look
from trpo_tui.widgets.items import Items

_MARKS = (
    ("chain", "{fine} fine  {dead} broken here  {downstream} because of a link before  {warning} warning  {unknown} not known"),
    ("rules", "{yes} yes, it fires  {no} no  {unknown} unknown  {not_applicable} not applicable"),
    ("charts", "{not_finite} NaN or infinite; a gap: nothing logged"),
    ("timeline", "{head} playhead  {event} event  {warning} the diagnosis changes"),
)  # fmt: skip


def help_lines(actions: Iterable[Action], look: Look, width: int) -> list[Line]:
    """Keys and meanings, then what the glyphs stand for."""
    lines: list[Line] = []
    for action in actions:
        keys = "  ".join(action.shown(unicode=look.unicode))
        pieces = wrap(action.help, max(20, width - 22), 3)
        margins = [f"{keys:20}  ", *[" " * 22] * (len(pieces) - 1)]
        lines += [((m, "bold"), (p, "plain")) for m, p in zip(margins, pieces, strict=True)]
    lines.append((("", "plain"),))
    marks = {name: getattr(look, name) for name in look.__slots__}
    lines += [((f"{name:20}  ", "bold"), (text.format(**marks), "plain")) for name, text in _MARKS]
    return lines


class Help(RunScreen):
    """A page to scroll."""

    called = "help"

    def body(self) -> Iterable[Widget]:
        yield Items(id="items", look=self.look)

    def fill(self, frame: Frame) -> None:
        listed = self.query_one(Items)
        listed.show(frame)
        listed.set_items(help_lines(self.watch_app.actions, self.look, self.app.size.width))

"""The last line: what the keys do here, or an answer to the last one."""

from collections.abc import Sequence

from trpo_tui.actions import hints
from trpo_tui.themes import UNICODE, Line, Look, Role
from trpo_tui.widgets.lines import Lines, View


class Keys(Lines):
    """Generated from the action registry for one screen."""

    def __init__(self, screen: str, *, id: str | None = None, look: Look = UNICODE) -> None:  # noqa: A002
        super().__init__(id=id, look=look)
        self.of_screen = screen

    def draw(self, view: View) -> Sequence[Line]:
        frame = view.frame
        if frame.message:
            return [((self.look.say(frame.message), "bold"),)]
        spans: list[tuple[str, Role]] = []
        used = 0
        for keys, label in hints(self.of_screen, unicode=self.look.unicode):
            size = len(keys) + len(label) + 3
            if used + size > view.width:
                break
            spans += [(keys, "bold"), (f" {label}  ", "dim")]
            used += size
        return [tuple(spans)]

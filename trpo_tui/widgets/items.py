"""A list one moves through: lines with a cursor, of which a window is shown."""

from collections.abc import Sequence

from trpo_tui.themes import UNICODE, Line, Look, Role
from trpo_tui.widgets.lines import Lines, View


def window(cursor: int, top: int, height: int, count: int) -> int:
    """First line shown, so that the cursor is inside and no line is wasted."""
    if cursor < top:
        top = cursor
    elif cursor >= top + height:
        top = cursor - height + 1
    return max(0, min(top, count - height))


class Items(Lines):
    """A scrolled list. The cursor is reverse video, so it shows without colour."""

    def __init__(self, *, id: str | None = None, look: Look = UNICODE) -> None:  # noqa: A002
        super().__init__(id=id, look=look)
        self.items: Sequence[Line] = ()
        self.cursor = 0
        self.top = 0

    def set_items(self, items: Sequence[Line]) -> None:
        """Replace the lines; the cursor stays on its number as far as there is one."""
        self.items = items
        self.cursor = max(0, min(self.cursor, len(items) - 1))
        self.redraw()

    def move(self, lines: int) -> None:
        """Move the cursor by that many lines."""
        self.cursor = max(0, min(self.cursor + lines, len(self.items) - 1))
        self.redraw()

    def draw(self, view: View) -> Sequence[Line]:
        self.top = window(self.cursor, self.top, view.height, len(self.items))
        shown = self.items[self.top : self.top + view.height]
        at = self.cursor - self.top
        return [_marked(line, view.width) if i == at else line for i, line in enumerate(shown)]


def _marked(line: Line, width: int) -> Line:
    text = "".join(text for text, _ in line)
    role: Role = "cursor"
    return ((text.ljust(width), role),)

"""A widget made of styled lines that sends to the terminal only the cells that changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region
from textual.strip import Strip
from textual.widget import Widget

from trpo_tui.frame import Frame
from trpo_tui.theme_colours import ROLE_COLOURS
from trpo_tui.themes import UNICODE, Line, Look, Role, Span, printable
from trpo_tui.widgets.sending import APART, cells_sent

if TYPE_CHECKING:
    from trpo_tui.application import WatchApp

_STYLES: dict[Role, Style] = {
    "plain": Style(),
    "dim": Style(dim=True),
    "bold": Style(bold=True),
    "title": Style(bold=True, color="cyan"),
    "good": Style(color="green"),
    "warn": Style(color="yellow", bold=True),
    "bad": Style(color="red", bold=True),
    "dead": Style(color="red", bold=True, reverse=True),
    "cursor": Style(reverse=True),
    "line": Style(color="cyan"),
}


_BARE = Style()
"""The terminal's own colours: no bytes are spent on setting them."""


@lru_cache(maxsize=256)
def combined(base: Style, role: Role, theme: str) -> Style:
    """How a role looks on that ground under that theme."""
    colour = ROLE_COLOURS.get(theme, {}).get(role)
    return base + _STYLES[role] + (Style(color=colour) if colour else _BARE)


def fit(line: Line, width: int, look: Look) -> Line:
    """The line cut or padded to exactly `width` cells, without control characters."""
    spans: list[Span] = []
    left = width
    for text, role in line:
        if left <= 0:
            break
        shown = look.say(printable(text))
        size = cell_len(shown)
        if size > left:
            shown = set_cell_size(shown, left - 1) + look.cut
            size = left
        if shown and spans and spans[-1][1] == role:
            spans[-1] = (spans[-1][0] + shown, role)
        elif shown:
            spans.append((shown, role))
        left -= size
    if left > 0:
        spans.append((" " * left, "plain"))
    return tuple(spans)


def cells(line: Line) -> list[tuple[str, Role]]:
    """One entry per character; only lines of narrow characters are compared cell by cell."""
    return [(character, role) for text, role in line for character in text]


def changed(old: Line | None, new: Line, width: int) -> list[tuple[int, int]]:
    """First and one past the last cell of each stretch that differs."""
    if old == new:
        return []
    if old is None:
        return [(0, width)]
    before, after = cells(old), cells(new)
    if len(before) != width or len(after) != width:
        return [(0, width)]
    stretches: list[tuple[int, int]] = []
    for i in range(width):
        if before[i] != after[i]:
            if stretches and i - stretches[-1][1] < APART:
                stretches[-1] = stretches[-1][0], i + 1
            else:
                stretches.append((i, i + 1))
    return stretches


@dataclass(frozen=True, slots=True)
class View:
    """What to draw and the room for it, in cells."""

    frame: Frame
    width: int
    height: int


def _alike(one: Frame, other: Frame, parts: tuple[str, ...]) -> bool:
    """Whether these fields are the same objects, or equal where comparing is cheap."""
    for name in parts:
        a, b = getattr(one, name), getattr(other, name)
        if a is not b and (name in ("run", "diagnosis") or a != b):
            return False
    return True


class Lines(Widget):
    """Shows `draw(view)`. Widgets show; what they show is computed elsewhere."""

    parts: ClassVar[tuple[str, ...] | None] = None
    """The fields of a frame it draws from; while these are the same it is not drawn again. None: all."""
    can_focus: ClassVar[bool] = False  # type: ignore[misc]  # Textual declares it on the instance
    look: Look = UNICODE

    def __init__(self, *, id: str | None = None, look: Look = UNICODE) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self.look = look
        self.frame: Frame | None = None
        self._inset: tuple[Region, Offset] | None = None
        self._shown: list[Line] = []
        self._raw: list[Line] = []
        self._fitted = 0
        """Width in cells that what is shown was cut to."""

    def draw(self, view: View) -> Sequence[Line]:
        """The lines of this widget, top to bottom."""
        raise NotImplementedError

    def show(self, frame: Frame) -> None:
        """Show that frame; nothing is sent where nothing changed."""
        before, self.frame = self.frame, frame
        if before is None or self.parts is None or not _alike(before, frame, self.parts):
            self.redraw()

    def inset(self, region: Region) -> Offset:
        """Where its lines begin inside the region it has; asked for again only when that moves."""
        if self._inset is None or self._inset[0] != region:
            self._inset = region, self.content_offset
        return self._inset[1]

    def on_resize(self, _event: events.Resize) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Draw again and repaint the cells that differ."""
        width, height = self.size
        if self.frame is None or width < 1 or height < 1:
            return
        drawn = list(self.draw(View(self.frame, width, height)))[:height]
        before = self._raw if width == self._fitted else []
        lines = [
            shown if line == old else fit(line, width, self.look)
            for line, old, shown in zip_longest(
                drawn, before[: len(drawn)], self._shown[: len(drawn)]
            )
        ]
        self._raw, self._fitted = drawn, width
        blank: Line = ((" " * width, "plain"),)
        new = [*lines[:height], *([blank] * (height - len(lines)))]
        spans = [
            (y, *stretch)
            for y, (old, line) in enumerate(zip_longest(self._shown[:height], new))
            for stretch in changed(old, line, width)
        ]
        self._shown = new
        if not spans:
            return
        sent = cells_sent(self, spans)
        if sent is None:
            self.refresh(*(Region(first, y, last - first, 1) for y, first, last in spans))
        else:
            cast("WatchApp", self.app).send(sent)

    def render_line(self, y: int) -> Strip:
        base = _BARE if self.app.native_ansi_color else self.rich_style
        width = self.size.width
        if y >= len(self._shown):
            return Strip([Segment(" " * width, base)], width)
        theme = self.app.theme
        segments = [Segment(text, combined(base, role, theme)) for text, role in self._shown[y]]
        return Strip(segments, width)

    @property
    def text(self) -> str:
        """What is shown, as plain text: for tests and for a reader of the screen."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._shown)

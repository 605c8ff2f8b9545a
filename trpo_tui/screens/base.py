"""What every screen of a run has: the header, a body, the key line, and the frame it shows."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.geometry import Offset, Region
from textual.screen import Screen
from textual.widget import Widget

from trpo_tui.actions import ScreenName
from trpo_tui.frame import Frame
from trpo_tui.themes import Look
from trpo_tui.widgets.header import Header
from trpo_tui.widgets.items import Items
from trpo_tui.widgets.keys import Keys
from trpo_tui.widgets.lines import Lines

if TYPE_CHECKING:
    from trpo_tui.application import WatchApp


class RunScreen(Screen[None], inherit_bindings=False):
    """Shows frames as they come; subclasses give the body.

    Textual's own bindings of a screen (tab, ctrl+c) are not wanted: the registry has them.
    """

    called: ScreenName = "monitor"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (100, "-side"), (140, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012

    @property
    def watch_app(self) -> "WatchApp":
        return cast("WatchApp", self.app)

    @property
    def look(self) -> Look:
        return self.watch_app.look

    def body(self) -> Iterable[Widget]:
        """The widgets between header and key line."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield Header(id="header", look=self.look)
        yield from self.body()
        yield Keys(self.called, id="keys", look=self.look)

    parts: tuple[Lines, ...] = ()
    """Everything that shows a frame; empty while it is being made or taken away."""

    def on_mount(self) -> None:
        self.parts = tuple(self.query(Lines))
        self.begin()
        self.show(self.watch_app.frame)

    def begin(self) -> None:
        """Before the first frame is shown; Textual would call an on_mount of every class."""

    def on_unmount(self) -> None:
        self.parts = ()

    def show(self, frame: Frame) -> None:
        """Show a frame in every part of the screen."""
        if not self.parts:
            return
        self.fill(frame)
        for part in self.parts:
            part.show(frame)

    def fill(self, frame: Frame) -> None:
        """Where a list is made anew from the frame before it is shown."""

    @property
    def cursor(self) -> Offset:
        """Where the terminal's own cursor stands, for those who follow it: in a question, on the
        marked line or the marked part."""
        said = self.watch_app.frame.message
        if self.parts and said:
            region = self.parts[-1].region
            return region.offset + Offset(min(len(said), max(0, region.width - 1)), 0)
        return self.marked.offset

    @property
    def listed(self) -> Items | None:
        """The list of the screen, where it has one."""
        return next((part for part in self.parts if isinstance(part, Items)), None)

    @property
    def marked(self) -> Region:
        """The part of the screen that keys act on."""
        listed = self.listed
        if listed is None:
            return Region()
        return listed.content_region.translate(Offset(0, max(0, listed.cursor - listed.top)))

    def act(self, name: str) -> bool:
        """Do a named action here; False where this screen has no use for it."""
        listed = self.listed
        if listed is None:
            return False
        page = max(1, listed.size.height - 1)
        steps = {"up": -1, "down": 1, "page-up": -page, "page-down": page}
        if name not in steps:
            return False
        listed.move(steps[name])
        self.moved()
        return True

    def moved(self) -> None:
        """The cursor of the list has moved."""

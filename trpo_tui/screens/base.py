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

    def on_mount(self) -> None:
        self.show(self.watch_app.frame)

    def show(self, frame: Frame) -> None:
        """Show a frame in every part of the screen, unless they are being made or taken away."""
        if not self.query(Keys):
            return
        self.fill(frame)
        for widget in self.query(Lines):
            widget.show(frame)

    def fill(self, frame: Frame) -> None:
        """Where a list is made anew from the frame before it is shown."""

    @property
    def cursor(self) -> Offset:
        """Where the terminal's own cursor stands, for those who follow it: in a question, on the
        marked line or the marked part."""
        keys = self.query(Keys)
        if keys and (said := self.watch_app.frame.message):
            region = keys.first().region
            return region.offset + Offset(min(len(said), max(0, region.width - 1)), 0)
        return self.marked.offset

    @property
    def marked(self) -> Region:
        """The part of the screen that keys act on."""
        items = self.query(Items)
        if not items:
            return Region()
        listed = items.first()
        return listed.content_region.translate(Offset(0, max(0, listed.cursor - listed.top)))

    def act(self, name: str) -> bool:
        """Do a named action here; False where this screen has no use for it."""
        items = self.query(Items)
        if not items:
            return False
        listed = items.first()
        page = max(1, listed.size.height - 1)
        steps = {"up": -1, "down": 1, "page-up": -page, "page-down": page}
        if name not in steps:
            return False
        listed.move(steps[name])
        self.moved()
        return True

    def moved(self) -> None:
        """The cursor of the list has moved."""

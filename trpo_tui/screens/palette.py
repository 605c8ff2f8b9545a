"""Every action by name: type letters of it, enter does it."""

from collections.abc import Iterable

from textual.widget import Widget

from trpo_tui.actions import Action
from trpo_tui.frame import Frame
from trpo_tui.screens.base import RunScreen
from trpo_tui.themes import Line
from trpo_tui.widgets.items import Items


class Palette(RunScreen):
    """Lies over the screen it was called from, which then does what is chosen."""

    called = "palette"

    def __init__(self, over: str) -> None:
        super().__init__()
        self.over = over
        self.letters = ""

    def body(self) -> Iterable[Widget]:
        yield Items(id="items", look=self.look)

    def begin(self) -> None:
        self.watch_app.ask("do", "", self._do, self._typed, self.left)

    def matching(self) -> list[Action]:
        """What works on the screen below and holds every word that was typed."""
        words = self.letters.lower().split()
        return [
            action
            for action in self.watch_app.actions
            if (not action.screens or self.over in action.screens)
            and action.name != "palette"
            and all(word in f"{action.name} {action.help}".lower() for word in words)
        ]

    def fill(self, frame: Frame) -> None:
        listed = self.query_one(Items)
        listed.show(frame)
        lines: list[Line] = [
            (
                (f"{action.name:16} ", "bold"),
                (f"{'  '.join(action.shown(unicode=self.look.unicode)):18} ", "dim"),
                (self.look.say(action.help), "plain"),
            )
            for action in self.matching()
        ]
        listed.set_items(lines or [(("no such action; esc leaves", "dim"),)])

    def _typed(self, letters: str) -> None:
        self.letters = letters
        self.query_one(Items).cursor = 0
        self.fill(self.watch_app.frame)

    def left(self) -> None:
        """Back to the screen below."""
        self.app.pop_screen()

    def _do(self, letters: str) -> None:
        self.letters = letters
        found, place = self.matching(), self.query_one(Items).cursor
        self.app.pop_screen()
        if found:
            name: str = found[min(place, len(found) - 1)].name
            self.app.call_later(self.watch_app.do, name)

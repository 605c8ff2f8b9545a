"""The last line: what the keys do here, or an answer to the last one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from trpo_tui.actions import hints
from trpo_tui.themes import UNICODE, Line, Look, Role
from trpo_tui.widgets.lines import Lines, View

if TYPE_CHECKING:
    from trpo_tui.application import WatchApp


class Keys(Lines):
    """Generated from the action registry for one screen."""

    parts = ("message",)

    def __init__(self, screen: str, *, id: str | None = None, look: Look = UNICODE) -> None:  # noqa: A002
        super().__init__(id=id, look=look)
        self.of_screen = screen
        self._hints: tuple[tuple[str, str], ...] | None = None

    def draw(self, view: View) -> Sequence[Line]:
        frame = view.frame
        if frame.message:
            return [((self.look.say(frame.message), "bold"),)]
        if self._hints is None:
            actions = cast("WatchApp", self.app).actions
            self._hints = tuple(hints(actions, self.of_screen, unicode=self.look.unicode))
        named = list(self._hints)
        while (
            len(named) > 2 and sum(len(k) + len(label) + 3 for k, label in named) > view.width + 2
        ):
            del named[-2]  # the last one, quit, stays
        spans: list[tuple[str, Role]] = []
        for keys, label in named:
            spans += [("  " if spans else "", "plain"), (keys, "bold"), (f" {label}", "dim")]
        return [tuple(spans)]

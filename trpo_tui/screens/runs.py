"""All runs below a folder: is it alive, how far, how good, is it sick."""

import time
from collections.abc import Callable, Iterable
from threading import Event, Thread

import numpy as np
from textual.message import Message
from textual.widget import Widget

from trpo_tui.entries import CURVE, ORDERS, Entry, Shelf, chosen_entries, ordered
from trpo_tui.frame import Frame
from trpo_tui.messages import Failed, RunsFound
from trpo_tui.places import runs_below
from trpo_tui.screens.base import RunScreen
from trpo_tui.text import number
from trpo_tui.themes import Line, Look, Role, Span
from trpo_tui.widgets.header import state_word
from trpo_tui.widgets.items import Items
from trpo_tui.widgets.lines import Lines, View, fit
from trpo_tui.widgets.raster import strip

AGAIN_SECONDS = 10.0
TELL_SECONDS = 0.25
"""Between two lists of what has been read so far: hundreds of runs are no hundreds of lists."""


def look_through(folder: str, post: Callable[[Message], object], stop: Event) -> None:
    """Read every run below the folder, tell of each as it is read, and look again for new ones."""
    try:
        _look_again(folder, post, stop)
    except BaseException as error:  # noqa: BLE001  the screen raises it in the main thread
        post(Failed(reader=None, error=error))


def _look_again(folder: str, post: Callable[[Message], object], stop: Event) -> None:
    shelf = Shelf()
    told = 0.0
    while not stop.is_set():
        entries: list[Entry] = []
        for path in runs_below(folder):
            entries.append(shelf.entry(path, folder))
            if stop.is_set():
                return
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                post(RunsFound(tuple(entries), whole=False))
        post(RunsFound(tuple(entries), whole=True))
        stop.wait(AGAIN_SECONDS)


def name_width(names: Iterable[str], width: int) -> int:
    """Room for the longest name, within reason."""
    return max(12, min(32 if width >= SIDE else 24, max(map(len, names), default=0)))


STATE_WIDTH, ITERATIONS_WIDTH, RETURN_WIDTH, CURVE_WIDTH = 9, 7, 9, CURVE
"""Cells of the columns between name and verdict, in rows and heading alike."""
SIDE = 100
"""Columns of a terminal from which names get more room."""


def columns(
    name: str, state: str, iterations: str, value: str, look: Look, width: int
) -> tuple[str, str, str]:
    """Name, state and numbers, each padded to its column; `width` is the name's."""
    shown = "".join(text for text, _ in fit(((name, "plain"),), width, look))
    numbers = f"{iterations:>{ITERATIONS_WIDTH}} {value:>{RETURN_WIDTH}} "
    return f"{shown} ", f"{state:{STATE_WIDTH}} ", numbers


def entry_line(entry: Entry, look: Look, width: int, *, marked: bool = False) -> Line:
    """Mark, name, state, iterations, return, its curve, verdict."""
    mark: Span = (look.yes if marked else " ", "title")
    if entry.state is None:
        name, _, _ = columns(entry.name, "", "", "", look, width)
        return (mark, (name, "plain"), (look.say(entry.problem), "bad"))
    word, role = state_word(entry.state)
    value = "-" if entry.last_return is None else number(entry.last_return)
    sick = entry.verdict.startswith("TRPO")
    well = entry.verdict in ("healthy", "solved")
    sign = look.dead if sick else look.fine if well else look.unknown
    verdict_role: Role = "bad" if sick else "plain"
    name, state, numbers = columns(entry.name, word, str(entry.iterations), value, look, width)
    curve = strip(np.array(entry.returns), look.sparks)
    return (
        mark,
        (name, "bold"),
        (state, role),
        (numbers, "plain"),
        (f"{curve:{CURVE_WIDTH}} ", "line"),
        (f"{sign} {look.say(entry.verdict)}", verdict_role),
    )


class Heading(Lines):
    """The names of the columns, and how the list is chosen and sorted."""

    wide = 12
    said = ""

    def draw(self, view: View) -> list[Line]:
        titles = columns("run", "state", "iter", "return", self.look, self.wide)
        title = " " + "".join([*titles, f"{'curve':{CURVE_WIDTH}}   verdict"])
        room = max(0, view.width - len(title) - 2)
        return [((title[: view.width], "dim"), (f"  {self.said[:room]}" if room else "", "title"))]


class Runs(RunScreen):
    """The picker; enter opens a run, space marks it for Compare."""

    called = "runs"

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = folder
        self.entries: tuple[Entry, ...] | None = None
        self.shown: list[Entry] = []
        self.order, self.backwards, self.letters = ORDERS[0], False, ""
        self._stop = Event()

    def body(self) -> Iterable[Widget]:
        yield Heading(id="heading", look=self.look)
        yield Items(id="items", look=self.look)

    def begin(self) -> None:
        post = self.app.post_message
        Thread(target=look_through, args=(self.folder, post, self._stop), daemon=True).start()

    def on_unmount(self) -> None:
        self._stop.set()

    def found(self, entries: tuple[Entry, ...], *, whole: bool) -> None:
        """Take in what has been read so far; a later round keeps the rest until it is read."""
        if not whole and self.entries is not None:
            read = {entry.path for entry in entries}
            entries = (*entries, *(e for e in self.entries if e.path not in read))
        if entries == self.entries:
            return
        self.entries = entries
        self.watch_app.show()

    def fill(self, frame: Frame) -> None:
        listed, heading = self.query_one("#items", Items), self.query_one(Heading)
        width = self.size.width
        wide = heading.wide = name_width((e.name for e in self.entries or ()), width)
        at = self.shown[listed.cursor].path if self.shown else None
        everything = self.entries or ()
        self.shown = ordered(
            chosen_entries(everything, self.letters), self.order, backwards=self.backwards
        )
        heading.said = " ".join(
            part
            for part in (
                f"by {self.order}" if (self.order, self.backwards) != (ORDERS[0], False) else "",
                f"{len(self.shown)}/{len(everything)}: {self.letters}" if self.letters else "",
                f"{len(self.watch_app.marked)} marked" if self.watch_app.marked else "",
            )
            if part
        )
        heading.show(frame)
        listed.show(frame)
        if self.entries is None:
            listed.set_items([(("looking for runs", "dim"),)])
        elif not self.entries:
            nothing = f"no runs below {self.folder}: trpo-tui train --env HalfCheetah-v5 makes one"
            listed.set_items([((self.look.say(nothing), "dim"),)])
        elif not self.shown:
            listed.set_items([((f"no run holds {self.letters!r}: / and enter shows all", "dim"),)])
        else:
            paths = [entry.path for entry in self.shown]
            if at in paths:
                listed.cursor = paths.index(at)
            marked = self.watch_app.marked
            listed.set_items(
                [entry_line(e, self.look, wide, marked=e.path in marked) for e in self.shown]
            )

    def act(self, name: str) -> bool:
        if name == "sort":
            self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
            self.watch_app.say(f"by {self.order}")
            return True
        if name == "reverse":
            self.backwards = not self.backwards
            self.watch_app.say(f"by {self.order}{', last first' if self.backwards else ''}")
            return True
        if name == "filter":
            self.watch_app.ask("runs with", "", self._filter, self._filter)
            return True
        if name in ("choose", "mark") and self.shown:
            entry = self.shown[self.query_one("#items", Items).cursor]
            if entry.state is None:
                self.watch_app.say(entry.problem)
            elif name == "mark":
                self.watch_app.mark(entry.path)
                self.query_one("#items", Items).move(1)
            else:
                self.watch_app.open(entry.path, entry.name)
            return True
        return super().act(name)

    def _filter(self, letters: str) -> None:
        self.letters = letters.strip()
        self.watch_app.show()

"""All runs below a folder: is it alive, how far, how good, is it sick."""

from collections.abc import Callable, Iterable
from threading import Event, Thread

from textual.message import Message
from textual.widget import Widget

from runlog.errors import UserError
from runlog.run import Run
from trpo_tui.frame import Frame
from trpo_tui.messages import Entry, Failed, RunsFound
from trpo_tui.places import Readings, name_of, runs_below
from trpo_tui.screens.base import RunScreen
from trpo_tui.text import number
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.header import state_word
from trpo_tui.widgets.items import Items
from trpo_tui.widgets.lines import Lines, View, fit

AGAIN_SECONDS = 10.0


def entry_of(path: str, folder: str, readings: Readings) -> Entry:
    """One run, read and judged at its last row."""
    from analyzer.answers import answers

    name = name_of(path, folder)
    try:
        run = readings.read(path)
    except UserError as error:
        return Entry(
            path=path, name=name, state=None, iterations=0, last_return=None, verdict="",
            problem=str(error),
        )  # fmt: skip
    verdict = "no rows yet"
    if len(run):
        diagnosis = answers(run).at(len(run) - 1)
        verdict = diagnosis.verdict
        if diagnosis.cause is not None:
            verdict = f"{diagnosis.cause.code} {diagnosis.cause.name}"
    return Entry(
        path=path, name=name, state=run.state, iterations=len(run),
        last_return=last_return(run), verdict=verdict,
    )  # fmt: skip


def last_return(run: Run) -> float | None:
    """The newest mean episode return that was logged."""
    column = run.column("episode_return_mean")
    known = column.values[column.present]
    return float(known[-1]) if len(known) else None


def look_through(folder: str, post: Callable[[Message], object], stop: Event) -> None:
    """Read every run below the folder, tell of each as it is read, and look again for new ones."""
    try:
        _look_again(folder, post, stop)
    except BaseException as error:  # noqa: BLE001  the screen raises it in the main thread
        post(Failed(reader=None, error=error))


def _look_again(folder: str, post: Callable[[Message], object], stop: Event) -> None:
    readings = Readings()
    while not stop.is_set():
        entries: list[Entry] = []
        for path in runs_below(folder):
            entries.append(entry_of(path, folder, readings))
            if stop.is_set():
                return
            post(RunsFound(tuple(entries)))
        if not entries:
            post(RunsFound(()))
        stop.wait(AGAIN_SECONDS)


def name_width(names: Iterable[str]) -> int:
    """Room for the longest name, within reason."""
    return max(12, min(32, max(map(len, names), default=0)))


STATE_WIDTH, ITERATIONS_WIDTH, RETURN_WIDTH = 9, 10, 9
"""Cells of the columns between name and verdict, in rows and heading alike."""


def columns(
    name: str, state: str, iterations: str, value: str, look: Look, width: int
) -> tuple[str, str, str]:
    """Name, state and numbers, each padded to its column; `width` is the name's."""
    shown = "".join(text for text, _ in fit(((name, "plain"),), width, look))
    numbers = f"{iterations:>{ITERATIONS_WIDTH}} {value:>{RETURN_WIDTH}}  "
    return f"{shown} ", f"{state:{STATE_WIDTH}} ", numbers


def entry_line(entry: Entry, look: Look, width: int) -> Line:
    """Name, state, iterations, return, verdict."""
    if entry.state is None:
        name, _, _ = columns(entry.name, "", "", "", look, width)
        return ((name, "plain"), (look.say(entry.problem), "bad"))
    word, role = state_word(entry.state)
    value = "-" if entry.last_return is None else number(entry.last_return)
    sick = entry.verdict.startswith("TRPO")
    mark = (
        look.dead if sick else look.fine if entry.verdict in ("healthy", "solved") else look.unknown
    )
    verdict_role: Role = "bad" if sick else "plain"
    name, state, numbers = columns(entry.name, word, str(entry.iterations), value, look, width)
    return (
        (name, "bold"),
        (state, role),
        (numbers, "plain"),
        (f"{mark} {look.say(entry.verdict)}", verdict_role),
    )


class Heading(Lines):
    """The names of the columns."""

    wide = 12

    def draw(self, view: View) -> list[Line]:
        titles = columns("run", "state", "iterations", "return", self.look, self.wide)
        return [(("".join([*titles, "  verdict"])[: view.width], "dim"),)]


class Runs(RunScreen):
    """The picker; enter opens a run."""

    called = "runs"

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = folder
        self.entries: tuple[Entry, ...] | None = None
        self._stop = Event()

    def body(self) -> Iterable[Widget]:
        yield Heading(id="heading", look=self.look)
        yield Items(id="items", look=self.look)

    def on_mount(self) -> None:
        super().on_mount()
        post = self.app.post_message
        Thread(target=look_through, args=(self.folder, post, self._stop), daemon=True).start()

    def on_unmount(self) -> None:
        self._stop.set()

    def found(self, entries: tuple[Entry, ...]) -> None:
        """Take in what has been read so far; a second round keeps the rest until it is read."""
        if self.entries is not None and len(entries) < len(self.entries):
            entries = (*entries, *self.entries[len(entries) :])
        self.entries = entries
        self.fill(self.watch_app.frame)

    def fill(self, frame: Frame) -> None:
        listed, heading = self.query_one("#items", Items), self.query_one(Heading)
        wide = heading.wide = name_width(entry.name for entry in self.entries or ())
        heading.show(frame)
        listed.show(frame)
        if self.entries is None:
            listed.set_items([(("looking for runs", "dim"),)])
        elif not self.entries:
            nothing = f"no runs below {self.folder}: trpo-tui train --env HalfCheetah-v5 makes one"
            listed.set_items([((self.look.say(nothing), "dim"),)])
        else:
            listed.set_items([entry_line(entry, self.look, wide) for entry in self.entries])

    def act(self, name: str) -> bool:
        if name == "choose" and self.entries:
            entry = self.entries[self.query_one("#items", Items).cursor]
            if entry.state is None:
                self.watch_app.say(entry.problem)
            else:
                self.watch_app.open(entry.path, entry.name)
            return True
        return super().act(name)

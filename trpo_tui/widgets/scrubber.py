"""The run as a line: where the playhead stands, where something happened, how fast it plays."""

from collections.abc import Sequence

from trpo_tui.frame import Frame, iteration_at
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.lines import Lines, View
from trpo_tui.widgets.raster import column_of


def speed_word(speed: float) -> str:
    """x1, x64, x1/4: iterations a second."""
    return f"x{speed:g}" if speed >= 1 else f"x1/{1 / speed:g}"


def place_line(frame: Frame, look: Look) -> Line:
    """Where the playhead is, how fast it plays, and whether it follows."""
    head = frame.playhead
    last = iteration_at(frame.run, len(frame.run) - 1)
    mode = "FOLLOW" if head.follow else "PLAY" if head.playing else "PAUSED"
    said = f" {frame.iteration or 0}/{last or 0}  {speed_word(head.speed)}  {mode}"
    return ((look.say(said), "bold"),)


def track_line(frame: Frame, width: int, look: Look) -> Line:
    """Marks on a track: `e` an event, `!` the diagnosis changes, the playhead on top."""
    room, n = width - 2, frame.playhead.length
    if room < 4:
        return ()
    used = column_of(n - 1, n, room) + 1 if n else 0
    cells: list[tuple[str, Role]] = [(look.track, "dim")] * used
    cells += [(" ", "dim")] * (room - used)
    for event in frame.run.events:
        if n:
            cells[column_of(max(0, min(event.row - 1, n - 1)), n, room)] = (look.event, "dim")
    for change in frame.changes:
        if change.row < n and (change.code is not None or change.row > 0):
            cells[column_of(change.row, n, room)] = (look.warning, "warn")
    if frame.row >= 0:
        cells[column_of(frame.row, n, room)] = (look.head, "bold")
    return ((look.bar, "dim"), *cells, (look.bar, "dim"))


class Track(Lines):
    """The timeline."""

    parts = ("run", "playhead", "changes")

    def draw(self, view: View) -> Sequence[Line]:
        return [track_line(view.frame, view.width, self.look)]


class Place(Lines):
    """Beside it, a widget of its own: Textual sends a line from the start of its widget."""

    parts = ("run", "playhead")

    def draw(self, view: View) -> Sequence[Line]:
        return [place_line(view.frame, self.look)]

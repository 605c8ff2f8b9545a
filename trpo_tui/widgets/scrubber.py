"""The run as a line: where the playhead stands, where something happened, how fast it plays."""

from collections.abc import Sequence

from trpo_tui.frame import Frame, iterations
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.lines import Lines, View
from trpo_tui.widgets.raster import column_of


def speed_word(speed: float) -> str:
    """x1, x64, x1/4: iterations a second."""
    return f"x{speed:g}" if speed >= 1 else f"x1/{1 / speed:g}"


def scrubber_line(frame: Frame, width: int, look: Look) -> Line:
    """Marks on a track: `e` an event, `!` the diagnosis changes, the playhead on top."""
    head = frame.playhead
    last = 0
    if len(frame.run):
        numbers = iterations(frame.run)
        last = int(numbers[-1]) if numbers[-1] == numbers[-1] else len(frame.run)
    mode = "FOLLOW" if head.follow else "PLAY" if head.playing else "PAUSED"
    here = frame.iteration if frame.iteration is not None else 0
    tail = f"  {here}/{last}  {speed_word(head.speed)}  {mode:6}"
    room = width - len(tail) - 2
    if room < 8:
        return ((tail.strip(), "bold"),)
    cells: list[tuple[str, Role]] = [(look.track, "dim")] * room
    n = head.length
    used = column_of(n - 1, n, room) + 1 if n else 0
    for place in range(used, room):
        cells[place] = (" ", "dim")
    for event in frame.run.events:
        if n:
            cells[column_of(max(0, min(event.row - 1, n - 1)), n, room)] = (look.event, "line")
    for change in frame.changes:
        if change.row < n and (change.code is not None or change.row > 0):
            cells[column_of(change.row, n, room)] = (look.warning, "warn")
    if head.row >= 0:
        cells[column_of(head.row, n, room)] = (look.head, "bold")
    return ((look.bar, "dim"), *cells, (look.bar, "dim"), (tail, "bold"))


class Scrubber(Lines):
    """One row, the timeline."""

    def draw(self, view: View) -> Sequence[Line]:
        return [scrubber_line(view.frame, view.width, self.look)]

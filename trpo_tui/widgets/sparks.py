"""Four numbers at the playhead, each with its curve so far, in one row."""

from collections.abc import Sequence

from trpo_tui.frame import Frame
from trpo_tui.series import series_of
from trpo_tui.text import cell
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.lines import Lines, View
from trpo_tui.widgets.raster import spark

SPARKS: tuple[tuple[str, str], ...] = (
    ("adv std", "advantage_raw_std"),
    ("entropy", "entropy"),
    ("expl var", "explained_variance"),
    ("step frac", "step_fraction"),
)
"""Label and column: what the two charts do not show."""


def sparks_line(frame: Frame, width: int, look: Look) -> Line:
    """The row, with as many cells as are wide enough; each has the same width, the curve takes what the number leaves."""
    count = max(1, min(len(SPARKS), width // 19))
    each = width // count
    spans: list[tuple[str, Role]] = []
    for label, name in SPARKS[:count]:
        value = cell(frame.run, name, frame.row)
        value = "-" if value in ("not logged", "null") else value
        text = f"{label} {value} "
        room = max(0, each - len(text) - 1)
        curve = " " * room
        if name in frame.run.types and room:
            curve = spark(series_of(frame.run, name), frame.row + 1, room, look.sparks)
        spans += [(f"{label} ", "dim"), (f"{value} ", "bold"), (curve, "line"), (" ", "plain")]
    return tuple(spans)


class Sparks(Lines):
    """One row of up to four cells."""

    parts = ("run", "playhead")

    def draw(self, view: View) -> Sequence[Line]:
        return [sparks_line(view.frame, view.width, self.look)]

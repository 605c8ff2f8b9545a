"""Every column at the playhead: value, unit, meaning."""

from collections.abc import Iterable

from textual.widget import Widget

from runlog.run import Run
from runlog.schema import BY_NAME
from trpo_tui.frame import Frame
from trpo_tui.screens.base import RunScreen
from trpo_tui.text import cell, chosen, wrapped
from trpo_tui.themes import Line, Look, Role, Span
from trpo_tui.widgets.items import Items
from trpo_tui.widgets.lines import Lines, View

NAME_WIDTH, VALUE_WIDTH, UNIT_WIDTH = 26, 10, 16


def row_line(frame: Frame, name: str, look: Look, *, meaning: bool = True) -> Line:
    """One column as a line; what this log does not hold is dim."""
    value = look.say(cell(frame.run, name, frame.row))
    spec = BY_NAME.get(name)
    unit = look.say(spec.unit) if spec is not None else ""
    role: Role = "dim" if value in ("not logged", "null") else "bold"
    shown: list[Span]
    unit_width = UNIT_WIDTH if meaning else 7
    if name == "time" and ":" in value:  # a date and time takes the unit's place too
        shown = [(f"{value:{VALUE_WIDTH + 2 + unit_width}}", role)]
    else:
        shown = [(f"{value:>{VALUE_WIDTH}} ", role), (f"{unit:{unit_width}} ", "dim")]
    spans: list[Span] = [(f"{look.say(name):{NAME_WIDTH}} ", "plain"), *shown]
    if meaning:
        spans.append((look.say(spec.meaning) if spec else "extra column of this log", "dim"))
    return tuple(spans)


def names(run: Run, letters: str) -> tuple[str, ...]:
    """What this log holds, then what it could hold; only names with these letters."""
    missing = (name for name in BY_NAME if name not in run.types)
    return tuple(name for name in (*run.types, *missing) if chosen(name, letters))


class Detail(Lines):
    """The whole meaning of the column under the cursor."""

    said = ""

    def draw(self, view: View) -> list[Line]:
        return wrapped(self.said, view.width, view.height)


class Table(RunScreen):
    """One line per column; `/` filters."""

    called = "table"
    letters = ""

    def body(self) -> Iterable[Widget]:
        yield Items(id="items", look=self.look)
        yield Detail(id="detail", look=self.look)

    def fill(self, frame: Frame) -> None:
        listed = self.query_one(Items)
        listed.show(frame)
        shown = names(frame.run, self.letters)
        listed.set_items([row_line(frame, name, self.look) for name in shown])
        self.moved()

    def moved(self) -> None:
        frame, listed = self.watch_app.frame, self.query_one(Items)
        shown = names(frame.run, self.letters)
        name = shown[listed.cursor] if shown else ""
        spec = BY_NAME.get(name)
        detail = self.query_one(Detail)
        value = cell(frame.run, name, frame.row)
        said = f"{name} = {value}" if name else "no such column"
        if spec is not None:
            said += f"{'' if name == 'time' and ':' in value else f' {spec.unit}'}. {spec.meaning} Measured: {spec.when}."
        detail.said = self.look.say(said)
        detail.show(frame)

    def act(self, name: str) -> bool:
        if name == "filter":
            self.watch_app.ask("columns with (none: all)", "", self._filter)
            return True
        if name == "choose":
            self.query_one(Detail).toggle_class("-open")
            return True
        return super().act(name)

    def _filter(self, letters: str) -> None:
        self.letters = letters.strip()
        self.watch_app.show()

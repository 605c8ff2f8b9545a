"""What the reading thread tells the screen."""

from typing import TYPE_CHECKING

from textual.message import Message

from analyzer.diagnosis import Diagnosis
from runlog.run import Run
from trpo_tui.entries import Entry
from trpo_tui.frame import Change

if TYPE_CHECKING:
    from trpo_tui.screens.compare import Overlaid


class Looked(Message):
    """The run as just read, and the diagnosis at the row that was asked for, if there is one yet."""

    def __init__(
        self,
        *,
        reader: int,
        run: Run,
        diagnosis: Diagnosis | None,
        changes: tuple[Change, ...],
        now: float,
    ) -> None:
        super().__init__()
        self.reader = reader
        self.run = run
        self.diagnosis = diagnosis
        self.changes = changes
        self.now = now


class Failed(Message):
    """The reading thread cannot go on: a user's mistake, or a bug to be raised."""

    def __init__(self, *, reader: int | None, error: BaseException) -> None:
        super().__init__()
        self.reader = reader
        self.error = error


class RunsFound(Message):
    """The runs below the folder, as far as they have been read; `whole`: these are all."""

    def __init__(self, entries: tuple[Entry, ...], *, whole: bool) -> None:
        super().__init__()
        self.entries = entries
        self.whole = whole


class Compared(Message):
    """The runs of Compare as just read, and what could not be read."""

    def __init__(self, runs: "tuple[Overlaid, ...]", problem: str) -> None:
        super().__init__()
        self.runs = runs
        self.problem = problem


class Copied(Message):
    """The diagnosis has been copied: where to."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence

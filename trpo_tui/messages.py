"""What the reading thread tells the screen."""

from dataclasses import dataclass

from textual.message import Message

from analyzer.diagnosis import Diagnosis
from runlog.run import Run, State
from trpo_tui.frame import Change


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One run of the picker. `problem` says why it could not be read, else it is empty."""

    path: str
    name: str
    state: State | None
    iterations: int
    last_return: float | None
    verdict: str
    problem: str = ""


class RunsFound(Message):
    """The runs below the folder, as far as they have been read."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        super().__init__()
        self.entries = entries


class Copied(Message):
    """The diagnosis has been copied: where to."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence

"""What every format's reader keeps while it reads: rows, events, keys, how the process ended."""

from collections.abc import Mapping
from typing import Protocol

from runlog.importers.decode import Line
from runlog.importers.formats.format import Finish
from runlog.importers.incidents import Incident, Incidents
from runlog.importers.rows import Rows
from runlog.run import Event

_MOST_KEYS = 200


class Findings:
    """The rows of a log and what stood between them."""

    def __init__(self, finish: Finish | None = None) -> None:
        self.rows = Rows(finish)
        self.events: list[Event] = []
        self.understood: dict[str, None] = {}
        self.not_understood: dict[str, None] = {}
        self.misfits: dict[str, str] = {}
        """Keys of number columns that held text, with the first such text."""
        self.fitting: set[str] = set()
        """Keys of number columns that held a number."""
        self.notes: list[str] = []
        """What could not be read, a sentence each."""
        self.ending: tuple[Incident, int] | None = None
        """The last incident that ends a process, and how many rows stood before it."""
        self._incidents = Incidents()

    @property
    def in_traceback(self) -> bool:
        return self._incidents.in_traceback

    def block(self) -> None:
        """A line of a block was read."""
        self._incidents.block()

    @property
    def textual(self) -> tuple[str, str] | None:
        """A number column that held nothing but text, and the first of it."""
        return next(((k, t) for k, t in self.misfits.items() if k not in self.fitting), None)

    def unknown(self, key: str) -> None:
        """A key nobody knows was met."""
        if key not in self.understood and len(self.not_understood) < _MOST_KEYS:
            self.not_understood.setdefault(key)

    def between(self, line: str) -> bool:
        """A cleaned line that belongs to no block; True where it is an incident's."""
        incident = self._incidents.feed(line)
        if incident is None:
            return self.in_traceback
        row = len(self.rows)
        self.events.append(Event(row=row, time=None, kind=incident.kind, text=incident.text))
        if incident.ends is not None:
            self.ending = (incident, row)
            self.rows.process_ended()
        return True


class Parser(Protocol):
    """Reads one format, line by line."""

    @property
    def format(self) -> str:
        """The format's name."""

    @property
    def algorithm(self) -> str | None: ...
    @property
    def assumptions(self) -> tuple[str, ...]: ...
    @property
    def metadata(self) -> Mapping[str, str | float]:
        """What is known of every run of this format."""

    @property
    def recognised(self) -> bool:
        """True once the lines read so far can only be this format."""

    @property
    def findings(self) -> Findings: ...

    @property
    def delimited(self) -> bool:
        """True where a cut line can be told from a whole one, as a JSON object by its brace."""

    def feed(self, line: Line) -> None:
        """One complete line."""

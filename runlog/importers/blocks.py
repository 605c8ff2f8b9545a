"""Text logs: lines of a format gathered into one block an iteration."""

from collections.abc import Mapping

from runlog.importers.decode import Line
from runlog.importers.formats import Format
from runlog.importers.pairs import normalised, pairs
from runlog.importers.parser import Findings
from runlog.importers.printed import read, type_of_column
from runlog.importers.rows import Row
from runlog.importers.templates import Hit, header, templates_of, uncommented

_ENOUGH = 2
"""Different values that must be met before a text counts as this format."""


class TextLog:
    """Reads one text format, and the keys the user named himself."""

    def __init__(self, format_: Format, mapping: Mapping[str, str], *, forced: bool) -> None:
        self.format = format_.name
        self.algorithm = format_.algorithm
        self.assumptions = format_.assumptions
        self.delimited = False
        self.findings = Findings()
        self._mapping = mapping
        self._header = None if format_.header is None else header(format_.header)
        self._templates = templates_of(format_, frozenset(mapping))
        self._recognised_by: set[str] = set()
        self._enough = 1 if forced or not self._templates else _ENOUGH
        self._met: set[str] = set()
        """Labels met in the block being read."""
        self._previous: str | None = None
        self._prose = 0
        """Lines of other text since the values that stand before any numbered block."""
        self._iteration_opens: bool | None = None

    @property
    def recognised(self) -> bool:
        return len(self._recognised_by) >= self._enough

    def feed(self, line: Line) -> None:
        text = line.text
        if not text:
            return
        found = self._templates.hits(uncommented(text))
        for hit in found:
            if hit.template is self._header:
                self._open(hit)
            else:
                self._take(hit)
        mapped = bool(self._mapping) and self._take_mapped(text)
        if found or mapped:
            self.findings.block()
            return
        self.findings.between(text)
        self._prose += 1
        if not self.findings.in_traceback:
            for key, _ in pairs(text):
                self.findings.unknown(key)

    def _own(self, hit: Hit) -> None:
        """A key of the format itself was met."""
        if len(hit.values) > 1 or hit.template.label not in self._recognised_by:
            self._recognised_by.update((hit.template.label, *(c for c, _ in hit.values[1:])))
            self.findings.understood.setdefault(hit.template.key)

    def _open(self, hit: Hit) -> None:
        self._own(hit)
        (_, iteration), *others = hit.values
        row = self.findings.rows.current
        if iteration is None:
            return
        number = int(iteration.value)
        if row is not None and not row.headed and self._prose > len(row.values):
            # A document about such logs, not the end of a block whose beginning is cut off.
            self.findings.rows.forget_unnumbered()
            self._met.clear()
            row = None
        if row is None or not row.headed or self._met or row.values["iteration"] != number:
            row = self.findings.rows.open(number)
            self._met.clear()
            self._previous = None
        for column, printed in others:
            if printed is not None and column not in row.values:
                row.put(column, printed)

    def _row_for(self, label: str) -> Row:
        """The block being read, or the next one when it already holds this label."""
        row = self.findings.rows.current
        if row is None or label in self._met:
            self._prose = 0 if row is None else self._prose
            row = self.findings.rows.open(None)
            self._met.clear()
        self._met.add(label)
        return row

    def _take(self, hit: Hit) -> None:
        label = hit.template.label
        self._own(hit)
        row = self.findings.rows.current
        if row is not None and row.headed and hit.text == self._previous:
            return  # the same line twice in a row: two handlers of one logger
        self._previous = hit.text
        row = self._row_for(label)
        for column, printed in hit.values:
            if printed is not None and column not in row.values:
                row.put(column, printed)

    def _take_mapped(self, line: str) -> bool:
        taken = False
        for key, number in pairs(line):
            label = normalised(key)
            column = self._mapping.get(label)
            if column is None:
                continue
            taken = True
            self.findings.understood.setdefault(key)
            if not self._templates:
                self._recognised_by.add(label)
            printed = read(number.lower(), type_of_column(column))
            row = self.findings.rows.current
            if column == "iteration" and printed is not None:
                self._number(int(printed.value))
                continue
            opened = row is not None and row.headed and self._iteration_opens is not False
            if not opened or label not in self._met:
                row = self._row_for(label)
                if printed is not None:
                    row.put(column, printed)
        return taken

    def _number(self, iteration: int) -> None:
        """A mapped iteration: it opens the block, or stands inside it, as the first one did."""
        row = self.findings.rows.current
        if self._iteration_opens is None:
            self._iteration_opens = row is None
        if self._iteration_opens or row is None or row.headed:
            self.findings.rows.open(iteration)
            self._met.clear()
            return
        row.values["iteration"] = iteration
        row.headed = True

"""Text logs: lines of a format gathered into one block an iteration."""

from collections.abc import Mapping

from runlog.importers.boxes import Cell, is_border
from runlog.importers.decode import Line
from runlog.importers.evidence import Evidence
from runlog.importers.formats.format import Format, Key
from runlog.importers.keybook import Keybook
from runlog.importers.pairs import normalised, pairs
from runlog.importers.parser import Findings
from runlog.importers.printed import Printed, read, read_cell, type_of_column
from runlog.importers.rows import Row
from runlog.importers.sayings import Sayings
from runlog.importers.templates import Hit, header, templates_of, uncommented


class TextLog:
    """Reads one text format, and the keys the user named himself."""

    def __init__(self, format_: Format, mapping: Mapping[str, str], *, forced: bool) -> None:
        self.format = format_.name
        self.assumptions = format_.assumptions
        self.metadata = format_.metadata
        self.delimited = False
        self.findings = Findings(format_.finish)
        self._known = format_
        self._mapping = mapping
        self._header = None if format_.header is None else header(format_.header)
        self._templates = templates_of(format_, frozenset(mapping))
        self._keys = Keybook(format_, mapping)
        self._sayings = Sayings(format_)
        self._generic = not (self._templates or format_.keys)
        self._evidence = Evidence(format_, forced=forced)
        self._met: set[str] = set()
        """Labels met in the block being read."""
        self._previous: str | None = None
        self._prose = 0
        """Lines of other text since the values that stand before any numbered block."""
        self._iteration_opens: bool | None = None
        self._section = ""
        self._boxed = False
        """The last value stood in a box that has not been closed."""
        self._closed = False
        """The box of the block being read has been closed; the next value opens another."""
        self._inside = False
        """The line before belonged to a block."""
        self._waiting = Row()
        """What was said of the next block."""

    @property
    def algorithm(self) -> str | None:
        return self._evidence.algorithm

    @property
    def score(self) -> int:
        """How much of the format was met."""
        return self._evidence.score

    @property
    def recognised(self) -> bool:
        return self._evidence.enough

    def feed(self, line: Line) -> None:
        text = line.text
        if not text:
            return
        if self._take_cells(line) or self._take_text(text):
            self.findings.block()
            self._inside = True
        else:
            self._between(line)

    def pass_over(self, line: Line) -> None:
        """A line without a key or word of any format."""
        text = line.text
        if text and not (self._sayings.bare and self._take_said(text)):
            self._between(line)

    def _between(self, line: Line) -> None:
        text = line.text
        if is_border(text):
            self._border()
            return
        self._prose += 1
        if self.findings.between(text):
            self._inside = False
            return
        # a box stands in many other words; what prints plain lines has little else in between
        self._inside = self._inside and bool(line.pairs)
        if self._inside or not self._known.keys:
            for key, _ in line.pairs:
                if normalised(key) not in self._known.silent:
                    self.findings.unknown(key)
        for cell in line.cells if self._known.keys else ():
            if cell.boxed and read_cell(cell.value, "float64") is not None:
                self.findings.unknown(self._section + cell.key)

    def _border(self) -> None:
        self._section = ""
        self._closed = self._closed or self._boxed
        self._boxed = False

    def _row(self) -> Row | None:
        """The block being read."""
        return None if self._closed and self._header is None else self.findings.rows.current

    def _opened(self, iteration: int | None) -> Row:
        """A new block, with what was said before it."""
        row = self.findings.rows.open(iteration)
        self._met.clear()
        self._closed = False
        if self._known.texts_before:
            waiting, self._waiting = self._waiting, Row()
            row.values |= waiting.values
            row.halves |= waiting.halves
            row.said += waiting.said
        return row

    def _tell(self, label: str, key: str, *more: str) -> None:
        """A key or line of the format itself was met."""
        self._evidence.meet(label, *more)
        self.findings.understood.setdefault(key)

    def _take_said(self, text: str) -> bool:
        said = self._sayings.met(text) if self._known.said else None
        if said is None:
            return False
        self._evidence.say(said.mark)
        if self._known.texts_before:
            self._waiting.said.append(said)
        else:
            row = self._row()
            if row is not None:
                row.said.append(said)
        return True

    def _take_cells(self, line: Line) -> bool:
        if self._generic:
            if line.pairs or not self._mapping:
                return False
        elif not self._known.keys:
            return False
        taken, again = False, line.text == self._previous
        for cell in line.cells:
            if not cell.value and self._keys.is_section(cell.key):
                self._section = normalised(cell.key)
                taken = True
            else:
                taken = self._take_cell(cell, again=again) or taken
        if taken:
            self._previous = line.text
        return taken

    def _take_cell(self, cell: Cell, *, again: bool) -> bool:
        found = self._keys.label(self._section, cell.key, boxed=cell.boxed)
        if found is None:
            return False
        label, key = found
        if key is None:  # known, and without a column
            self._evidence.meet(label)
            self._boxed = self._boxed or cell.boxed
            return True
        printed = read_cell(cell.value, type_of_column(key.column))
        if printed is None and read_cell(cell.value, "float64") is None and not cell.boxed:
            return False  # words, not a value
        if label not in self._mapping or self._generic:
            self._evidence.meet(label)
        self.findings.understood.setdefault(label)
        row = self._row()
        if row is not None and again and (cell.boxed or row.headed):
            return True  # the same line twice in a row: two handlers of one logger, two workers
        self._boxed = cell.boxed
        if key.column == "iteration":
            self._number_inside(label, printed)
        else:
            self._put(label, key, printed)
        return True

    def _put(self, label: str, key: Key, printed: Printed | None) -> None:
        row = self._row_for(label)
        value = None if printed is None else key.of(printed)
        if value is not None and (label in self._mapping or key.column not in row.values):
            row.put(key.column, value)

    def _number_inside(self, label: str, printed: Printed | None) -> None:
        """The number of the block being read, printed among its values."""
        if printed is None:
            return
        number = int(printed.number)
        row = self._row()
        same = row is not None and row.headed and row.values["iteration"] == number
        if same and label not in self._met:
            self._met.add(label)
            return
        row = self._row_for(label)
        if not row.headed:
            self.findings.rows.number_inside(number)
        elif row.values["iteration"] != number:
            self._opened(number)
            self._met.add(label)

    def _take_text(self, text: str) -> bool:
        lines = self._take_lines(text)
        return self._take_said(text) or lines

    def _take_lines(self, text: str) -> bool:
        found = self._templates.hits(uncommented(text)) if self._may_hit(text) else ()
        opens = any(hit.template is self._header for hit in found)
        for hit in found:
            if hit.template is self._header:
                self._open(hit)
            else:
                self._take(hit, opens=opens)
        mapped = bool(self._mapping) and not self._known.keys and self._take_mapped(text)
        return bool(found) or mapped

    def _may_hit(self, text: str) -> bool:
        """Whether a template can be met: asked first where most lines are something else."""
        if not self._known.keys:
            return bool(self._templates)
        low = text.lower()
        return any(label in low for label in self._templates.labels)

    def _open(self, hit: Hit) -> None:
        if len(hit.values) > 1 or hit.template.label not in self._evidence:
            self._tell(hit.template.label, hit.template.key, *(c for c, _ in hit.values[1:]))
        (_, iteration), *others = hit.values
        row = self.findings.rows.current
        if iteration is None:
            return
        number = int(iteration.number)
        if row is not None and not row.headed and self._prose > len(row.values):
            # A document about such logs, not the end of a block whose beginning is cut off.
            self.findings.rows.forget_unnumbered()
            self._met.clear()
            row = None
        if row is None or not row.headed or self._met or row.values["iteration"] != number:
            row = self._opened(number)
            self._previous = None
        for column, printed in others:
            if printed is not None and column not in row.values:
                row.put(column, printed)

    def _row_for(self, label: str) -> Row:
        """The block being read, or the next one when it already holds this label."""
        row = self._row()
        if row is None or label in self._met:
            self._prose = 0 if row is None else self._prose
            row = self._opened(None)
        self._met.add(label)
        return row

    def _take(self, hit: Hit, *, opens: bool) -> None:
        label = hit.template.label
        if len(hit.values) > 1 or label not in self._evidence:
            self._tell(label, hit.template.key, *(c for c, _ in hit.values[1:]))
        row = self.findings.rows.current
        if row is not None and row.headed and hit.text == self._previous:
            return  # the same line twice in a row: two handlers of one logger
        self._previous = hit.text
        before = self._known.texts_before and not opens
        row = self._waiting if before else self._row_for(label)
        for column, printed in hit.values:
            if printed is not None and column not in row.values:
                row.put(column, printed)

    def _take_mapped(self, text: str) -> bool:
        taken = False
        for key, number in pairs(text):
            label = normalised(key)
            column = self._mapping.get(label)
            if column is None:
                continue
            taken = True
            self.findings.understood.setdefault(key)
            if self._generic:
                self._evidence.meet(label)
            printed = read(number.lower(), type_of_column(column))
            row = self.findings.rows.current
            if column == "iteration" and printed is not None:
                self._number(int(printed.number))
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

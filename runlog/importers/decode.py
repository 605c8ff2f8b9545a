"""Bytes to lines: encodings, colours, carriage returns, the line that is not finished."""

import codecs
import re

from runlog.importers.boxes import Cell, cells
from runlog.importers.pairs import pairs

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()][0-9A-B]|[=>@-Z\\^_])"
)
_LONGEST = 1 << 20
"""Bytes; what is longer without a line end is no line of a log and is passed over."""
_LINE_ENDS = re.compile(r"\r\n|\n|\r|\x85|\u2028")


def _utf16(head: bytes) -> str | None:
    """Codec of UTF-16 text, told by its mark or, without one, by the zero bytes of Latin text."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) >= 4 and head[1] == head[3] == 0 and head[0] and head[2]:
        return "utf-16-le"
    if len(head) >= 4 and head[0] == head[2] == 0 and head[1] and head[3]:
        return "utf-16-be"
    return None


def _decode(line: bytes) -> str:
    """A line of UTF-8; a line that is not is taken as cp1252, which Windows consoles write."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


class Line:
    """A line as it came, and as text: no colours or marks, white space folded to single blanks.

    What it may hold is worked out once, however many formats are still possible.
    """

    __slots__ = ("_cells", "_pairs", "raw", "text")

    def __init__(self, raw: str, text: str) -> None:
        self.raw = raw
        self.text = text
        self._cells: tuple[Cell, ...] | None = None
        self._pairs: list[tuple[str, str]] | None = None

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of a box or table this line may be a row of."""
        if self._cells is None:
            self._cells = cells(self.text)
        return self._cells

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The `key: number` pairs in it."""
        if self._pairs is None:
            self._pairs = pairs(self.text)
        return self._pairs


def line_of(raw: str) -> Line:
    """The line without its colours."""
    return Line(raw, _clean(raw))


def _clean(line: str) -> str:
    if "\x1b" in line:
        line = _ESCAPES.sub("", line)
    return " ".join(line.replace("\x00", "").replace("\ufeff", "").split())


class Lines:
    """Cuts bytes that arrive in pieces into complete lines of text.

    A line counts as complete when its end has arrived: a number at the end of the bytes may have
    more digits to come.
    """

    def __init__(self) -> None:
        self._bytes = b""
        self._text = ""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._started = False

    def feed(self, data: bytes) -> list[str]:
        """The lines completed by these bytes, without their ends."""
        self._bytes += data
        if not self._started:
            if len(self._bytes) < 4:
                return []
            codec = _utf16(self._bytes)
            self._started = True
            if codec is not None:
                self._decoder = codecs.getincrementaldecoder(codec)(errors="replace")
        if self._decoder is not None:
            self._text += self._decoder.decode(self._bytes)
            self._bytes = b""
        else:
            # bytes after the last line end wait: a character of several bytes may be cut in two
            end = max(self._bytes.rfind(b"\n"), self._bytes.rfind(b"\r")) + 1
            whole, self._bytes = self._bytes[:end], self._bytes[end:]
            if len(self._bytes) > _LONGEST:
                self._bytes = b""
            self._text += "".join(map(_decode, whole.splitlines(keepends=True)))
        *lines, self._text = _LINE_ENDS.split(self._text)
        if len(self._text) > _LONGEST:
            self._text = ""
        return lines

    def rest(self) -> tuple[str, str]:
        """The unfinished last line, whole and up to its last blank: what no later byte changes."""
        codec = None if self._started else _utf16(self._bytes)
        waiting = self._bytes.decode(codec, "replace") if codec else _decode(self._bytes)
        text = self._text + waiting
        if text.rstrip() != text:
            return text, text
        words = text.rsplit(None, 1)
        return text, words[0] if len(words) > 1 else ""

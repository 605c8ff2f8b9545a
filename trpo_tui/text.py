"""Numbers, ages and wrapped lines as the screen and the plain output write them."""

import math
import textwrap
import time
from collections.abc import Iterable
from functools import lru_cache

from analyzer.diagnosis import Evidence
from runlog.run import ListColumn, Run
from trpo_tui.themes import Line, Role

FIRST_MOMENT, LAST_MOMENT = 1e8, 1e11
"""Unix seconds, 1973 to 5138: what lies outside is no date."""


def number(value: float) -> str:
    """A number in at most 9 characters: 4 significant digits, plain where that is short."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e7:
        return str(int(value))
    if 1e-3 <= abs(value) < 1e6:
        digits = max(0, 3 - math.floor(math.log10(abs(value))))
        text = f"{value:.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def chosen(name: str, letters: str) -> bool:
    """Whether a filter lets the name through: it holds the letters, or after `!` it does not."""
    if letters.startswith("!"):
        return not letters[1:] or letters[1:].lower() not in name.lower()
    return letters.lower() in name.lower()


def cell(run: Run, name: str, row: int) -> str:
    """What the log holds in one cell: a number, a text, the head of a list, or `null`."""
    type_ = run.types.get(name)
    if type_ is None:
        return "not logged"
    if not 0 <= row < len(run):
        return "null"
    if type_.startswith("list<"):
        return _list_cell(run.lists(name), row)
    column = run.column(name)
    if not column.present[row]:
        return "null"
    value = column.values[row]
    if type_ == "string":
        return str(value)
    if type_ == "bool":
        return "yes" if value else "no"
    if type_ == "int64" and math.isfinite(value):
        return str(int(value))
    return moment(float(value)) if name == "time" else number(float(value))


def moment(seconds: float) -> str:
    """Unix time as local date and time; a number that is none of our days stays a number."""
    if not FIRST_MOMENT <= seconds <= LAST_MOMENT:
        return number(seconds)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _list_cell(column: ListColumn, row: int) -> str:
    if not column.present[row]:
        return "null"
    entries = column[row]
    shown = " ".join(number(float(entry)) for entry in entries[:4])
    return f"{len(entries)}: {shown}" + (" ..." if len(entries) > 4 else "")


def compared(evidence: Evidence, *, holds: bool = True) -> str:
    """One comparison as a line: what was measured, the number, how and with what compared.

    Where the rule does not fire the comparison need not hold, so it is told as a condition.
    """
    unit = "" if evidence.unit == "1" else f" {evidence.unit}".rstrip()
    said = f"{evidence.measure} = {_amount(evidence.value)}"
    if evidence.bound is None:
        return said + unit
    against = f"{evidence.comparison} {_amount(evidence.bound)}{unit}"
    return f"{said} {against}" if holds else f"{said} (yes if {against})"


def _amount(value: float | str | None) -> str:
    if value is None:
        return "null"
    return value if isinstance(value, str) else number(float(value))


def age(seconds: float) -> str:
    """How long ago, in steps coarse enough not to tick: `<10 s`, `30 s`, `2 min`, `3 h`."""
    if seconds < 10:
        return "<10 s"
    if seconds < 60:
        return f"{int(seconds // 10) * 10} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 172_800:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86_400)} d"


def clock(moment: float, now: float) -> str:
    """A moment in local time; the date too when it was another day."""
    then, today = time.localtime(moment), time.localtime(now)
    same_day = then[:3] == today[:3]
    return time.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M", then)


def wrapped(text: str, width: int, lines: int, role: Role = "plain") -> list[Line]:
    """The text over at most `lines` lines; what does not fit ends in an ellipsis."""
    if width < 1 or lines < 1:
        return []
    return [((piece, role),) for piece in wrap(text, width, lines)]


@lru_cache(maxsize=1024)
def wrap(text: str, width: int, lines: int) -> tuple[str, ...]:
    """Word-wrapped text, at most `lines` lines of `width` characters."""
    return tuple(
        textwrap.wrap(text, width, max_lines=lines, placeholder=" ...", break_on_hyphens=False)
    )


def labelled(label: str, text: str, width: int, lines: int, roles: tuple[Role, Role]) -> list[Line]:
    """A label, then the text wrapped and indented beside it."""
    indent = len(label) + 1
    pieces = wrap(text, max(8, width - indent), lines)
    first: Iterable[str] = [label + " "]
    margins = [*first, *([" " * indent] * max(0, len(pieces) - 1))]
    return [
        ((margin, roles[0]), (piece, roles[1]))
        for margin, piece in zip(margins, pieces, strict=False)
    ]

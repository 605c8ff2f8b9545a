"""Rows of printed boxes and tables: which key and which value a line may hold."""

import re
from functools import lru_cache
from typing import NamedTuple

_BARS = re.compile(r"[|│┃║]")
_BORDER = re.compile(
    r"[\s|+>#─━═┌┬┐├┼┤└┴┘┏┳┓┡╇┩╞╪╡╔╦╗╠╬╣╚╩╝]*[-=─━═_]{4}[-=+|\s─━═┌┬┐├┼┤└┴┘┏┳┓┡╇┩╞╪╡╔╦╗╠╬╣╚╩╝]*"
)
_LONGEST = 400
_MOST_CELLS = 40


class Cell(NamedTuple):
    """A key and the text of its value. `boxed`: bars stood between them, or a sign of equality."""

    key: str
    value: str
    boxed: bool


@lru_cache(maxsize=64)
def is_border(text: str) -> bool:
    """Whether a line is nothing but the rule that begins or ends a box."""
    return _BORDER.fullmatch(text[:_LONGEST]) is not None


def cells(text: str) -> tuple[Cell, ...]:
    """`| key | value |`, `key value`, `key: value`, `| key=value | key=value |`, for a cleaned line.

    Whether it is one, only the key can tell: the last line of a poem has cells too.
    """
    if len(text) > _LONGEST:
        return ()
    if text.startswith("| ") and text.endswith(" |"):  # most rows of most boxes
        key, bar, value = text[2:-2].partition(" | ")
        if bar and "|" not in value and "=" not in text:
            return (Cell(key, value.lstrip(), boxed=True),)
    if _BARS.search(text) is not None:
        parts = [part.strip(" *`") for part in _BARS.split(text)]
        if len(parts) > _MOST_CELLS:
            return ()
        pairs = [part.partition("=") for part in parts if "=" in part]
        if len(parts) > 2 and pairs:
            return tuple(Cell(key.strip(), value.strip(), boxed=True) for key, _, value in pairs)
        if len(parts) > 2 and not parts[-1]:
            return (Cell(parts[-3], parts[-2], boxed=True),) if parts[-3] else ()
        if len(parts) == 3 and not parts[0] and parts[1]:
            return (Cell(parts[1], parts[2], boxed=True),)
        text = parts[-1]
    key, blank, value = text.rpartition(" ")
    if not blank:
        return ()
    bare = key.rstrip(":= ")
    return (Cell(bare, value, boxed=False),) if bare else ()

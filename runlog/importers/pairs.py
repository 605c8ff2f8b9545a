"""The `key: number` pairs of any line, and what the user says they are."""

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType

from runlog.errors import UserError
from runlog.importers.printed import NUMBER
from runlog.schema import BY_NAME

_LONGEST_LINE = 600
_PAIR = re.compile(
    rf"(?<![\w./])([^\W\d_][\w./ ()%'-]{{0,60}}?)\s?[:=]\s?{NUMBER}(?!:\d)", re.IGNORECASE
)
_HEAD = re.compile(r"([^\W\d_][\w./ ()%'-]{0,60}?)\s?:\s(?=[\w./()%-]{1,40}\s?[=:])")


def normalised(key: str) -> str:
    """A key for comparison: case and white space do not count."""
    return " ".join(key.lower().split())


def pairs(line: str) -> list[tuple[str, str]]:
    """Keys of a line with their printed numbers; `Ratio: mean=1, std=2` gives `Ratio mean`, …"""
    if ":" not in line and "=" not in line:
        return []
    line = line[:_LONGEST_LINE]
    found = [(m.group(1).strip(), m.group(2), m.start()) for m in _PAIR.finditer(line)]
    if not found:
        return []
    head = _HEAD.search(line)
    first = f"{head.group(1).strip()} " if head is not None and head.start() < found[0][2] else ""
    return [(first + key, number) for key, number, _ in found]


def checked(mapping: Mapping[str, str] | None) -> Mapping[str, str]:
    """The user's `theirs=ours`, by normalised key; a name that is no column is the user's error."""
    checked: dict[str, str] = {}
    for theirs, ours in (mapping or {}).items():
        if not theirs.strip():
            raise UserError(f"--map {theirs}={ours}: no key before the =")
        if ours.startswith("reward_term_"):
            pass
        elif ours not in BY_NAME:
            near = difflib.get_close_matches(ours, BY_NAME, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; docs/columns.md lists the columns"
            raise UserError(f"--map {theirs}={ours}: no column is called {ours}{hint}")
        elif BY_NAME[ours].is_list:
            raise UserError(f"--map {theirs}={ours}: {ours} holds lists, a text log holds numbers")
        checked[normalised(theirs)] = ours
    return MappingProxyType(checked)

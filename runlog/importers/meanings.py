"""Which framework wrote a table, JSON lines or TensorBoard's tags: the one that knows its keys."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from runlog.importers.file_formats import FILE_FORMATS
from runlog.importers.formats import FORMATS
from runlog.importers.formats import NAMES as FORMAT_NAMES
from runlog.importers.formats.format import Format, Key
from runlog.importers.pairs import normalised
from runlog.importers.printed import Printed
from runlog.schema import BY_NAME

FILES = ("csv", "jsonl", "tensorboard")
"""What files may be, whoever wrote them."""
NAMES = tuple(dict.fromkeys((*FORMAT_NAMES, *FILES, *(known.name for known in FILE_FORMATS))))
"""What `--from` accepts."""
_SAY_NOTHING = ("progress", "hyperparameters")
"""Groups of columns that do not tell whether something is the log of a training."""


def best_format(theirs: Iterable[str], wanted: str | None = None) -> Format | None:
    """The framework that knows most of some keys, one of its own among them; None where none does.

    `wanted`: the name of the only one to ask, of a kind of file, or None.
    """
    return _best(tuple(theirs), None if wanted in FILES else wanted)


@lru_cache(64)
def _best(theirs: tuple[str, ...], wanted: str | None) -> Format | None:
    plain = {normalised(key) for key in theirs}
    # a table of our own columns is nobody else's, though they share some names
    best, most = None, sum(key in BY_NAME for key in theirs) if wanted is None else 0
    for known in (*FORMATS, *FILE_FORMATS):
        if wanted not in (None, known.name) or (wanted is None and plain.isdisjoint(known.own)):
            continue
        columns = {found.column for key in plain if (found := known.key(key)) is not None}
        if len(columns) > most and any(map(tells, columns)):
            best, most = known, len(columns)
    return best


def algorithm_of(framework: Format | None, theirs: Iterable[str]) -> str | None:
    """The algorithm that logs such keys, if they tell."""
    if framework is None:
        return None
    plain = {normalised(key) for key in theirs}
    told = (name for key, name in framework.algorithms.items() if key in plain)
    return next(told, framework.algorithm)


def tells(column: str) -> bool:
    """Whether a column shows that something is the log of a training."""
    return group_of(column) not in _SAY_NOTHING


def group_of(column: str) -> str:
    """The declared group of a column; rewards' own terms are rewards."""
    return BY_NAME[column].group if column in BY_NAME else "reward"


def key_of(theirs: str, framework: Format | None, mapping: Mapping[str, str]) -> Key | None:
    """What a key stands for: the user's word, else a column's own name, else the framework's."""
    mapped = mapping.get(normalised(theirs))
    if mapped is not None:
        return Key(mapped)
    declared = BY_NAME.get(theirs.strip())
    if declared is not None and not declared.is_list and framework is None:
        return Key(declared.name)
    return None if framework is None else framework.key(theirs)


def is_silent(theirs: str, framework: Format | None) -> bool:
    """Whether a key is known to say nothing that has a column."""
    plain = normalised(theirs)
    return framework is not None and (plain in framework.silent or plain.startswith("config/"))


def finish(framework: Format | None, cells: dict[str, Printed]) -> None:
    """Set and take away what a row means as a whole."""
    if framework is None or framework.finish is None:
        return
    for column, value in framework.finish(cells, ()).items():
        if value is None:
            cells.pop(column, None)
        else:
            cells[column] = value

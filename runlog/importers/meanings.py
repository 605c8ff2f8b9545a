"""What the keys of a table, of JSON lines or of TensorBoard's tags mean, by framework."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

from runlog.importers.pairs import normalised
from runlog.importers.printed import Printed
from runlog.schema import BY_NAME

StepKind = Literal["timesteps", "iteration"]


@dataclass(frozen=True, slots=True)
class Key:
    """The column a key stands for: `factor` times its number, of which `log` takes the logarithm."""

    column: str
    factor: float = 1.0
    log: bool = False

    def of(self, printed: Printed) -> Printed | None:
        """The column's value for the key's; None where there is none."""
        value, half = printed.value, printed.half_unit
        if isinstance(value, bool | str) or (self.factor == 1.0 and not self.log):
            return printed
        if not self.log:
            return Printed(value * self.factor, half * abs(self.factor))
        if not value > 0:
            return None
        return Printed(math.log(value), half / value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One framework's files. `keys`: by normalised key; `*` in one stands for a name of the user's.

    `step`: what TensorBoard's step counts. `rounded`: keys printed with that many decimals
    however many the others have.
    """

    name: str
    algorithm: str | None = None
    keys: Mapping[str, Key] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    step: StepKind | None = None
    rounded: Mapping[str, int] = field(default_factory=dict)

    def key(self, theirs: str) -> Key | None:
        """What a key of the file stands for, None if unknown."""
        plain = normalised(theirs)
        found = self.keys.get(plain)
        if found is None:
            for pattern, key in self.keys.items():
                if "*" in pattern and fnmatchcase(plain, pattern):
                    return key
        return found


def best_meaning(keys: Iterable[str], wanted: str | None = None) -> Meaning | None:
    """The framework that knows most of some keys, None if none knows any that is not a counter."""
    everything = tuple(keys)
    best, most = None, 0
    for meaning in meanings():
        if wanted not in (None, meaning.name):
            continue
        known = {found.column for key in everything if (found := meaning.key(key)) is not None}
        told = sum(1 for column in known if group_of(column) != "progress")
        if told and len(known) > most:
            best, most = meaning, len(known)
    return best


def group_of(column: str) -> str:
    """The declared group of a column; rewards' own terms are rewards."""
    return BY_NAME[column].group if column in BY_NAME else "reward"


@cache
def meanings() -> tuple[Meaning, ...]:
    """All that are known."""
    from runlog.importers.file_formats import FILE_FORMATS

    return FILE_FORMATS


def key_of(theirs: str, meaning: Meaning | None, mapping: Mapping[str, str]) -> Key | None:
    """What a key stands for: the user's word, else a column's own name, else the framework's."""
    mapped = mapping.get(normalised(theirs))
    if mapped is not None:
        return Key(mapped)
    declared = BY_NAME.get(theirs.strip())
    if declared is not None and not declared.is_list:
        return Key(declared.name)
    return None if meaning is None else meaning.key(theirs)

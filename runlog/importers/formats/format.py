"""What one trainer prints and writes: its lines, its keys, and what they mean in our columns."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal

from runlog.importers.printed import Printed

StepKind = Literal["timesteps", "iteration"]


@dataclass(frozen=True, slots=True)
class Key:
    """The column a key stands for: `factor` times its number, of which `log` takes the logarithm.

    `offset` is added at last.
    """

    column: str
    factor: float = 1.0
    log: bool = False
    offset: float = 0.0

    def of(self, printed: Printed) -> Printed | None:
        """The column's value for the key's; None where there is none."""
        value, half = printed.value, printed.half_unit
        plain = self.factor == 1.0 and not self.log and not self.offset
        if plain or not isinstance(value, int | float) or isinstance(value, bool):
            return printed
        if self.log:
            if not value > 0 and not math.isnan(value):
                return None
            value, half = math.log(value), half / value
        return Printed(self.offset + self.factor * value, half * abs(self.factor))


@dataclass(frozen=True, slots=True)
class Said:
    """A line of text that means something: its mark, and the numbers in it."""

    mark: str
    numbers: tuple[Printed, ...]


Cells = Mapping[str, Printed]
Finish = Callable[[Cells, Sequence[Said]], Mapping[str, Printed | None]]
"""From a block's values by column and what was said in it: values to set, None to take away."""


def keys(columns: Mapping[str, str | Key]) -> Mapping[str, Key]:
    """A format's keys as they are compared: case and white space do not count."""
    return MappingProxyType(
        {
            " ".join(key.lower().split()): Key(column) if isinstance(column, str) else column
            for key, column in columns.items()
        }
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Format:
    """One trainer's output, on the screen and in files.

    `header`: the line that opens a block. `lines`: other lines as printed, with `{column}` where
    the value stands. `keys`: by key, `*` in it for a name of the user's; where a box or a table
    has sections, keys are `section/key`. `silent`: keys that are known and have no column.
    `said`: lines of text that mean something, `{}` where a number stands, with their marks.
    `own`: keys (or beginnings of lines) that tell the format; one of them must be met. Case,
    indent and white space never matter, nor does what stands before or after.

    `sections`: boxes have rows that only head the keys below them.
    `texts_before`: lines of text stand before the line or box that opens their block.
    `algorithms`: by a key that only this algorithm logs. `finish`: what a row means as a whole.
    `assumptions`: where a number means something else than its column, one sentence each.
    `step`: what TensorBoard's step counts. `rounded`: keys printed with that many decimals
    however many the others have.
    """

    name: str
    algorithm: str | None = None
    algorithms: Mapping[str, str] = field(default_factory=dict)
    header: str | None = None
    lines: tuple[str, ...] = ()
    keys: Mapping[str, Key] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    said: Mapping[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    sections: bool = False
    texts_before: bool = False
    finish: Finish | None = None
    assumptions: tuple[str, ...] = ()
    metadata: Mapping[str, str | float] = field(default_factory=dict)
    step: StepKind | None = None
    rounded: Mapping[str, int] = field(default_factory=dict)
    _patterns: tuple[tuple[str, Key], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        patterns = tuple((key, found) for key, found in self.keys.items() if "*" in key)
        object.__setattr__(self, "_patterns", patterns)

    def key(self, theirs: str) -> Key | None:
        """What a key of theirs stands for, None if unknown."""
        return self.plain_key(" ".join(theirs.lower().split()))

    def plain_key(self, plain: str) -> Key | None:
        """The same for a key in lower case whose white space is single blanks."""
        found = self.keys.get(plain)
        if found is None:
            for pattern, key in self._patterns:
                if fnmatchcase(plain, pattern):
                    return key
        return found

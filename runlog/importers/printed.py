"""A value as printed: the number, and half a unit of its last digit."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from runlog.schema import BY_NAME, Type

_SIGN = r"[-+]?"
_THOUSANDS = rf"{_SIGN}[1-9]\d{{0,2}}(?:,\d{{3}}){{1,12}}(?:\.\d{{0,40}})?"
_PLAIN = rf"{_SIGN}(?:\d{{1,40}}(?:\.\d{{0,40}})?|\.\d{{1,40}})(?:e[-+]?\d{{1,4}})?"
_WORDS = rf"{_SIGN}(?:nan|inf(?:inity)?)|none|null|n/a"
_WRAPPED = r"(?:(?:tensor|array|np\.float\d{2}|float)\(\[?\s?)?"

NUMBER = rf"{_WRAPPED}({_THOUSANDS}|{_PLAIN}|{_WORDS})(?!\w|[.,]\d)"
"""Lower-case pattern of a printed number, one group; never a part of a longer one."""
PLAIN_NUMBER = rf"{_WRAPPED}({_PLAIN}|{_WORDS})(?!\w|\.\d)"
"""The same in a list whose commas part numbers, not thousands."""

_TRUE = ("success", "successful", "succeeded", "true", "yes", "ok", "1", "1.0")
_FALSE = ("failed", "failure", "fail", "false", "no", "0", "0.0")
# a tick in UTF-8 read as cp1252 becomes three other characters
_TRUE_TICKS = ("✓", "✔", "âœ“", "âœ”")
_FALSE_TICKS = ("✗", "✘", "✕", "âœ—", "âœ˜")
_TICKS = "|".join(_TRUE_TICKS + _FALSE_TICKS)
FLAG = (
    rf"((?:[^\w\s]|[^\x00-\x7f]){{0,8}}\s?(?:{'|'.join(map(re.escape, _TRUE + _FALSE))})(?!\w|\.\d)"
    rf"|{_TICKS}|none|null|n/a)"
)
"""Lower-case pattern of a flag: a word, whatever stands for its tick, or a tick alone."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A value and its resolution: half a unit of the last printed digit; 0 where it is exact."""

    value: float | bool | str | tuple[float, ...]
    half_unit: float

    @property
    def number(self) -> float:
        """The value where it is a number or a flag, NaN where it is not."""
        return float(self.value) if isinstance(self.value, int | float) else math.nan


def _number(text: str, *, exact: bool) -> Printed | None:
    digits = text.replace(",", "")
    value = float(digits)
    if not math.isfinite(value):
        # 1e999 is a number no double holds, not an infinity somebody computed
        return None if exact or any(map(str.isdigit, digits)) else Printed(value, 0.0)
    if exact:
        if value != int(value) or abs(value) >= 2**53:
            return None
        # 1.04e+05 was rounded; 104448 was not
        return Printed(int(value), max(_half_unit(digits), 0.5) if "e" in digits else 0.0)
    return Printed(value, _half_unit(digits))


def _half_unit(digits: str) -> float:
    mantissa, _, exponent = digits.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return _half(int(exponent or 0) - decimals - 1)


@lru_cache(maxsize=1024)
def _half(exponent: int) -> float:
    return float(f"5e{exponent}")


def _flag(text: str) -> Printed | None:
    if text in _TRUE_TICKS or text in _FALSE_TICKS:
        return Printed(text in _TRUE_TICKS, 0.0)
    word = text.split()[-1]
    if word in _TRUE or word in _FALSE:
        return Printed(word in _TRUE, 0.0)
    # whatever stood for the tick sticks to the word; only the long words can end another safely
    if word.endswith((*_TRUE[:3], *_FALSE[:2])):
        return Printed(word.endswith(_TRUE[:3]), 0.0)
    return None


def read(text: str, type_: Type) -> Printed | None:
    """What a lower-case word says for a column of that type; None for a null or for nonsense."""
    if text in ("none", "null", "n/a", ""):
        return None
    if type_ == "bool":
        return _flag(text)
    if type_ == "string":
        return Printed(text, 0.0)
    return _number(text, exact=type_ == "int64")


_NUMBER = re.compile(NUMBER)
_NUMBERS = ("float64", "int64")
_GENERAL_ZERO = ("0", "-0")
"""C's %g prints these of nothing but 0; a format with fixed digits prints a point."""


def read_cell(text: str, type_: Type) -> Printed | None:
    """What a whole cell says for a column of that type; None where it is no such value."""
    if type_ == "float64" and text in _GENERAL_ZERO:
        return Printed(0.0, 0.0)
    plain = len(text) < 40 and text.isascii()
    if plain and text.replace(".", "", 1).removeprefix("-").isdecimal() and type_ in _NUMBERS:
        return _number(text, exact=type_ == "int64")
    low = text.lower()
    if type_ == "bool":
        return _flag(low) if low else None
    found = _NUMBER.fullmatch(low)
    return None if found is None else read(found.group(1), type_)


def type_of_column(name: str) -> Type:
    """Declared type of a column; undeclared ones hold numbers."""
    return BY_NAME[name].type if name in BY_NAME else "float64"

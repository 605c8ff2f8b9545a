"""How precisely a column of a file was printed, told by all of its numbers together."""

import math
from dataclasses import dataclass

import numpy as np

_DOUBLE = 12
"""Significant digits from which a number must come from a program that prints all it has."""
_SINGLE = 7
"""The same for numbers of single precision."""


@dataclass(slots=True)
class Precision:
    """What the numbers of one column have in common. A program that prints all digits drops
    trailing zeros, so that its 0.5 is exact, while 0.5 beside 0.1429 and 0.7741 is not."""

    significant: int = 0
    decimals: int = 0

    def meet(self, word: str) -> bool:
        """Look at a printed number; True if it changes what is known of the column."""
        mantissa, _, exponent = word.partition("e")
        digits = len(mantissa.lstrip("+-0.").replace(".", ""))
        decimals = 0 if exponent else len(mantissa.partition(".")[2])
        if digits <= self.significant and decimals <= self.decimals:
            return False
        if not any(map(str.isdigit, mantissa)):  # nan, inf
            return False
        self.significant = max(self.significant, digits)
        self.decimals = max(self.decimals, decimals)
        return True

    @property
    def full(self) -> bool:
        """True where every number of the column is the number itself."""
        return self.significant >= _DOUBLE

    def half(self, word: str, value: float, *, exact: bool) -> float:
        """Half a unit of the last digit of a number. `exact`: the file has columns that are full."""
        if self.full or not math.isfinite(value):
            return 0.0
        if self.significant >= _SINGLE:
            return float(np.spacing(np.float32(abs(value)))) / 2
        if exact and self.decimals <= 1:
            return 0.0
        mantissa, _, exponent = word.partition("e")
        own = len(mantissa.partition(".")[2])
        if exponent or value == 0:
            place = own - int(exponent or 0) if exponent else max(own, self.decimals)
        else:
            kept = self.significant - 1 - math.floor(math.log10(abs(value)))
            place = max(own, min(self.decimals, kept))
        return float(f"5e{-place - 1}")

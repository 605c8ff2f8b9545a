"""Lines of text that mean something: a format's sayings as patterns, and where they are met."""

import re
from functools import lru_cache

from runlog.importers.formats.format import Format, Said
from runlog.importers.printed import NUMBER, read

_LONGEST = 400


class Sayings:
    """All the sayings of one format."""

    def __init__(self, format_: Format) -> None:
        self._sayings = tuple(
            (mark, text.lower().partition("{}")[0].strip(), _pattern(text))
            for text, mark in format_.said.items()
        )
        words = [re.escape(word) for _, word, _ in self._sayings if word]
        self._any = re.compile("|".join(words)) if words else None
        self.bare = [
            (mark, re.compile(rf"(?:.*[>:\])|] )?{pattern.pattern}"))
            for mark, word, pattern in self._sayings
            if not word
        ]
        """Rows of numbers alone."""

    def met(self, text: str) -> Said | None:
        """What a cleaned line says, None if nothing known."""
        low = text[:_LONGEST].lower()
        if self.bare and low[-1].isdigit():
            for mark, pattern in self.bare:
                found = pattern.fullmatch(low)
                if found is not None:
                    return _said(mark, found)
        if self._any is None or self._any.search(low) is None:
            return None
        for mark, word, pattern in self._sayings:
            found = pattern.search(low) if word in low else None
            if found is not None:
                return _said(mark, found)
        return None


def _said(mark: str, found: re.Match[str]) -> Said | None:
    numbers = tuple(read(number, "float64") for number in found.groups())
    known = tuple(number for number in numbers if number is not None)
    return Said(mark, known) if len(known) == len(numbers) else None


@lru_cache
def _pattern(text: str) -> re.Pattern[str]:
    """White space is free, and what Python prints around the members of a tuple."""
    pieces = [re.escape(piece.strip()) for piece in text.lower().split("{}")]
    gap = rf"['\",\s]*{NUMBER}['\",\s]*"
    return re.compile(gap.join(piece.replace(r"\ ", r"\s+") for piece in pieces))

"""Lines of text that mean something: a format's sayings as patterns, and where they are met."""

import re
from functools import lru_cache

from runlog.importers.formats.format import Format, Said
from runlog.importers.printed import NUMBER, read

_LONGEST = 400


class Sayings:
    """All the sayings of one format."""

    def __init__(self, format_: Format) -> None:
        self._patterns = tuple(
            (mark, _first_word(text), _pattern(text)) for text, mark in format_.said.items()
        )

    def met(self, text: str) -> Said | None:
        """What a cleaned line says, None if nothing known."""
        low = text[:_LONGEST].lower()
        for mark, word, pattern in self._patterns:
            if word not in low:
                continue
            found = pattern.search(low) if word else pattern.fullmatch(low)
            if found is None:
                continue
            numbers = tuple(read(number, "float64") for number in found.groups())
            known = tuple(number for number in numbers if number is not None)
            if len(known) == len(numbers):
                return Said(mark, known)
        return None


def _first_word(text: str) -> str:
    return text.lower().partition("{}")[0].strip()


@lru_cache
def _pattern(text: str) -> re.Pattern[str]:
    """White space is free, and what Python prints around the members of a tuple."""
    pieces = [re.escape(piece.strip()) for piece in text.lower().split("{}")]
    return re.compile(rf"['\",\s]*{NUMBER}['\",\s]*".join(p.replace(r"\ ", r"\s+") for p in pieces))

"""The words any known format prints: a line without one of them is none of theirs."""

import re
from functools import cache

from runlog.importers.formats import FORMATS

_WORD = re.compile(r"[a-z_]{2,}|(?:\w/)+\w")
_LONGEST = 600


def may_be_known(text: str) -> bool:
    """Whether a cleaned line can belong to a block of some format.

    Asked once, before every format that is still possible is: a log may begin with any text.
    """
    if "..." in text[3:] or "/ |" in text:
        return True  # a key that was cut, the head of a section
    return not _vocabulary().isdisjoint(_WORD.findall(text[:_LONGEST].lower()))


@cache
def _vocabulary() -> frozenset[str]:
    texts = [
        text
        for known in FORMATS
        for text in (known.header or "", *known.lines, *known.keys, *known.silent, *known.said)
    ]
    return frozenset(word for text in texts for word in _WORD.findall(text.lower()))

"""The update drawn as a loop in 80 columns: eleven links, which is dead and which only follows."""

from collections.abc import Sequence

from analyzer.diagnosis import LinkStatus

_STATUS_WORDS = {
    "ok": "✓ ok",
    "fault": "✗ FAULT",
    "explained": "↓ follows",
    "warning": "! warning",
    "unknown": "? unknown",
}
"""What a link says of itself where no rule's code says more."""
_THERE = (0, 13, 28, 41, 54, 67)
"""Columns at which the links of the upper row begin: policy to gradient."""
_BACK = (0, 13, 35, 54, 67)
"""Columns of the lower row, which runs back: outcome to conjugate gradient."""


def status(link: LinkStatus) -> str:
    """A link's state in nine columns: its mark, and the code that says so."""
    word = _STATUS_WORDS[link.status]
    return f"{word[0]} {link.code}" if link.code else word


def drawn(links: Sequence[LinkStatus]) -> tuple[str, ...]:
    """Lines of the drawing; the names of dead links are in capitals."""
    there, back = links[: len(_THERE)], links[len(_THERE) :][::-1]
    return (
        _chain(_THERE, [_name(link) for link in there], "▶"),
        _placed(_THERE, [status(link) for link in there]),
        _placed((2, _THERE[-1] + 2), ["▲", "▼"]),
        _chain(_BACK, [_name(link) for link in back], "◀"),
        _placed(_BACK, [status(link) for link in back]),
    )


def _name(link: LinkStatus) -> str:
    return link.link.upper() if link.status == "fault" else link.link


def _placed(columns: Sequence[int], texts: Sequence[str]) -> str:
    line = ""
    for column, text in zip(columns, texts, strict=True):
        line = line.ljust(column) + text
    return line


def _chain(columns: Sequence[int], texts: Sequence[str], head: str) -> str:
    line = ""
    for column, text in zip(columns, texts, strict=True):
        if line:
            shaft = "─" * (column - len(line) - 3)
            line += f" {head}{shaft} " if head == "◀" else f" {shaft}{head} "
        line += text
    return line

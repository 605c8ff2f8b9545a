"""What the screen is drawn with: roles of text, glyphs with an ASCII set, colours of the terminal."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TextIO

Role = Literal["plain", "dim", "bold", "title", "good", "warn", "bad", "dead", "cursor", "line"]
"""Why a piece of text looks as it does; colour only ever repeats what a glyph or word says."""

Span = tuple[str, Role]
Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One set of glyphs. Every glyph is one cell wide."""

    unicode: bool
    yes: str
    no: str
    unknown: str
    not_applicable: str
    fine: str
    dead: str
    downstream: str
    warning: str
    pointer: str
    then: str
    cut: str
    bar: str
    track: str
    head: str
    event: str
    threshold: str
    not_finite: str
    sparks: str

    def say(self, text: str) -> str:
        """The text as this set can show it: ASCII where the terminal knows no more."""
        return text if self.unicode else to_ascii(text)


UNICODE = Look(
    unicode=True, yes="●", no="○", unknown="?", not_applicable="–", fine="✓", dead="✗",
    downstream="↓", warning="!", pointer="▶", then="›", cut="…", bar="│", track="─", head="◆",
    event="e", threshold="╌", not_finite="×", sparks="▁▂▃▄▅▆▇█",
)  # fmt: skip
ASCII = Look(
    unicode=False, yes="*", no="o", unknown="?", not_applicable="-", fine="+", dead="X",
    downstream="v", warning="!", pointer=">", then=">", cut="~", bar="|", track="-", head="#",
    event="e", threshold="-", not_finite="x", sparks="_.-:=+*#",
)  # fmt: skip

_SPELT: Mapping[str, str] = {
    "−": "-", "–": "-", "—": "-", "≤": "<=", "≥": ">=", "≈": "~", "≠": "!=", "≡": "=", "→": "->",
    "←": "<-", "×": "x", "·": "*", "±": "+-", "…": "...", "‖": "|", "√": "sqrt ", "½": "1/2",
    "§": "section ", "σ": "sigma", "λ": "lambda", "δ": "delta", "β": "beta", "γ": "gamma",
    "θ": "theta", "ε": "eps", "Σ": "sum", "π": "pi", "Δ": "Delta", "∝": "~", "∞": "inf",
    "“": '"', "”": '"', "‘": "'", "’": "'", "ᵀ": "'", "Â": "A", "✓": "+", "✗": "X", "●": "*",
    "○": "o", "¼": "1/4", "¾": "3/4", "⁻": "^-", "∈": "in", "♦": "*",
}  # fmt: skip


def to_ascii(text: str) -> str:
    """The same text in ASCII: mathematical signs spelt out, accents dropped, the rest `?`."""
    if text.isascii():
        return text
    spelt = "".join(_SPELT.get(character, character) for character in text)
    bare = unicodedata.normalize("NFKD", spelt)
    return (
        "".join(c for c in bare if not unicodedata.combining(c)).encode("ascii", "replace").decode()
    )


def printable(text: str) -> str:
    """The text without control characters: names come from files others wrote."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


THEMES: tuple[str, ...] = ("ansi-dark", "textual-dark", "textual-light", "colour-blind")
"""`ansi-dark` uses the terminal's own sixteen colours and background, light or dark."""


def encoded(sentence: str, stream: TextIO) -> str:
    """The sentence as the stream can take it: nothing that moves a cursor, ASCII where it must be."""
    text = printable(sentence)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return to_ascii(text)
    return text

"""Themes of one's own, beside Textual's, and what colour a role has where the terminal's own sixteen
would be hard to read or to tell apart."""

from collections.abc import Mapping
from types import MappingProxyType

from textual.theme import Theme

from trpo_tui.themes import Role

COLOUR_BLIND = Theme(
    name="colour-blind",
    primary="#56b4e9",
    secondary="#0072b2",
    accent="#f0e442",
    warning="#e69f00",
    error="#d55e00",
    success="#56b4e9",
    foreground="#f2f2f2",
    background="#101418",
    surface="#181d23",
    panel="#20262e",
    dark=True,
)
"""The palette of Okabe and Ito (2008), which people of every colour vision tell apart."""
OWN_THEMES = (COLOUR_BLIND,)

ROLE_COLOURS: Mapping[str, Mapping[Role, str]] = MappingProxyType(
    {
        "colour-blind": {
            "title": "#f0e442", "good": "#56b4e9", "warn": "#e69f00", "bad": "#d55e00",
            "dead": "#d55e00", "line": "#56b4e9",
        },
        "textual-light": {
            "title": "#005f87", "good": "#1a6b2f", "warn": "#875f00", "bad": "#af0000",
            "dead": "#af0000", "line": "#005f87",
        },
    }
)  # fmt: skip
"""Theme → role → colour; those of textual-light stand out from white by 4.5 to 1 and more."""

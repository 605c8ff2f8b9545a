"""Themes of one's own, beside Textual's: for eyes that do not tell red from green."""

from textual.theme import Theme

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

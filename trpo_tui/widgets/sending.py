"""Sends changed cells of a widget straight to the terminal, past Textual's compositor.

Textual repaints a changed line from the left edge of its widget, at its next frame. Over SSH those
bytes and that wait are felt. Nothing lies over these widgets, so the compositor has nothing to add;
it keeps the map of where they are, and paints them whenever the layout changes.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.app import App
from textual.geometry import Region

if TYPE_CHECKING:
    from trpo_tui.widgets.lines import Lines

APART = 12
"""Unchanged cells between two changes from which moving the cursor is shorter than sending them."""

Span = tuple[int, int, int]
"""Line of the widget, first cell, one past the last cell."""


def cells_sent(widget: "Lines", spans: Iterable[Span]) -> str | None:
    """What shows these cells on the terminal as it is; None where only a repaint can.

    That is: no terminal, a screen that is not in front, a layout that is about to change.
    """
    app, screen = widget.app, widget.screen
    if app.is_headless or app._driver is None or app._batch_count or app.screen is not screen:
        return None
    if screen._layout_required or screen._repaint_required or widget._repaint_required:
        return None
    shown = screen._compositor.visible_widgets.get(widget)
    if shown is None:
        return None
    region, clip = shown
    offset, filters, ground = widget.inset(region), widget.get_line_filters(), None
    sent: list[str] = []
    for y, first, last in spans:
        cells = Region(first, y, last - first, 1).translate(offset)
        visible = cells.translate(region.offset).intersection(clip)
        widget._styles_cache.set_dirty(cells)
        if not visible:
            continue
        left = visible.x - region.x - offset.x
        strip = widget.render_line(y).crop(left, left + visible.width)
        for each in filters:
            ground = ground or widget.background_colors[1]
            strip = strip.apply_filter(each, ground)
        sent.append(f"\x1b[{visible.y + 1};{visible.x + 1}H{strip.render(app.console)}")
    return "".join(sent)


def send(app: App[int], text: str) -> None:
    """Write it in one piece; where the terminal can, it shows all of it at once."""
    driver = app._driver
    if not text or driver is None:
        return
    column, row = app.cursor_position
    text = f"{text}\x1b[{row + 1};{column + 1}H"
    driver.write(f"{SYNC_START}{text}{SYNC_END}" if app._sync_available else text)
    driver.flush()

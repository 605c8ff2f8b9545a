"""The update drawn as a loop of boxes: SVG that needs no script and says each state in words."""

from collections.abc import Sequence

from analyzer.diagnosis import LinkStatus
from analyzer.reports.drawn_loop import status
from analyzer.reports.page.markup import Markup, tag
from analyzer.reports.wording import loop

_BOX, _GAP, _TALL = 118, 22, 50
_UPPER, _LOWER = 2, 104
_THERE = 6
"""Links in the upper row, policy to gradient; the others run back below it."""


def drawn(links: Sequence[LinkStatus]) -> Markup:
    """The loop; its words stand in the title for whoever cannot see it."""
    there, back = links[:_THERE], links[_THERE:]
    step = _BOX + _GAP
    width = _THERE * step - _GAP + 4
    # five links run back below six; they are spread over the same width
    spread = (width - 4 - _BOX) / max(1, len(back) - 1)
    places = [(2.0 + k * step, _UPPER) for k in range(len(there))]
    places += [(2.0 + (len(back) - 1 - k) * spread, _LOWER) for k in range(len(back))]
    boxes = [_box(link, x, y) for link, (x, y) in zip(links, places, strict=True)]
    arrows = [
        _arrow(one, other) for one, other in zip(places, (*places[1:], places[0]), strict=True)
    ]
    return tag(
        "svg",
        tag("title", loop(links)),
        *arrows,
        *boxes,
        viewBox=f"0 0 {width} {_LOWER + _TALL + 2}",
        role="img",
        class_="loop",
    )


def _box(link: LinkStatus, x: float, y: int) -> Markup:
    middle = x + _BOX / 2
    return tag(
        "g",
        tag("rect", x=f"{x:g}", y=y, width=_BOX, height=_TALL, rx=6),
        tag("text", link.link, x=f"{middle:g}", y=y + 20, class_="name"),
        tag("text", status(link), x=f"{middle:g}", y=y + 39),
        class_=f"link {link.status}",
    )


def _arrow(one: tuple[float, int], other: tuple[float, int]) -> Markup:
    """From one box to the next: along a row, or down and up at its ends."""
    (x, y), (to_x, to_y) = one, other
    if y == to_y:
        right = to_x > x
        start, end = (x + _BOX, to_x) if right else (x, to_x + _BOX)
        back = -7 if right else 7
        middle = y + _TALL / 2
        head = f"M{end + back:g} {middle - 4:g}L{end:g} {middle:g}L{end + back:g} {middle + 4:g}"
        return tag("path", d=f"M{start:g} {middle:g}L{end:g} {middle:g}{head}", class_="arrow")
    down = to_y > y
    start, end = (y + _TALL, to_y) if down else (y, to_y + _TALL)
    back = -7 if down else 7
    middle = to_x + _BOX / 2
    head = f"M{middle - 4:g} {end + back:g}L{middle:g} {end:g}L{middle + 4:g} {end + back:g}"
    return tag("path", d=f"M{middle:g} {start:g}L{middle:g} {end:g}{head}", class_="arrow")

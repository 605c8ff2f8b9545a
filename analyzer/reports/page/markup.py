"""HTML that is escaped by construction: whatever is not markup made here is text."""

from html import escape

from analyzer.reports.wording import visible

VOID = ("meta", "link", "br", "path", "line", "rect")
"""Elements without content."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = Markup | str | float | None


def text(child: Child) -> Markup:
    """Any text as HTML; control characters are written as escapes, None is nothing."""
    if isinstance(child, Markup):
        return child
    return Markup("" if child is None else escape(visible(child)))


def tag(name: str, /, *children: Child, **attributes: Child) -> Markup:
    """One element. `class_` is class, `data_x` is data-x; an attribute that is None is left out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(visible(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{said}>" if name in ("meta", "link", "br") else f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Children one after the other."""
    return Markup("".join(map(text, children)))


def table(head: tuple[str, ...], rows: list[tuple[Child, ...]]) -> Markup:
    """A table that scrolls by itself where it is too wide."""
    heads = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    lines = (tag("tr", *(tag("td", cell) for cell in cells)) for cells in rows)
    whole = tag("table", tag("thead", heads) if any(head) else "", tag("tbody", *lines))
    return tag("div", whole, class_="wide")

"""The update as a chain of links, the dead one marked by a glyph, capitals and colour."""

from collections.abc import Mapping, Sequence

from analyzer.diagnosis import Diagnosis, Link, LinkStatus
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.lines import Lines, View

SHORT: Mapping[Link, str] = {
    "policy": "policy",
    "observation": "obs",
    "reward": "reward",
    "critic": "critic",
    "advantage": "adv",
    "gradient": "grad",
    "cg": "cg",
    "step": "step",
    "line search": "search",
    "policy change": "change",
    "outcome": "outcome",
}


def link_span(status: LinkStatus, look: Look, name: str) -> tuple[str, Role]:
    """One link: its mark, its name; a dead one in capitals."""
    drawn: dict[str, tuple[str, Role]] = {
        "ok": (f"{look.fine}{name}", "good"),
        "fault": (f"{look.dead}{name.upper()}", "dead"),
        "explained": (f"{look.downstream}{name}", "bad"),
        "warning": (f"{look.warning}{name}", "warn"),
        "unknown": (f"{look.unknown}{name}", "dim"),
    }
    return drawn[status.status]


def chain_line(diagnosis: Diagnosis | None, look: Look, width: int) -> Line:
    """All links in the order of the loop, with full names where there is room."""
    if diagnosis is None or not diagnosis.links:
        return (("loop", "dim"),)
    full = sum(len(status.link) + 4 for status in diagnosis.links) + 5 <= width
    spans: list[tuple[str, Role]] = [("loop ", "dim")]
    for i, status in enumerate(diagnosis.links):
        if i:
            spans.append((f" {look.then} " if full else look.then, "dim"))
        spans.append(link_span(status, look, status.link if full else SHORT[status.link]))
    return tuple(spans)


class Chain(Lines):
    """One row: where in the loop it breaks."""

    parts = ("diagnosis",)

    def draw(self, view: View) -> Sequence[Line]:
        return [chain_line(view.frame.diagnosis, self.look, view.width)]

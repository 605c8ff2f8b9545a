"""The update as a loop: which finding can follow from which."""

from collections.abc import Mapping
from types import MappingProxyType

from analyzer.rules import BY_CODE, RULES

_LATER = {
    "TRPO103": ("TRPO701", "TRPO702"),
    "TRPO203": ("TRPO501",),
    "TRPO701": ("TRPO207",),
    "TRPO801": ("TRPO202", "TRPO303", "TRPO502", "TRPO805", "TRPO001"),
}
"""Edges from codes that have no rule yet; they carry effects onward."""


def _closure() -> Mapping[str, frozenset[str]]:
    edges = {rule.code: set(rule.explains) for rule in RULES}
    for code, targets in _LATER.items():
        edges.setdefault(code, set()).update(targets)
    reached: dict[str, frozenset[str]] = {}
    for start in edges:
        seen: set[str] = set()
        frontier = list(edges[start])
        while frontier:
            code = frontier.pop()
            if code not in seen:
                seen.add(code)
                frontier.extend(edges.get(code, ()))
        reached[start] = frozenset(seen - {start})
    return MappingProxyType(reached)


EXPLAINS: Mapping[str, frozenset[str]] = _closure()
"""Code → every code that can follow from it, over any number of edges."""


def latency(a: str, b: str) -> int:
    """Rows within which the onsets of two findings cannot be told apart."""
    return max(BY_CODE[a].latency, BY_CODE[b].latency)

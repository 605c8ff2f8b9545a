"""The update as a loop: which finding can follow from which."""

from collections.abc import Mapping
from types import MappingProxyType

from analyzer.rules import BY_CODE, RULES

_SUPPRESSES = ("TRPO601",)
"""Codes that cover their own targets and nothing beyond: a solved task breaks no search."""


def _closure() -> Mapping[str, frozenset[str]]:
    edges = {rule.code: set(rule.explains) for rule in RULES}
    reached: dict[str, frozenset[str]] = {}
    for start in edges:
        seen: set[str] = set()
        frontier = list(edges[start])
        if start in _SUPPRESSES:
            reached[start] = frozenset(frontier)
            continue
        while frontier:
            code = frontier.pop()
            if code not in seen:
                seen.add(code)
                frontier.extend(edges.get(code, ()))
        reached[start] = frozenset(seen - {start})
    # The loop closes over the next iteration's policy: what reaches back only that way is no cause.
    reached = {
        code: frozenset(t for t in targets if code not in reached.get(t, ()) or t in edges[code])
        for code, targets in reached.items()
    }
    return MappingProxyType(reached)


EXPLAINS: Mapping[str, frozenset[str]] = _closure()
"""Code → every code that can follow from it, over any number of edges."""


def latency(a: str, b: str) -> int:
    """Rows within which the onsets of two findings cannot be told apart."""
    return max(BY_CODE[a].latency, BY_CODE[b].latency)

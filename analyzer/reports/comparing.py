"""The report on several runs side by side: one sentence first, then tables that fit 80 columns."""

from collections.abc import Iterator, Sequence
from typing import Any

from analyzer.comparison import Comparison, Pair, Side
from analyzer.partings import Difference, Parting
from analyzer.reports.as_json import SCHEMA, tool
from analyzer.reports.explaining import heading
from analyzer.reports.wording import (
    VERDICT_WORDS,
    WIDTH,
    Paragraphs,
    item,
    number,
    printed,
    say,
    sentence,
    shown_finding,
    since,
    state_words,
    verbatim,
    visible,
)

_NAME_WIDTH = 34
_MOST_COLUMNS = 6
_BESIDE = 3
"""Runs whose numbers fit beside each other."""
_MOST_SETTINGS = 40
_NO_CHOICE = ("git_commit", "tool_version", "version", "packages.", "seed", "iterations")
"""Settings that a first sentence leaves out: what a run was made with, not what was chosen."""


def comparing_text(found: Comparison, *, plain: bool = False) -> str:
    """The comparison for a terminal."""
    lines: Paragraphs = []
    for pair in found.pairs:
        lines += say(parting_sentence(found, pair), "")
    lines += say("", "")
    for side in found.sides:
        lines += say(f"{visible(side.path)}: {_said(side)}", "   ", f"{side.name}  ")
    lines += heading("Set differently")
    settings = found.settings[:_MOST_SETTINGS]
    rows = [(s.key, [_cell(value) for value in s.values]) for s in settings]
    lines += _table(found, rows) if rows else say("Nothing that the logs tell.")
    if len(found.settings) > len(settings):
        lines += say(f"and {len(found.settings) - len(settings)} more (--format json has all)")
    for pair in found.pairs:
        lines += _parting(pair)
    lines += heading("At the end of each run")
    ends = [
        (
            f"{n.column} [{n.unit}]" if n.unit not in ("", "1") else n.column,
            [*map(number, n.values)],
        )
        for n in found.numbers
    ]
    counts = [str(len(side.run)) for side in found.sides]
    lines += _table(found, [("iterations", counts), *ends])
    return printed(lines, plain=plain)


def comparing_json(found: Comparison) -> dict[str, Any]:
    """The comparison for programs; `dumps` makes it strict."""
    return {
        "schema": SCHEMA,
        "tool": tool(),
        "runs": [_side_json(side) for side in found.sides],
        "settings": [{"key": s.key, "values": s.values} for s in found.settings],
        "partings": [
            {
                "runs": [pair.a, pair.b],
                "sentence": parting_sentence(found, pair),
                "common_iterations": pair.common,
                "same_until": pair.same_until,
                "exact": _parting_json(pair.exact),
                "bands": _parting_json(pair.bands),
            }
            for pair in found.pairs
        ],
        "last_numbers": [
            {"column": n.column, "unit": n.unit, "values": n.values} for n in found.numbers
        ],
    }


def parting_sentence(found: Comparison, pair: Pair) -> str:
    """What differs first between two runs, and what it means, in one sentence or two."""
    a, b = (next(s for s in found.sides if s.name == name) for name in (pair.a, pair.b))
    names = f"{pair.a} and {pair.b}"
    if not pair.common:
        return f"{names} have no iteration number in common: only their ends can be compared."
    environments = [side.run.metadata.get("env_id") for side in (a, b)]
    if None not in environments and environments[0] != environments[1]:
        told = ", ".join(map(visible, environments))
        return f"{names} are of different environments ({told}). {_meaning(a, b)}"
    said = f"{names} {_exactly(pair, a, b)}"
    return f"{said}{_by_bands(pair)}{_chosen(found, a, b)} {_meaning(a, b)}"


def _by_bands(pair: Pair) -> str:
    """Which link stands out among runs of other seeds, where the digits alone do not tell."""
    bands, exact = pair.bands, pair.exact
    if exact is None:
        return ""
    if bands is None:
        return " No link ever differs by more than runs of other seeds do."
    if (bands.iteration, bands.link) == (exact.iteration, exact.link):
        return " That is more than another seed changes."
    return (
        f" By more than other seeds do, they differ from iteration {bands.iteration} on, the"
        f" {bands.link} first ({_values(pair, bands.differences[0])})."
    )


def _chosen(found: Comparison, a: Side, b: Side) -> str:
    """The settings in which the two differ, where they are few."""
    here, there = found.sides.index(a), found.sides.index(b)
    told = [
        f"{setting.key} {_cut(_cell(setting.values[here]), 30)} in {a.name}, "
        f"{_cut(_cell(setting.values[there]), 30)} in {b.name}"
        for setting in found.settings
        if setting.values[here] != setting.values[there] and not setting.key.startswith(_NO_CHOICE)
    ]
    return f" Set differently: {'; '.join(told)}." if 0 < len(told) <= 3 else ""


def _exactly(pair: Pair, a: Side, b: Side) -> str:
    exact = pair.exact
    how = "to every printed digit" if a.run.source or b.run.source else "bit for bit"
    if exact is None:
        return f"are the same, {how}, in all {pair.common} iterations they share."
    from_start = pair.same_until is None and not exact.same_upstream
    seeds = [side.run.metadata.get("seed") for side in (a, b)]
    if from_start and None not in seeds and seeds[0] != seeds[1]:
        told = ", ".join(map(visible, seeds))
        return f"differ from iteration {exact.iteration} on, as their seeds do ({told})."
    parts = "they part by rounding only" if exact.by_rounding else f"the {exact.link} parts first"
    parts = f"{parts} ({_values(pair, exact.differences[0])})"
    if pair.same_until is not None:
        return (
            f"are the same, {how}, until iteration {pair.same_until}; at {exact.iteration} {parts}."
        )
    if exact.same_upstream:
        return f"begin iteration {exact.iteration} alike, {how}; in it {parts}."
    return f"differ from iteration {exact.iteration} on: {parts}."


def _meaning(a: Side, b: Side) -> str:
    """The diagnoses in words."""
    told = [(side, shown_finding(side.diagnosis)) for side in (a, b)]
    if all(finding is None for _, finding in told):
        verdicts = {side.diagnosis.verdict for side, _ in told}
        if len(verdicts) == 1:
            return f"Both are {a.diagnosis.verdict}."
    return " ".join(
        f"{side.name} is {side.diagnosis.verdict}."
        if finding is None
        else f"{side.name}: {finding.code} {finding.name} {since(finding)}.".replace(" .", ".")
        for side, finding in told
    )


def _values(pair: Pair, difference: Difference) -> str:
    x, y = map(number, difference.values)
    if x == y:  # alike in four digits
        x, y = (repr(value) for value in difference.values)
    return f"{difference.column} {x} in {pair.a}, {y} in {pair.b}"


def _said(side: Side) -> str:
    shown = shown_finding(side.diagnosis)
    words = [VERDICT_WORDS[side.diagnosis.verdict]]
    if shown is not None:
        words += [shown.code, shown.name, since(shown)]
    told = f"{' '.join(word for word in words if word)}, {state_words(side.run.state)}."
    return f"{told} {sentence(side.diagnosis.headline)}"


def _parting(pair: Pair) -> Paragraphs:
    lines = heading(f"Where {pair.a} and {pair.b} part")
    if not pair.common:
        return lines + say("They share no iteration number.")
    lines += say(f"Compared: iterations {pair.first_common} to {pair.last_common}.")
    for title, parting in (("Any digit", pair.exact), ("More than another seed", pair.bands)):
        if parting is None:
            lines += say(f"{title}: nowhere.")
            continue
        links = " > ".join(dict.fromkeys(d.link for d in parting.differences))
        lines += say(f"{title}: at iteration {parting.iteration}, in this order: {links}")
        for difference in parting.differences[:_MOST_COLUMNS]:
            lines += item(f"{difference.link}: {_values(pair, difference)}", 2)
        more = len(parting.differences) - _MOST_COLUMNS
        if more > 0:
            lines += say(f"and {more} columns more", "    ")
    return lines


def _cell(value: str | None) -> str:
    return "null" if value is None else visible(value)


def _table(found: Comparison, rows: Sequence[tuple[str, Sequence[str]]]) -> Paragraphs:
    """One line a row, a column a run; runs that do not fit beside each other come below."""
    lines: Paragraphs = []
    for places in _beside(len(found.sides)):
        width = (WIDTH - 2 - _NAME_WIDTH) // len(places)
        head = "".join(f"{found.sides[k].name:>{width}}" for k in places)
        lines += verbatim(f"  {'':<{_NAME_WIDTH}}{head}")
        for name, cells in rows:
            told = "".join(f"{_cut(cells[k], width - 2):>{width}}" for k in places)
            lines += verbatim(f"  {_cut(name, _NAME_WIDTH):<{_NAME_WIDTH}}{told}")
    return lines


def _beside(runs: int) -> Iterator[range]:
    for start in range(0, runs, _BESIDE):
        yield range(start, min(start + _BESIDE, runs))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _side_json(side: Side) -> dict[str, Any]:
    cause = side.diagnosis.cause
    return {
        "name": side.name,
        "path": side.path,
        "iterations": len(side.run),
        "state": side.run.state.name,
        "verdict": side.diagnosis.verdict,
        "headline": side.diagnosis.headline,
        "cause": None
        if cause is None
        else {
            "code": cause.code,
            "name": cause.name,
            "link": cause.link,
            "first_bad_iteration": cause.first_bad_iteration,
        },
    }


def _parting_json(parting: Parting | None) -> dict[str, Any] | None:
    if parting is None:
        return None
    return {
        "iteration": parting.iteration,
        "link": parting.link,
        "by_rounding": parting.by_rounding,
        "differences": [
            {"column": d.column, "link": d.link, "values": d.values} for d in parting.differences
        ],
    }

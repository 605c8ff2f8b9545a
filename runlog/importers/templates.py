"""A printed line as a pattern: where its values stand, and which columns they are."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from runlog.importers.formats.format import Format
from runlog.importers.printed import FLAG, NUMBER, PLAIN_NUMBER, Printed, read, type_of_column
from runlog.schema import Type

_PLACE = re.compile(r"\{(\w+)\}")
NO_COLUMN = "_"
"""A place in a line whose value has no column."""
# words of loggers that may stand before a key without belonging to it
_LEVELS = frozenset(
    ("debug", "info", "warning", "warn", "error", "critical", "stdout", "stderr", "out", "err")
)
_BEFORE = "])>|:;,\"'}←?!.$"
_PAIR_SIGN = re.compile(r"[:=|]")
_ARROW = re.compile(r"←|<--?(?!\d)|â†")


@dataclass(frozen=True, slots=True)
class Template:
    """One printed line. `key` is how it is called, `label` what to look for, in lower case.

    `patterns`: the whole line first, then its beginning, for a line that was cut.
    """

    key: str
    label: str
    columns: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    types: tuple[Type, ...]


def _types(columns: Iterable[str]) -> tuple[Type, ...]:
    return tuple(map(type_of_column, columns))


def _literal(text: str) -> str:
    """Pattern of printed text: white space is free, `:` and `=` are the same."""
    pattern = ""
    for piece in re.findall(r"\s+|[:=]|[|,/\[\]-]|\w+|.", text):
        if piece.isspace():
            pattern += r"\s*"
        elif piece in ":=":
            pattern += r"\s?[:=]\s?"
        else:
            pattern += rf"\s?{re.escape(piece)}\s?" if piece in "|,/[]-" else re.escape(piece)
    return pattern


def template(line: str) -> Template:
    """The pattern of one line of a format."""
    lead, *rest = _PLACE.split(line)
    columns, gaps, tail = rest[0::2], [lead, *rest[1:-1:2]], rest[-1]
    key = re.split(r"[:=]", lead)[0].strip()
    patterns = []
    for n in range(len(columns), 0, -1):
        pattern = ""
        for i in range(n):
            # a comma alone parts numbers only with a blank: 31,654 may be one number
            gap = r"\s?,\s" if gaps[i].strip() == "," else _literal(gaps[i].lower())
            flag = type_of_column(columns[i]) == "bool"
            pattern += gap + (FLAG if flag else NUMBER)
        patterns.append(re.compile(pattern))
    if "," in map(str.strip, gaps) and tail:
        start = _literal(lead.lower()) + PLAIN_NUMBER
        more = rf"\s?,{PLAIN_NUMBER}" * (len(columns) - 1)
        patterns.insert(1, re.compile(start + more + _literal(tail)))
    return Template(key, key.lower(), tuple(columns), tuple(patterns), _types(columns))


@cache
def header(line: str) -> Template:
    """The pattern of the line that opens a block: `Iteration 10`, `/ 100` after it, the rest.

    A colon after the number makes it the line of something else: `Iteration 3: residual …`.
    """
    lead, iteration, gap, *more = _PLACE.split(line)
    start = (
        rf"{_literal(lead.strip().lower())}\s?[:=#]?\s?(\d{{1,15}})(?:\s?/\s?\d{{1,15}})?(?![\w.])"
    )
    label = _literal(gap.strip(" |").lower())
    alone = rf"{start}(?=\s?(?:[|,;#*=←)\]-]|$))"
    columns = (iteration, *more[:1])
    if more:
        whole = rf"{start}\s?[|,;/-]*\s?{label}\s?[:=]?\s?{NUMBER}"
    else:
        whole = rf"{start}\s?{label}" if label else alone
    return Template(
        lead.strip(),
        lead.strip().lower(),
        columns,
        (re.compile(whole), re.compile(alone)),
        _types(columns),
    )


def begins_here(line: str, at: int, previous: int) -> bool:
    """True where a key may begin: `value gradient norm` is not `gradient norm`."""
    before = line[previous:at]
    bare = before.rstrip()
    if not bare:
        return True
    if bare == before:
        return bare[-1] in _BEFORE
    if not (bare[-1].isalpha() or bare[-1] == "_"):
        return True
    return bare.rsplit(None, 1)[-1].strip("[(<") in _LEVELS


def uncommented(line: str) -> str:
    """The line in lower case up to its arrow, without Markdown's emphasis."""
    low = line.lower().replace("−", "-").replace("*", "").replace("`", "")
    return _ARROW.split(low, maxsplit=1)[0] if "←" in low or "<-" in low or "â" in low else low


@dataclass(frozen=True, slots=True)
class Hit:
    """A template met in a line, and what it printed; a null has no value."""

    template: Template
    values: tuple[tuple[str, Printed | None], ...]
    text: str
    start: int
    end: int


def _hit(candidate: Template, line: str, at: int) -> Hit | None:
    for pattern in candidate.patterns:
        match = pattern.match(line, at)
        if match is not None:
            values = tuple(
                (column, read(text, type_))
                for column, type_, text in zip(
                    candidate.columns, candidate.types, match.groups(), strict=False
                )
                if column != NO_COLUMN
            )
            return Hit(candidate, values, match.group(), at, match.end())
    return None


def _first_hit(template: Template, line: str) -> Hit | None:
    at = line.find(template.label)
    while at >= 0:
        hit = _hit(template, line, at)
        if hit is not None:
            return hit
        at = line.find(template.label, at + 1)
    return None


class Templates:
    """All the lines of a format."""

    def __init__(self, templates: tuple[Template, ...]) -> None:
        self._all = templates
        self._by_label = {template.label: template for template in templates}
        self.labels = tuple(self._by_label)

    def __bool__(self) -> bool:
        return bool(self._all)

    def hits(self, line: str) -> list[Hit]:
        """Every template met in an uncommented line, from left to right."""
        # most lines begin with their only key: one look-up instead of a search for every label
        alone = self._by_label.get(line.partition(":")[0])
        if alone is not None:
            hit = _hit(alone, line, 0)
            if hit is not None and not _PAIR_SIGN.search(line, hit.end):
                return [hit]
        found = [hit for t in self._all if (hit := _first_hit(t, line)) is not None]
        found.sort(key=lambda hit: (hit.start, -hit.end))
        kept: list[Hit] = []
        end = 0
        for hit in found:
            if hit.start >= end and begins_here(line, hit.start, end):
                kept.append(hit)
                end = hit.end
        return kept


@cache
def _compiled(lines: tuple[str, ...]) -> tuple[Template, ...]:
    return tuple(template(line) for line in lines)


def templates_of(format_: Format, without: frozenset[str] = frozenset()) -> Templates:
    """The format's lines as patterns, without the keys the user maps to something else."""
    own = () if format_.header is None else (header(format_.header),)
    return Templates((*own, *(t for t in _compiled(format_.lines) if t.label not in without)))

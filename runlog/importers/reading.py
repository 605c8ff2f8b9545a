"""A foreign log while it is read: bytes in, at any time a Run out."""

import time
from collections.abc import Mapping

import numpy as np

from runlog.attempts import select
from runlog.errors import UserError
from runlog.importers.blocks import TextLog
from runlog.importers.csv_log import CsvLog
from runlog.importers.decode import Lines, line_of
from runlog.importers.formats import TEXT, TEXT_FORMATS
from runlog.importers.json_log import JsonLog
from runlog.importers.meanings import NAMES
from runlog.importers.pairs import checked
from runlog.importers.parser import Findings, Parser
from runlog.importers.vocabulary import may_be_known
from runlog.run import Event, ImportInfo, Run, State, StateName

RECENT = 60.0
"""Seconds after its last line for which a text log counts as running."""
_LOOK = 64
"""Lines after which it is asked again whether one format is sure."""
_SURE = 3
"""Rows from which it may be."""


def _parsers(mapping: Mapping[str, str], wanted: str | None) -> list[Parser]:
    texts = [f for f in TEXT_FORMATS if wanted in (None, f.name)]
    if wanted == TEXT.name or (wanted is None and mapping):
        texts.append(TEXT)
    parsers: list[Parser] = [TextLog(f, mapping, forced=wanted is not None) for f in texts]
    if wanted not in ("csv", "tensorboard", TEXT.name):
        parsers.append(JsonLog(mapping, wanted))
    if wanted not in ("jsonl", "tensorboard", TEXT.name):
        parsers.append(CsvLog(mapping, wanted))
    return parsers


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


class Reading:
    """Feed it the bytes of a log as they come; `run` is what they say so far."""

    def __init__(
        self,
        name: str,
        *,
        mapping: Mapping[str, str] | None = None,
        from_format: str | None = None,
        attempt: int | None = None,
        parser: Parser | None = None,
    ) -> None:
        """`parser`: the one that is fed by the caller, where the log has no lines."""
        if from_format is not None and from_format not in NAMES:
            raise UserError(f"--from {from_format}: not a format; one of {', '.join(NAMES)}")
        self._name = name
        self._wanted = from_format
        self._attempt = attempt
        self._mapping = checked(mapping)
        if from_format == TEXT.name and not self._mapping:
            raise UserError("--from text: needs --map theirs=ours, which names the text's keys")
        self._lines = Lines()
        self._parsers = _parsers(self._mapping, from_format) if parser is None else [parser]
        self._notes: list[str] = []
        self._any = parser is not None
        self._fed = 0

    def feed(self, data: bytes) -> None:
        """More bytes of the log."""
        for raw in self._lines.feed(data):
            line = line_of(raw)
            self._any = self._any or bool(line.text)
            strange = len(self._parsers) > 1 and not self._mapping and not may_be_known(line.text)
            for parser in self._parsers:
                if strange and isinstance(parser, TextLog):
                    parser.pass_over(line)
                else:
                    parser.feed(line)
            self._fed += 1
            if self._fed % _LOOK == 0 and len(self._parsers) > 1:
                self._settle()

    def end(self) -> None:
        """No byte will come any more."""
        whole, safe = map(line_of, self._lines.rest())
        self._any = self._any or bool(whole.text)
        for parser in self._parsers:
            parser.feed(whole if parser.delimited else safe)
        if whole.text != safe.text:
            self._notes.append(
                f"The last line has no end; its last word, {whole.text.split()[-1][:40]!r}, "
                "may be cut and was not taken."
            )

    def _parser(self) -> Parser | None:
        """The format this is by what was read so far: of text the one most of which was met."""
        recognised = [parser for parser in self._parsers if parser.recognised]
        texts = [p for p in recognised if isinstance(p, TextLog) and p.format != TEXT.name]
        if texts:
            return max(texts, key=lambda text: text.score)
        return recognised[0] if recognised else None

    def _settle(self) -> None:
        """Go on with one format alone once it is sure."""
        best = self._parser()
        if best is None or len(best.findings.rows) < _SURE:
            return
        if isinstance(best, TextLog):
            rivals = [p.score for p in self._parsers if isinstance(p, TextLog) and p is not best]
            if any(score >= best.score for score in rivals):
                return
        self._parsers = [best]

    def run(self, *, age: float | None, ended: bool) -> Run | None:
        """The log as read so far; None while no format is recognised.

        `age`: seconds since the last line came, None when nobody knows. `ended`: no more can come.
        """
        parser = self._parser()
        if parser is None or not len(parser.findings.rows):
            return None
        findings = parser.findings
        if findings.textual is not None:
            key, text = findings.textual
            raise UserError(
                f"{self._name}: column {key} holds text ({text[:40]!r}) where numbers belong;"
                " convert it or rename the column"
            )
        chunks, iterations = findings.rows.chunks()
        rows, shown, count = select(iterations, self._attempt)
        events = tuple(
            Event(
                row=int(np.searchsorted(rows, event.row)),
                time=None,
                kind=event.kind,
                text=event.text,
            )
            for event in findings.events
        )
        last = int(iterations[rows[-1]]) if len(rows) else None
        notes = [*self._notes, *findings.notes]
        if findings.rows.left_out:
            notes.append(
                f"{findings.rows.left_out} blocks without an iteration number repeat values of "
                "the iteration before them; they were left out."
            )
        state = _state(findings, last=last, age=age, ended=ended, newest=shown == count)
        return Run(
            chunks=chunks,
            metadata=({} if parser.algorithm is None else {"algorithm": parser.algorithm})
            | dict(parser.metadata),
            events=events,
            state=state,
            selection=None if len(rows) == len(iterations) else rows,
            attempts=count,
            attempt=shown,
            source=ImportInfo(
                format=parser.format,
                attempts=count,
                understood=tuple(findings.understood),
                not_understood=tuple(
                    key for key in findings.not_understood if key not in findings.understood
                ),
                assumptions=parser.assumptions,
            ),
            notes=tuple(notes),
        )

    def refusal(self) -> UserError:
        """Why these bytes are no log."""
        if not self._any:
            return UserError(f"{self._name}: nothing in it; is the training still starting?")
        found = dict.fromkeys(
            key
            for p in self._parsers
            for key in (*p.findings.understood, *p.findings.not_understood)
        )
        keys = [key if key.isprintable() else ascii(key) for key in found]
        shown = ", ".join(keys[:8]) + (", …" if len(keys) > 8 else "")
        known = "no known log format" if self._wanted is None else f"not {self._wanted}"
        if not keys:
            return UserError(
                f"{self._name}: {known} (no `key: number` in it); is it the output of the training?"
            )
        return UserError(
            f"{self._name}: {known} (keys found: {shown}); name them with --map theirs=ours"
        )


def _state(
    findings: Findings, *, last: int | None, age: float | None, ended: bool, newest: bool
) -> State:
    """What the text says of its process, which is little: it may live on in silence."""
    when = "" if age is None else f"; last line {_ago(age)} ago"

    def state(name: StateName, reason: str) -> State:
        written = None if age is None else time.time() - age
        return State(name=name, last_iteration=last, last_row_time=written, reason=reason)

    if not newest:
        return state("finished", f"text log; a later attempt follows{when}")
    if findings.ending is not None and findings.ending[1] == len(findings.rows):
        incident = findings.ending[0]
        return state(incident.ends or "crashed", f"{incident.text}{when}")
    still = not ended and age is not None
    if still and age is not None and age < RECENT:
        return state("running", f"text log{when}")
    if findings.in_traceback:
        return state("crashed", f"a traceback that does not end{when}")
    if still:
        return state("quiet", f"text log{when}")
    return state("finished", f"text log; it does not say whether its process lives{when}")

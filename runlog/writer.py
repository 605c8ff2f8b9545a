"""RunLog: writes a run, one row per iteration, that neither a kill nor a full disk corrupts."""

import atexit
import logging
import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runlog.encoding import RowEncoder
from runlog.errors import UserError
from runlog.journal import Journal
from runlog.parts import warm_up
from runlog.records import EndState
from runlog.values import Cells

_FRAMES = 5
_logger = logging.getLogger("runlog")


class RunLog:
    """Writes a run: `with RunLog(path, config=…) as log: log.iteration(kl=…); log.event(…)`.

    Leaving `with` without an exception is the normal end: the run is finished and published as
    run.parquet. An exception makes it crashed; Ctrl-C, SystemExit and `stop()` make it stopped;
    both can be continued by opening the same path again. Raises UserError at construction where
    another process writes the run, where it has ended and where it cannot be written; later on
    only for a value no cell can hold: trouble with the disk is counted, said, and never raised.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        config: Mapping[str, Any] | None = None,
        env_id: str | None = None,
        seed: int | None = None,
        algorithm: str | None = None,
        **metadata: Any,
    ) -> None:
        self.path = Path(path)
        given = {"config": dict(config or {}), "env_id": env_id, "seed": seed}
        self._journal = Journal(self.path, given | {"algorithm": algorithm} | metadata)
        warm_up()
        past = self._journal.past
        self._cells = Cells(past.extras, self._warn)
        self._attempt, self._last = past.attempt, past.last_iteration
        self._count = 0
        self._process = os.getpid()
        self._stopping: str | None = None
        self._closed = False
        known = self._journal.metadata
        columns = ("run_id", "env_id", "seed")
        constants = self._cells.accept({name: known.get(name) for name in columns})
        self._encoder = RowEncoder(self._cells, constants)
        atexit.register(self._abandon)

    @property
    def run_id(self) -> str:
        """Identifier of the run, the same after it is continued."""
        return str(self._journal.metadata["run_id"])

    @property
    def attempt(self) -> int:
        """Attempt the last row belongs to, from 1."""
        return self._attempt

    @property
    def last_iteration(self) -> int | None:
        """Number of the last iteration logged, in a continued run that of before; None if none."""
        return self._last

    @property
    def dropped(self) -> int:
        """Records the disk did not take."""
        return self._journal.dropped

    def iteration(self, /, **columns: Any) -> None:
        """Append one row; a column that is None or absent is null.

        Fills in, where not given: iteration (counted from 1 since this log was opened: pass your
        own when you resume), attempt, run_id, env_id, seed and time.
        """
        with self._journal.mutex:
            self._require_open()
            given = self._cells.accept({"iteration": columns.get("iteration")})
            number: Any = given.get("iteration", self._count + 1)
            columns["iteration"] = number
            if columns.get("time") is None:
                columns["time"] = time.time()
            again = self._last is not None and number <= self._last
            if columns.get("attempt") is None:
                columns["attempt"] = self._attempt + again
            text = self._encoder.text(columns)  # raises before anything is changed
            self._attempt += again
            self._count = self._last = number
            self._journal.row(text)

    def event(self, kind: str, text: str) -> None:
        """Append an event: a checkpoint, a warning, anything worth a mark on the time line."""
        with self._journal.mutex:
            self._require_open()
            self._journal.event(str(kind), str(text))

    def stop(self, reason: str) -> None:
        """Say that the run ends before its planned end, and why; it stays resumable.

        For a signal handler or a loop that breaks off: leaving `with` then ends it as stopped.
        """
        self._stopping = reason

    def close(self, state: EndState = "finished", reason: str | None = None) -> None:
        """End the log: seal what is open and, if finished, publish run.parquet. Once is enough."""
        with self._journal.mutex:
            if self._closed or os.getpid() != self._process:
                return
            self._closed = True
        atexit.unregister(self._abandon)
        self._journal.close(state, reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception):
            self.close("crashed", _account(error))
        elif error is not None:
            self.close("stopped", self._stopping or _interruption(error))
        elif self._stopping is not None:
            self.close("stopped", self._stopping)
        else:
            self.close()

    def _require_open(self) -> None:
        if self._closed:
            raise UserError(f"{self.path}: the log is closed; open it again to go on")
        if os.getpid() != self._process:
            raise UserError(f"{self.path}: a forked process cannot log; send rows to its parent")

    def _warn(self, text: str) -> None:
        _logger.warning("%s: %s", self.path, text)
        self._journal.event("warning", text)

    def _abandon(self) -> None:
        """The interpreter ends and nobody closed the log: say how as well as can be known."""
        error = getattr(sys, "last_value", None)  # set by an exception that nobody caught
        if isinstance(error, Exception):
            self.close("crashed", _account(error))
        elif error is not None:
            self.close("stopped", self._stopping or _interruption(error))
        else:
            self.close("stopped", self._stopping or "The program ended without closing the log.")


def _account(error: Exception) -> str:
    """The exception and its notes in one line, then the last frames of its traceback."""
    name = type(error).__qualname__
    text = " ".join(str(error).split())
    notes = ", ".join(" ".join(str(note).split()) for note in getattr(error, "__notes__", ()))
    if notes:
        text = f"{text} ({notes})".lstrip()
    frames = traceback.format_tb(error.__traceback__)[-_FRAMES:]
    return "".join((f"{name}: {text}\n" if text else f"{name}\n", *frames)).rstrip()


def _interruption(error: BaseException) -> str:
    return "Ctrl-C" if isinstance(error, KeyboardInterrupt) else type(error).__name__

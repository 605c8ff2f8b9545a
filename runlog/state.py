"""Is the process that writes a run alive, and if not, how did it end?"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from runlog.lock import Life
from runlog.run import State, StateName

if TYPE_CHECKING:
    from runlog.last_words import LastWords

SLOW_ITERATIONS = 3.0
QUIET_ITERATIONS = 10.0
"""A next row overdue by so many of the run's own iteration times makes it slow, then quiet."""
SLOW_SECONDS = 5.0
QUIET_SECONDS = 60.0
"""No run is slow or quiet sooner, however short its iterations."""
_RECENT = 20

ENDED: frozenset[StateName] = frozenset(
    {"finished", "stopped", "preempted", "crashed", "killed", "lost"}
)
"""States in which no process writes the run."""


def live_state(
    *,
    life: Life,
    times: NDArray[np.float64],
    started: float | None,
    now: float,
    events: Sequence[Mapping[str, Any]] = (),
) -> tuple[StateName, str | None]:
    """State of a run without an end record, and one sentence.

    `times`: (rows,) Unix seconds at which the rows were complete, NaN where unknown. `started`:
    Unix seconds at which the log was opened. `now`: Unix seconds. `events`: its records.
    """
    if life != "alive" and events and events[-1].get("event") == "preempted":
        return "preempted", events[-1]["text"] or None
    if life == "gone":
        return "killed", (
            "The process is gone and left no word: killed (kill -9, out of memory) or the "
            "machine was restarted."
        )
    if life == "silent":
        return "lost", (
            "The writer shows no sign of life and left no word: its machine or the connection "
            "to its files is gone, or this is a copy of an unfinished run."
        )
    known = times[~np.isnan(times)] if np.isnan(times[-_RECENT - 1 :]).any() else times
    last = float(known[-1]) if len(known) else started
    if last is None:
        return "running", None
    age = max(0.0, now - last)
    own = seconds_per_iteration(known)
    # The sentences hold no age, or a waiting run would change at every look.
    if age > max(QUIET_SECONDS, QUIET_ITERATIONS * (own or 0.0)):
        return "quiet", f"The process is alive but has long added no row{_usual(own)}."
    if own is not None and age > max(SLOW_SECONDS, SLOW_ITERATIONS * own):
        return "slow", f"The next row is overdue{_usual(own)}."
    return "running", None


def ended_state(
    end: Mapping[str, Any], events: tuple[Mapping[str, Any], ...] = ()
) -> tuple[StateName, str | None]:
    """State of a run whose last record is an end record; `events`: the records before it."""
    state: str = end["state"]
    reason = end.get("reason")
    reason = str(reason).splitlines()[0] if reason else None  # a traceback may follow
    if state == "stopped":
        for event in reversed(events):
            if event["row"] < end["row"] or event["kind"] == "end":
                break
            if event["event"] == "preempted":
                return "preempted", event["text"] or reason
        return "stopped", reason
    if state == "crashed":
        return "crashed", reason
    return "finished", reason or "The run reached its planned end."


def is_by_signal(reason: str | None) -> bool:
    """Whether a run was stopped by a signal, which does not say who sent it or why."""
    return reason is not None and reason.startswith(("SIGTERM", "SIGHUP"))


def explained(
    name: StateName, reason: str | None, words: "LastWords | None"
) -> tuple[StateName, str | None]:
    """State and sentence of a run whose own log leaves open why it ended, with words from beside it."""
    if words is None:
        return name, reason
    if name != "stopped":
        return words.state, words.reason
    if not words.system:
        return name, reason
    return "preempted" if words.state == "preempted" else name, f"{reason}: {words.reason}"


def state_of(
    name: StateName,
    reason: str | None,
    iterations: NDArray[np.float64],
    times: NDArray[np.float64],
) -> State:
    """The state with the last iteration and the time of the last row of the rows shown."""
    last = _last(iterations)
    return State(
        name=name,
        last_iteration=None if last is None else int(last),
        last_row_time=_last(times),
        reason=reason,
    )


def _last(values: NDArray[np.float64]) -> float | None:
    if len(values) and not np.isnan(values[-1]):
        return float(values[-1])
    known = values[~np.isnan(values)]
    return float(known[-1]) if len(known) else None


def seconds_per_iteration(times: NDArray[np.float64]) -> float | None:
    """Median time between recent rows, seconds; None before the second row."""
    steps = np.diff(times[-_RECENT - 1 :])
    steps = steps[steps > 0]  # a clock that was set back says nothing
    return float(np.median(steps)) if len(steps) else None


def _usual(own: float | None) -> str:
    return "" if own is None else f": it usually adds one every {_duration(own)}"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"

"""The first line: which run, is its process alive, which iteration, how fast."""

from collections.abc import Sequence

import numpy as np

from runlog.run import Run, State
from trpo_tui.frame import LIVE, Frame, lost_line
from trpo_tui.text import age, clock
from trpo_tui.themes import Line, Look, Role
from trpo_tui.widgets.lines import Lines, View

_WORDS: dict[str, tuple[str, Role]] = {
    "running": ("LIVE", "good"),
    "slow": ("SLOW", "warn"),
    "quiet": ("QUIET", "warn"),
    "finished": ("FINISHED", "good"),
    "stopped": ("STOPPED", "warn"),
    "preempted": ("PREEMPTED", "warn"),
    "crashed": ("CRASHED", "bad"),
    "killed": ("KILLED", "bad"),
    "lost": ("LOST", "bad"),
}


def state_word(state: State) -> tuple[str, Role]:
    """The state in one word, and how it is drawn."""
    return _WORDS[state.name]


def seconds_per_iteration(run: Run) -> float | None:
    """Median of the last 20 intervals between rows, seconds; None where no times are logged."""
    column = run.column("time")
    times = column.values[-21:][column.present[-21:]].astype(np.float64)
    gaps = np.diff(times[np.isfinite(times)])
    gaps = gaps[gaps >= 0]
    return float(np.median(gaps)) if len(gaps) else None


def pace(seconds: float) -> str:
    """Two digits and the unit, so that it stands still while a run is steady."""
    if seconds < 0.95:
        return f"{max(0.01, seconds):.1g} s/it"
    return f"{seconds:.2g} s/it" if seconds < 99.5 else f"{seconds / 60:.2g} min/it"


def last_row(state: State, now: float) -> str:
    """When the last row came: coarse while live, the time of day once it has ended."""
    if state.last_row_time is None:
        return ""
    if state.name in LIVE:
        return f"last {age(max(0.0, now - state.last_row_time))} ago"
    return f"last row {clock(state.last_row_time, now)}"


def header_line(frame: Frame, width: int, look: Look) -> Line:
    """The whole line; what does not fit falls away from the right, the screens' keys first."""
    if not frame.opened:
        return ((look.say(frame.name), "bold"), ("  opening" if frame.path else "  runs", "dim"))
    word, role = state_word(frame.run.state)
    env = frame.run.metadata.get("env_id")
    spans: list[tuple[str, Role]] = [(look.say(frame.name), "bold")]
    if isinstance(env, str) and env:
        spans.append((f" {look.say(env)}", "plain"))
    spans += [("  ", "plain"), (word, role)]
    number = frame.iteration
    spans.append((f"  it {number}" if number is not None else "  no rows yet", "plain"))
    rate = seconds_per_iteration(frame.run) if frame.live else None
    # While one looks back no age is told, that would grow wrong.
    last = "" if frame.paused and frame.live else last_row(frame.run.state, frame.now)
    details = [pace(rate) if rate is not None else "", last]
    if frame.run.attempts > 1:
        details.append(f"attempt {frame.run.attempt} of {frame.run.attempts}")
    if lost := lost_line(frame.run):
        spans.append((f"  {lost}", "warn"))
    keys = "1m 2d 3e 4t 5r ?"
    used = sum(len(text) for text, _ in spans)
    for detail in details:
        if detail and used + 2 + len(detail) <= width:
            spans.append((f"  {detail}", "dim"))
            used += 2 + len(detail)
    if used + 2 + len(keys) <= width:
        spans += [(" " * (width - used - len(keys)), "plain"), (keys, "dim")]
    return tuple(spans)


class Header(Lines):
    """One row at the top of every screen."""

    parts = ("name", "path", "opened", "run", "playhead", "now")

    def draw(self, view: View) -> Sequence[Line]:
        return [header_line(view.frame, view.width, self.look)]

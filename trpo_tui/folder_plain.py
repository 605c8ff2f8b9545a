"""A folder of runs in sentences: one line, and one call of a command, for each change of a run."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from runlog.run import Run
from trpo_tui.entries import Entry, Shelf
from trpo_tui.frame import LIVE
from trpo_tui.judging import Judged, judge_run
from trpo_tui.notifying import notify
from trpo_tui.places import is_folder_of_runs, runs_below
from trpo_tui.text import number
from trpo_tui.themes import encoded

AGAIN_SECONDS = 5.0
"""Between two looks at the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A run that is not what it was. `worth`: it is worth a notification."""

    entry: Entry
    text: str
    worth: bool


def news_of(before: Entry | None, now: Entry) -> News | None:
    """What changed of a run between two looks; None where nothing that matters did.

    The states of a run that goes on (running, slow, quiet) count as one for notifications.
    """
    if before is not None and _seen(before) == _seen(now):
        return None
    if now.state is None:
        return News(entry=now, text=now.problem, worth=before is not None)
    state = now.state.name
    said = f"{state} at iteration {now.iterations}"
    if now.last_return is not None:
        said += f", return {number(now.last_return)}"
    if now.state.reason:
        said += f": {now.state.reason.rstrip('.')}"
    if now.iterations and (before is None or before.code != now.code or state not in LIVE):
        said += f". {now.headline}"
    ended = before is not None and _live(before) and not _live(now)
    worth = before is not None and (ended or before.code != now.code)
    return News(entry=now, text=said, worth=worth)


def _live(entry: Entry) -> bool:
    return entry.state is not None and entry.state.name in LIVE


def _seen(entry: Entry) -> tuple[str, str, str]:
    return entry.state.name if entry.state else "", entry.code, entry.problem


def looks(
    folder: str, *, judging: Callable[[Run], Judged] = judge_run, again: float = AGAIN_SECONDS
) -> Iterator[tuple[Entry, ...]]:
    """Every run below the folder, again and again; new ones appear, removed ones are forgotten.

    Ends where `folder` is a run itself and that is over.
    """
    shelf, single = Shelf(judging), not is_folder_of_runs(folder)
    while True:
        paths = runs_below(folder)
        for gone in shelf.kept.keys() - set(paths):
            del shelf.kept[gone]
        entries = tuple(shelf.entry(path, folder) for path in paths)
        yield entries
        if single and not any(map(_live, entries)):
            return
        time.sleep(again)


def watch_folder(
    folder: str,
    *,
    every: float,
    command: Sequence[str] = (),
    stream: TextIO | None = None,
    judging: Callable[[Run], Judged] = judge_run,
    seen: Iterable[tuple[Entry, ...]] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Say what changes in the runs below a folder, for as long as it is left to; call `command`
    once for each change of state or cause. `seen`: what is looked at instead of the folder."""
    out = stream or sys.stdout
    known: dict[str, Entry] = {}
    last = clock()
    for entries in looks(folder, judging=judging) if seen is None else seen:
        for entry in entries:
            news = news_of(known.get(entry.path), entry)
            known[entry.path] = entry
            if news is None:
                continue
            _say(out, f"{entry.name}: {news.text}")
            last = clock()
            if news.worth and command and (trouble := notify(command, entry, news.text)):
                _say(sys.stderr, f"trpo-tui: --notify-cmd: {trouble}")
        known = {entry.path: entry for entry in entries}
        if clock() - last >= every:
            _say(out, summary(entries))
            last = clock()


def summary(entries: Sequence[Entry]) -> str:
    """How many runs there are, in which states, how many with a cause."""
    states = [e.state.name if e.state is not None else "unreadable" for e in entries]
    counted = ", ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states))
    sick = sum(1 for e in entries if e.code)
    return f"{len(entries)} runs: {counted or 'none yet'}; {sick} with a fault."


def _say(stream: TextIO, sentence: str) -> None:
    stream.write(encoded(sentence, stream) + "\n")
    stream.flush()

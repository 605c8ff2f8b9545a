"""What a log or a batch system's output beside a run says of how its process ended."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from runlog.folder import LOCK, is_run

if TYPE_CHECKING:
    from runlog.importers.incidents import Incident
    from runlog.run import StateName

BATCH = "slurm-*.out"
NAMES = (BATCH, "*.err", "*.log", "nohup.out")
"""Files that may hold what was printed, in the run's folder or next to it."""
TAIL_BYTES = 64 * 2**10
CLOCK_SECONDS = 2.0
"""A file system's clock may be so far behind the one that stamped the last row."""
DYING_SECONDS = 120.0
"""In a folder of several runs, words that came later after the last sign of life are another's."""
_AFTER_LINES = 40
"""Where more lines follow, the program went on: what was said did not end it."""


@dataclass(frozen=True, slots=True)
class LastWords:
    """The state a process was left in, and one sentence that names the file.

    `system`: said by the system or the batch system, not by the program itself.
    """

    state: "StateName"
    reason: str
    system: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    path: Path
    written: float
    inside: bool
    """Whether the file lies in the run's own folder."""


def last_words(folder: Path, *, since: float, job: object = None) -> LastWords | None:
    """The last words beside a run whose process is gone; None where nothing fits.

    `since`: Unix seconds of the last row: only a file written to since then can tell. `job`: the
    batch system's number of the run; a file that bears it, or the run's name, is its own.
    """
    folder = folder.absolute()
    found = [c for c in _candidates(folder) if c.written >= since - CLOCK_SECONDS]
    found.sort(key=lambda c: (_is_own(c, folder, job), _is_batch(c), c.written), reverse=True)
    newest = next((c for c in found if _is_batch(c)), None)
    for candidate in found:
        if _is_batch(candidate) and candidate is not newest:
            continue
        incident = _read(candidate.path)
        if incident is None or not _fits(candidate, folder, since=since, job=job):
            continue
        text = incident.text.rstrip(".")
        return LastWords(
            state=incident.ends or "crashed",
            reason=f"{text[:1].upper()}{text[1:]} ({candidate.path.name})",
            system=incident.kind == "signal" and not incident.vague,
        )
    return None


def _candidates(folder: Path) -> Iterator[_Candidate]:
    for place in (folder, folder.parent):
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if any(fnmatch(entry.name, name) for name in NAMES) and entry.is_file():
                        written = entry.stat().st_mtime
                        yield _Candidate(Path(entry.path), written, inside=place == folder)
        except OSError:
            continue  # not readable, or gone meanwhile: it says nothing


def _is_batch(candidate: _Candidate) -> bool:
    return fnmatch(candidate.path.name, BATCH)


def _is_own(candidate: _Candidate, folder: Path, job: object) -> bool:
    stem = candidate.path.stem
    words = stem.replace("_", "-").replace(".", "-").split("-")
    return candidate.inside or stem == folder.name or (bool(job) and str(job) in words)


def _fits(candidate: _Candidate, folder: Path, *, since: float, job: object) -> bool:
    """Whether the words can be this run's and not another's that lies beside it."""
    if _is_own(candidate, folder, job):
        return True
    others = _runs_beside(folder)
    if candidate.path.stem in others:
        return False
    if not others:
        return True
    try:
        alive = max(since, (folder / LOCK).stat().st_mtime)
    except OSError:
        alive = since
    return candidate.written <= alive + DYING_SECONDS


def _runs_beside(folder: Path) -> frozenset[str]:
    try:
        beside = [p for p in folder.parent.iterdir() if p.is_dir() and p.name != folder.name]
    except OSError:
        return frozenset()
    return frozenset(path.name for path in beside if is_run(path))


def _read(path: Path) -> "Incident | None":
    """The incident that ended a process, at the end of a file."""
    from runlog.importers.decode import Lines, line_of
    from runlog.importers.incidents import Incidents

    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            data = file.read(TAIL_BYTES)
    except OSError:
        return None
    lines, incidents = Lines(), Incidents()
    found, after = None, 0
    for raw in (*lines.feed(data), lines.rest()[0]):
        text = line_of(raw).text
        incident = incidents.feed(text)
        if incident is not None and incident.ends is not None:
            # "Killed" names nothing that a line of the batch system has not said better.
            if found is None or not incident.vague or after > _AFTER_LINES:
                found, after = incident, 0
        elif text and not text.startswith("wandb:"):  # its summary follows every end
            after += 1
    return found if after <= _AFTER_LINES else None

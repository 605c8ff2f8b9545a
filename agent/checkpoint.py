"""Checkpoints of a run on disk: what they are called, how they are written, which one is read."""

import io
import os
import pickle
import re
import struct
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from agent.snapshot import FORMAT
from runlog.errors import UserError
from runlog.folder import sync_folder

FOLDER = "checkpoints"
TEMPORARY = ".tmp-checkpoint"
"""Half-written; the run's lock keeps a second writer away."""
KEEP = 3
"""Latest regular checkpoints kept, besides that of iteration 0."""
KEEP_BEFORE = 5
"""States before a suspicious iteration kept in one run."""
_NAME = re.compile(r"(?P<iteration>\d{12})(-before-(?P<kind>[a-z-]+))?\.pt")
_DAMAGE = (
    OSError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    pickle.UnpicklingError,
)
"""What reading a file raises that is no checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Stored:
    """One file: the state after `iteration`; `kind` is what was suspicious about the next one."""

    iteration: int
    kind: str
    path: Path


def save(run: Path, snapshot: dict[str, Any], before: str = "") -> Path:
    """Write a snapshot as checkpoints/ITERATION.pt, or ITERATION-before-KIND.pt; whole or not at all.

    Removes all but iteration 0 and the latest few of its sort. Raises OSError where the disk
    refuses; what was there stays.
    """
    folder = run / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{snapshot['iteration']:012d}{f'-before-{before}' if before else ''}.pt"
    content = io.BytesIO()
    torch.save(snapshot, content)
    temporary = folder / TEMPORARY
    try:
        with temporary.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(folder)
    for old in _superfluous(stored(run), snapshot["iteration"]):
        old.path.unlink(missing_ok=True)
    return path


def worth_keeping(run: Path, iteration: int, kind: str) -> bool:
    """Whether the state before something suspicious would stay, beside those that are there."""
    new = Stored(iteration=iteration, kind=kind, path=run)
    return new not in _superfluous(sorted([*stored(run), new]), iteration)


def _superfluous(files: list[Stored], now: int) -> list[Stored]:
    """Regular files but iteration 0 and the latest; of the others the oldest that is not the first
    of its kind. Regular ones beyond iteration `now` could not be read, and count for nothing."""
    regular = [file for file in files if not file.kind and 0 < file.iteration <= now]
    special = [file for file in files if file.kind]
    firsts = {file.kind: file for file in reversed(special)}
    repeated = [file for file in special if file is not firsts[file.kind]]
    return regular[:-KEEP] + repeated[: max(0, len(special) - KEEP_BEFORE)]


def stored(run: Path) -> list[Stored]:
    """Checkpoints of a run, by iteration."""
    found = ((path, _NAME.fullmatch(path.name)) for path in (run / FOLDER).glob("*.pt"))
    return sorted(
        Stored(iteration=int(match["iteration"]), kind=match["kind"] or "", path=path)
        for path, match in found
        if match is not None
    )


def load(path: Path) -> dict[str, Any]:
    """Read one checkpoint; nothing in it is executed. UserError when it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive, warnings.catch_warnings(action="ignore"):
            damaged = archive.testzip()  # torch does not compare its checksums
            if damaged is not None:
                raise zipfile.BadZipFile(damaged)
            snapshot = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise UserError(f"{path}: not a readable checkpoint; resume from an older one") from error
    if not isinstance(snapshot, dict) or not {"format", "iteration", "policy"} <= snapshot.keys():
        raise UserError(f"{path}: not a checkpoint of this agent; resume from an older one")
    return snapshot


def latest(run: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The newest checkpoint of a run that can be read, and a line for each newer one that cannot.

    UserError where there is none, and where a newer version wrote it.
    """
    unreadable = []
    for file in reversed(stored(run)):
        try:
            snapshot = load(file.path)
        except UserError as error:
            unreadable.append(str(error))
            continue
        if snapshot["format"] > FORMAT:
            raise UserError(
                f"{file.path}: format {snapshot['format']}, this version knows {FORMAT};"
                " upgrade trpo-tui to resume from it"
            )
        return snapshot, tuple(unreadable)
    if unreadable:
        raise UserError(
            f"{run}: none of its {len(unreadable)} checkpoints can be read;"
            " train anew into another folder"
        )
    raise UserError(f"{run}: no checkpoint to resume from; train anew into another folder")

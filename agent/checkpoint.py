"""Snapshots of a training on disk: tensors, numbers and text only, written atomically."""

import io
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from runlog.errors import UserError

FOLDER = "checkpoints"
TEMPORARY = ".tmp-checkpoint"
"""Half-written; the run's lock keeps a second writer away."""
KEEP = 3
"""Latest checkpoints kept, besides that of iteration 0."""


def save(run: Path, snapshot: dict[str, Any]) -> Path:
    """Write a snapshot as checkpoints/ITERATION.pt and remove all but the latest few.

    Raises OSError where the disk refuses; what was there stays.
    """
    folder = run / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{snapshot['iteration']:012d}.pt"
    content = io.BytesIO()
    torch.save(snapshot, content)
    temporary = folder / TEMPORARY
    with temporary.open("wb") as file:
        file.write(content.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    for old in stored(run)[1:-KEEP]:
        old.unlink(missing_ok=True)
    return path


def stored(run: Path) -> list[Path]:
    """Checkpoints of a run, by iteration."""
    return sorted(path for path in (run / FOLDER).glob("*.pt") if path.stem.isdigit())


def load(path: Path) -> dict[str, Any]:
    """Read one checkpoint; nothing in it is executed. UserError when it cannot be read."""
    try:
        snapshot: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UserError(
            f"{path}: not a readable checkpoint; remove it to use the one before it"
        ) from error
    return snapshot


def latest(run: Path) -> dict[str, Any]:
    """The newest checkpoint of a run. UserError when there is none."""
    paths = stored(run)
    if not paths:
        raise UserError(f"{run}: no checkpoint to resume from; train anew into another folder")
    return load(paths[-1])

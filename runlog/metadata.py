"""What run.json says of a run: the settings it was given, and where and with what it runs."""

import json
import os
import platform
import shlex
import sys
import uuid
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from runlog.records import FORMAT
from runlog.schema import METADATA, SCHEMA_VERSION

_PACKAGES = ("numpy", "pyarrow", "torch", "gymnasium", "mujoco", "stable_baselines3", "sb3_contrib")
_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")


def describe(given: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a new run: every declared key, what is `given` over what is found here."""
    found: dict[str, Any] = {field.name: None for field in METADATA}
    found |= {
        "format": FORMAT,
        "schema": SCHEMA_VERSION,
        "tool_version": _tool_version(),
        "run_id": uuid.uuid4().hex[:12],
        "packages": _packages(),
        "git_commit": _git_commit(Path.cwd()),
        "command": shlex.join(sys.orig_argv),
        "host": platform.node(),
        "job_id": next((os.environ[name] for name in _JOBS if name in os.environ), None),
    }
    found |= {name: value for name, value in given.items() if value is not None}
    return _plain(found)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Settings that differ when a run is taken up again, one `name: before -> now` each."""
    now = _plain(now)
    old, new = dict(before.get("config") or {}), dict(now.pop("config", None) or {})
    old |= {name: before.get(name) for name in now if name != "run_id"}
    new |= {name: value for name, value in now.items() if name != "run_id"}
    return tuple(
        f"{name}: {json.dumps(old.get(name))} -> {json.dumps(value)}"
        for name, value in new.items()
        if value is not None and json.dumps(old.get(name)) != json.dumps(value)
    )


def _plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON holds it: arrays become lists, what JSON does not know its text."""
    text = json.dumps(
        dict(metadata), default=lambda v: v.tolist() if hasattr(v, "tolist") else str(v)
    )
    plain: dict[str, Any] = json.loads(text)
    return plain


def _tool_version() -> str | None:
    try:
        return version("trpo-tui")
    except PackageNotFoundError:
        return None


def _packages() -> dict[str, str]:
    """Python and, of the packages that matter, those this process has loaded."""
    loaded = {name: sys.modules[name] for name in _PACKAGES if name in sys.modules}
    versions = {name: getattr(module, "__version__", None) for name, module in loaded.items()}
    return {"python": platform.python_version()} | {
        name: str(number) for name, number in versions.items() if number is not None
    }


def _git_commit(folder: Path) -> str | None:
    """Commit of the repository around a folder, read from its files; None outside of one."""
    for place in (folder, *folder.parents):
        git = place / ".git"
        try:
            head = (git / "HEAD").read_text("utf-8").strip()
        except OSError:
            continue
        if not head.startswith("ref: "):
            return head
        return _git_reference(git, head.removeprefix("ref: "))
    return None


def _git_reference(git: Path, name: str) -> str | None:
    try:
        return (git / name).read_text("utf-8").strip()
    except OSError:
        pass
    try:
        lines = (git / "packed-refs").read_text("utf-8").splitlines()
    except OSError:
        return None
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), None)

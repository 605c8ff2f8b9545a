"""What a run log is told once: the environment's facts, the update's conventions, the machine."""

import os
import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from agent.config import Config
from agent.envs.batch import Facts
from agent.trust_region import FRACTIONS

PACKAGES = ("torch", "numpy", "gymnasium", "mujoco")
JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
"""Where batch systems tell a job its identifier."""


def facts_metadata(facts: Facts) -> dict[str, Any]:
    """The environment as it declares itself."""
    return {
        "env_id": facts.env_id,
        "env_args": dict(facts.env_args),
        "observation_dim": facts.observation_dim,
        "action_dim": facts.action_dim,
        "action_low": facts.action_low.astype(float).tolist(),
        "action_high": facts.action_high.astype(float).tolist(),
        "horizon": facts.horizon,
        "solved_return": None if facts.solved_return is None else float(facts.solved_return),
    }


def conventions(config: Config) -> dict[str, Any]:
    """How this agent's numbers are to be read."""
    return {
        "kl_reduction": "sum",
        "kl_direction": "old-new",
        "line_search_factor": FRACTIONS[1] / FRACTIONS[0],
        "line_search_max_steps": len(FRACTIONS),
        "line_search_kl_margin": 1.0,
        "cg_start": "zero",
        "cg_tolerance": config.cg_tolerance,
        "cg_tolerance_kind": "relative",
        "advantage_normalisation": "standardise",
        "value_target": "lambda-return",
        "fisher_fraction": 1.0,
    }


def machine_metadata() -> dict[str, Any]:
    """Where and how this process was started."""
    return {
        "packages": packages(),
        "git_commit": git_commit(),
        "command": shlex.join(["trpo-tui", *sys.argv[1:]]),
        "host": platform.node() or None,
        "job_id": next((os.environ[name] for name in JOBS if os.environ.get(name)), None),
    }


def packages() -> dict[str, str]:
    """Versions of what computes the numbers."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """Commit of the repository the working directory lies in, if it lies in one."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None



"""What a run log is told once about the environment and about this agent's conventions."""

import hashlib
import json
from typing import Any

from agent.config import Config
from agent.envs.batch import Facts
from agent.trust_region import FRACTIONS


def run_id(config: Config) -> str:
    """Identifier of what this configuration trains: equal settings and seed, equal log, equal id.

    How many iterations are planned is left out, so that a run resumed for longer stays itself.
    """
    settings = {name: value for name, value in config.as_dict().items() if name != "iterations"}
    told = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


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
        "fisher_fraction": config.fisher_fraction,
    }

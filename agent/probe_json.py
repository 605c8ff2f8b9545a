"""A probe as one object of JSON, on one line."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.probe import Probe
from agent.probe_finding import Finding
from agent.probe_reward import EXPECTED, most_common
from agent.probe_verdict import actions_matter, deterministic, observed
from agent.probe_walk import Walk


def as_json(of: Probe, found: Sequence[Finding]) -> str:
    """One line. Numbers that are not finite are the text that says which."""
    ranges = observed(of)
    content = {
        "schema": 1,
        "env_id": of.env_id,
        "env_args": dict(of.env_args),
        "seed": of.seed,
        "verdict": "wrong" if any(finding.level == "wrong" for finding in found) else "fine",
        "findings": [
            {"level": each.level, "text": each.text, "do": each.do, "code": each.code}
            for each in found
        ],
        "expected_reward": EXPECTED,
        "random": _walked(of.random),
        "zero": _walked(of.zero),
        "observation_space": str(of.observation_space),
        "observation_low": None if ranges is None else ranges[0].tolist(),
        "observation_high": None if ranges is None else ranges[1].tolist(),
        "action_space": str(of.action_space),
        "horizon": of.horizon,
        "solved_return": of.solved_return,
        "actions_matter": actions_matter(of),
        "deterministic": deterministic(of),
        "mujoco_warnings": list(of.warnings),
    }
    return json.dumps(_plain(content), separators=(",", ":"), ensure_ascii=False) + "\n"


def _walked(walk: Walk) -> dict[str, Any]:
    paid = walk.reward[np.isfinite(walk.reward)]
    value, share = most_common(paid) if len(paid) else (None, None)
    return {
        "steps": walk.steps,
        "reward": {
            "min": paid.min() if len(paid) else None,
            "mean": paid.mean() if len(paid) else None,
            "max": paid.max() if len(paid) else None,
            "std": paid.std() if len(paid) else None,
            "most_common": value,
            "most_common_share": share,
            "not_finite": walk.steps - len(paid),
        },
        "terms": {
            name: {"mean": values.mean(), "share": walk.share(name)}
            for name, values in walk.terms.items()
            if len(values)
        },
        "episodes": {
            "lengths": walk.lengths,
            "returns": walk.returns,
            "terminated": walk.terminated,
            "truncated": walk.truncated,
            "running_steps": walk.running,
        },
        "raised": walk.raised,
        "seconds": walk.seconds,
    }


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value

"""What a run log is told once about a Stable-Baselines3 trainer: settings, spaces, conventions."""

import inspect
from typing import Any

import numpy as np

from runlog.sb3_policy import measurable


def describe(model: Any, total_timesteps: int) -> dict[str, Any]:
    """Metadata of a run of `model`; what cannot be known is left out."""
    env, space, observations = model.get_env(), model.action_space, model.observation_space
    box = bounds(model)
    spec = _specification(env)
    algorithm = type(model).__name__.lower()
    return {
        "algorithm": algorithm,
        "env_id": getattr(spec, "id", None),
        "seed": model.seed,
        "config": _settings(model) | {"total_timesteps": total_timesteps},
        "dtype": str(next(model.policy.parameters()).dtype).removeprefix("torch."),
        "observation_dim": None if observations.shape is None else int(np.prod(observations.shape)),
        # Of Box actions alone: the identities of a Gaussian are not those of a choice.
        "action_dim": None if box is None else int(np.prod(space.shape)),
        "action_low": None if box is None else box[0].tolist(),
        "action_high": None if box is None else box[1].tolist(),
        "environments": model.n_envs,
        "steps_per_iteration": model.n_steps * model.n_envs,
        "horizon": getattr(spec, "max_episode_steps", None),
        "solved_return": getattr(spec, "reward_threshold", None),
        "kl_reduction": "sum",
        "kl_direction": "old-new",
        "advantage_normalisation": "standardise" if model.normalize_advantage else "none",
        "value_target": "lambda-return",
        **(_trpo(model) if is_trpo(model) else {}),
    }


def is_trpo(model: Any) -> bool:
    """Whether this is sb3-contrib's TRPO, whose update can be watched."""
    return hasattr(model, "cg_max_steps") and measurable(model.policy)


def bounds(model: Any) -> tuple[Any, Any] | None:
    """Lowest and highest action of a Box that the policy does not squash, one number each."""
    low, high = getattr(model.action_space, "low", None), getattr(model.action_space, "high", None)
    if low is None or high is None or model.policy.squash_output:
        return None
    return low.reshape(-1).astype(float), high.reshape(-1).astype(float)


def _trpo(model: Any) -> dict[str, Any]:
    return {
        "line_search_factor": model.line_search_shrinking_factor,
        "line_search_max_steps": model.line_search_max_iter,
        # Its search bounds KL(new‖old); that of the log may be some per cent beyond the bound.
        "line_search_kl_margin": None,
        "cg_start": "random",
        "cg_tolerance": 1e-10,
        "cg_tolerance_kind": "absolute",
        "fisher_fraction": 1.0 / model.sub_sampling_factor,
    }


def _settings(model: Any) -> dict[str, Any]:
    """The arguments the trainer was made with, as far as it keeps them."""
    left_out = {"self", "env", "policy", "_init_setup_model", "verbose", "seed", "tensorboard_log"}
    names = [n for n in inspect.signature(type(model)).parameters if n not in left_out]
    found = {name: getattr(model, name) for name in names if hasattr(model, name)}
    settings = {name: value for name, value in found.items() if not callable(value)}
    settings["learning_rate"] = model.lr_schedule(1.0)
    settings["device"] = str(model.device)
    if callable(clip := found.get("clip_range")):
        settings["clip_range"] = clip(1.0)
    return settings | {"policy": type(model.policy).__name__}


def _specification(env: Any) -> Any:
    try:
        return env.get_attr("spec", indices=[0])[0]
    except AttributeError:  # a vectorised environment of its own kind
        return None

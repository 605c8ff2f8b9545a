"""The keys of other trainers' real logs, and how their numbers are found without the importers."""

import ast
import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

Found = Callable[[Path, str], list[float]]

SB3 = {
    "time/total_timesteps": ("timesteps", 1.0),
    "rollout/ep_rew_mean": ("episode_return_mean", 1.0),
    "rollout/ep_len_mean": ("episode_length_mean", 1.0),
    "train/explained_variance": ("explained_variance", 1.0),
}
SB3_TRPO = SB3 | {
    "train/kl_divergence_loss": ("kl", 1.0),
    "train/policy_objective": ("policy_loss", -1.0),
    "train/is_line_search_success": ("line_search_success", 1.0),
}
SB3_PPO = SB3 | {
    "train/approx_kl": ("kl", 1.0),
    "train/entropy_loss": ("entropy", -1.0),
    "train/policy_gradient_loss": ("policy_loss", 1.0),
}
SB3_A2C = SB3 | {"train/entropy_loss": ("entropy", -1.0), "train/policy_loss": ("policy_loss", 1.0)}
SEARCH = {
    "EpRewMean": ("episode_return_mean", 1.0),
    "EpLenMean": ("episode_length_mean", 1.0),
    "TimestepsSoFar": ("timesteps", 1.0),
    "meankl": ("kl", 1.0),
    "surrgain": ("policy_loss", -1.0),
    "entropy": ("entropy", 1.0),
}
BASELINES = SEARCH | {"ev_tdlam_before": ("explained_variance", 1.0)}
SB2 = SEARCH | {"explained_variance_tdlam_before": ("explained_variance", 1.0)}
CUT = {"explained_variance_tdlam_before": "explained_variance_t..."}
"""Keys that boxes show cut."""
PPO1 = {
    "EpRewMean": ("episode_return_mean", 1.0),
    "loss_kl": ("kl", 1.0),
    "loss_ent": ("entropy", 1.0),
    "loss_pol_surr": ("policy_loss", 1.0),
}
PPO2 = {
    "total_timesteps": ("timesteps", 1.0),
    "approxkl": ("kl", 1.0),
    "policy_entropy": ("entropy", 1.0),
    "policy_loss": ("policy_loss", 1.0),
    "explained_variance": ("explained_variance", 1.0),
}
A2C = {"total_timesteps": ("timesteps", 1.0), "policy_entropy": ("entropy", 1.0)}
GARAGE = {
    "TotalEnvSteps": ("timesteps", 1.0),
    "Evaluation/AverageReturn": ("episode_return_mean", 1.0),
    "GaussianMLPPolicy/KL": ("kl", 1.0),
    "GaussianMLPPolicy/dLoss": ("actual_improvement", 1.0),
    "GaussianMLPPolicy/Entropy": ("entropy", 1.0),
}
OMNISAFE = {
    "TotalEnvSteps": ("timesteps", 1.0),
    "Metrics/EpRet": ("episode_return_mean", 1.0),
    "Misc/gradient_norm": ("gradient_norm", 1.0),
    "Misc/H_inv_g": ("step_direction_norm", 1.0),
    "Misc/FinalStepNorm": ("parameter_delta_norm", 1.0),
}
RSL_RL = {
    "Total steps": ("timesteps", 1.0),
    "Mean reward": ("episode_return_mean", 1.0),
    "Mean surrogate loss": ("policy_loss", 1.0),
    "Mean entropy loss": ("entropy", 1.0),
    "Mean value loss": ("value_loss_after", 1.0),
}
PFRL = {
    "steps": ("timesteps", 1.0),
    "mean": ("episode_return_mean", 1.0),
    "average_kl": ("kl", 1.0),
    "average_entropy": ("entropy", 1.0),
}
RLLIB = {
    "num_env_steps_sampled_lifetime": ("timesteps", 1.0),
    "env_runners/episode_return_mean": ("episode_return_mean", 1.0),
    "learners/default_policy/mean_kl_loss": ("kl", 1.0),
    "learners/default_policy/entropy": ("entropy", 1.0),
}
TRL = {
    "reward": ("episode_return_mean", 1.0),
    "grad_norm": ("gradient_norm", 1.0),
    "entropy": ("entropy", 1.0),
}
MUSHROOM = {
    "rewards": ("episode_return_mean", 1.0),
    "vf_loss": ("value_loss_after", 1.0),
    "entropy": ("entropy", 1.0),
    "kl": ("kl", 1.0),
}


def in_a_box(path: Path, key: str) -> list[float]:
    """The numbers of a key in printed tables `| key | value |`."""
    row = re.compile(rf"\| +{re.escape(CUT.get(key, key).rpartition('/')[2])} +\| (\S+) +\|")
    return [float(value) for value in row.findall(path.read_text("utf-8"))]


def in_a_box_of_whole_keys(path: Path, key: str) -> list[float]:
    """The same where keys have slashes of their own."""
    row = re.compile(rf"│ {re.escape(key)} +│ (\S+) +│")
    return [float(value) for value in row.findall(path.read_text("utf-8"))]


def after_a_key(path: Path, key: str) -> list[float]:
    """The numbers that follow a key and blanks, alone or in a list."""
    row = re.compile(rf"(?:^|\s){re.escape(key)}:? +\[?(-?\d[^\s\]]*)", re.MULTILINE)
    return [float(value) for value in row.findall(path.read_text("utf-8"))]


def in_a_column(path: Path, key: str) -> list[float]:
    """The cells of a table's column."""
    lines = path.read_text("utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t" if "\t" in lines[0] else ",")
    return [float(row[key]) for row in rows if row[key]]


def in_json(path: Path, key: str) -> list[float]:
    """The numbers of a key, or of a path of keys, in lines of JSON."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        value = row = json.loads(line)
        if key not in row:
            for step in key.split("/"):
                value = value.get(step) if isinstance(value, dict) else None
        else:
            value = row[key]
        if value is not None:
            found.append(float(value))
    return found


def in_dictionaries(path: Path, key: str) -> list[float]:
    """The numbers of a key in printed Python dictionaries."""
    dictionaries = re.findall(r"\{'loss'.*?\}", path.read_text("utf-8"))
    return [float(ast.literal_eval(one)[key]) for one in dictionaries]

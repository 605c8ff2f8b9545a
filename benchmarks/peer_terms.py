"""What public tools call the columns of a run, and what each of their findings stands for."""

from collections.abc import Mapping

LOSSES = {
    "step": "iteration",
    "loss": "value_loss",
    "policy_loss": "policy_loss",
    "grad_norm": "gradient_norm",
    "lr": "vf_lr",
    "entropy": "entropy",
    "kl": "kl",
    "reward": "episode_return_mean",
    "explained_variance": "explained_variance",
    "throughput": "steps_per_second",
}
TAGS = {
    "step": "timesteps",
    "train/approx_kl": "kl",
    "train/entropy_loss": "entropy",
    "train/policy_gradient_loss": "policy_loss",
    "rollout/ep_rew_mean": "episode_return_mean",
}
FINE_TUNING = {
    "step": "iteration",
    "reward": "reward_mean",
    "reward_std": "reward_std",
    "reward_min": "reward_min",
    "reward_max": "reward_max",
    "advantages_mean": "advantage_raw_mean",
    "advantages_std": "advantage_raw_std",
    "entropy": "entropy",
    "kl": "kl",
    "grad_norm": "gradient_norm",
    "policy_loss": "policy_loss",
    "explained_variance": "explained_variance",
    "throughput": "steps_per_second",
}
RECORDED = {
    "reward_mean": "reward_mean",
    "reward_std": "reward_std",
    "reward_min": "reward_min",
    "reward_max": "reward_max",
    "kl_mean": "kl",
    "entropy_mean": "entropy",
    "logprob_mean": "action_log_prob_mean",
    "ratio_mean": "ratio_mean",
    "adv_mean": "advantage_raw_mean",
    "adv_std": "advantage_raw_std",
    "value_loss": "value_loss",
    "value_explained_variance": "explained_variance",
    "grad_norm": "gradient_norm",
}
EXPORTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "runmedic": ("csv", LOSSES),
    "trainspotter": ("csv", LOSSES),
    "gradsnitch": ("csv", LOSSES),
    "zen-rl": ("json", TAGS),
    "rldoctor": ("csv", FINE_TUNING),
    "rlprobe": ("json", RECORDED),
}
"""Tool → form of its export, and its names for our columns."""

_NAN = frozenset({"TRPO001"})
_LARGE = frozenset({"TRPO202"})
_SMALL = frozenset({"TRPO201", "TRPO203", "TRPO206", "TRPO803"})
_STEP = frozenset({"TRPO402", "TRPO403", "TRPO404", "TRPO502", "TRPO401", "TRPO008", "TRPO007"})
_SIGMA = frozenset({"TRPO801", "TRPO204"})
_ADVANTAGE = frozenset({"TRPO106", "TRPO107", "TRPO005", "TRPO006", "TRPO101"})
_CRITIC = frozenset({"TRPO701", "TRPO702", "TRPO103", "TRPO102", "TRPO112"})
_REWARD = frozenset({"TRPO101", "TRPO102", "TRPO104", "TRPO106", "TRPO108"})
MEANS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "runmedic": {
        "non_finite": _NAN,
        "anomaly_nan": _NAN,
        "divergence": _CRITIC,
        "loss_spikes": _CRITIC,
        "grad_spikes": _LARGE,
        "no_learning": frozenset({"TRPO701"}),
    },
    "trainspotter": {
        "divergence: Diverged (non-finite values)": _NAN,
        "divergence: Diverged (sustained growth)": _CRITIC,
        "grad_norm: Gradient-norm explosion": _LARGE,
        "spikes: Loss spike": _CRITIC,
    },
    "gradsnitch": {
        "GS001": _NAN,
        "GS002": _NAN | _LARGE,
        "GS003": _LARGE,
        "GS005": frozenset({"TRPO701"}),
        "GS006": _CRITIC,
        "GS007": _SMALL,
        "GS008": _STEP,
        "GS009": _CRITIC,
    },
    "zen-rl": {
        "LR_TOO_HIGH": _STEP,
        "POLICY_COLLAPSE": _SIGMA,
        "ADVANTAGE_NOT_NORMALIZED": frozenset({"TRPO005", "TRPO006"}),
    },
    "rldoctor": {
        "advantage_collapse": _ADVANTAGE,
        "entropy_collapse": _SIGMA,
        "kl_drift": _STEP,
        "gradient_pathology": _NAN | _LARGE | _SMALL,
        "reward_composition": _REWARD,
        "reward_hacking": _REWARD,
    },
    "rlprobe": {
        "KL_BLOWUP": _STEP,
        "ENTROPY_COLLAPSE": _SIGMA,
        "ADV_COLLAPSE": _ADVANTAGE,
        "VALUE_DIVERGENCE": _CRITIC,
        "GRAD_PATHOLOGY": _NAN | _LARGE | _SMALL,
        "REWARD_STD_DEATH": _REWARD,
    },
}
"""What a finding stands for. A plateau or a low return alone names no cause."""

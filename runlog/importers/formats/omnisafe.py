"""OmniSafe: TRPO, natural gradients and PPO; a table of keys, and progress.csv."""

from runlog.importers.formats.format import Format, Key, keys
from runlog.importers.formats.searches import acceptance_step

OMNISAFE = Format(
    name="omnisafe",
    algorithms={"misc/acceptancestep": "trpo", "misc/h_inv_g": "npg"},
    keys=keys(
        {
            "Train/Epoch": "iteration",
            "TotalEnvSteps": "timesteps",
            "Metrics/EpRet": "episode_return_mean",
            "Metrics/EpLen": "episode_length_mean",
            "Train/KL": "kl",
            "Train/Entropy": "entropy",
            "Train/PolicyStd": Key("log_std_mean", log=True),
            "Loss/Loss_reward_critic": "value_loss_after",
            "Value/reward": "value_mean",
            "Misc/gradient_norm": "gradient_norm",
            "Misc/H_inv_g": "step_direction_norm",
            "Misc/xHx": "curvature",
            "Misc/FinalStepNorm": "parameter_delta_norm",
            "Misc/AcceptanceStep": "line_search_steps",
        }
    ),
    said={
        "Expected Improvement: {} Actual: {}": "try",
        "Accept step at i={}": "ok",
        "INFO: no suitable step found": "failed",
    },
    silent=frozenset(
        (
            "metrics/epcost",
            "train/stopiter",
            "train/policyratio",
            "train/lr",
            "train/policyratio/mean",
            "train/policyratio/min",
            "train/policyratio/max",
            "train/policyratio/std",
            "loss/loss_pi",
            "loss/loss_pi/delta",
            "loss/loss_reward_critic/delta",
            "loss/loss_cost_critic",
            "loss/loss_cost_critic/delta",
            "value/adv",
            "value/cost",
            "misc/alpha",
            "time/total",
            "time/rollout",
            "time/update",
            "time/epoch",
            "time/fps",
        )
    ),
    own=frozenset(("metrics/epret", "misc/h_inv_g", "misc/xhx", "train/policystd")),
    texts_before=True,
    finish=acceptance_step,
    step="iteration",
    metadata={"kl_reduction": "sum", "kl_direction": "old-new", "line_search_factor": 0.8},
    assumptions=(
        "KL of TRPO and natural gradients is printed as a mean of the step's and of one 0 for each "
        "Fisher product: left out.",
        "Entropy and std are means over every time the loss was computed, before the step and for "
        "each candidate; so is the policy loss, which is left out.",
        "The mean log std is the logarithm of the printed mean std.",
        "Returns and lengths are means of the last 50 episodes.",
        "The full step's norm is the final one over the candidate's fraction.",
    ),
)

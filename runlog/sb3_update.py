"""One batch of a Stable-Baselines3 trainer, from the end of its rollout to the end of its update."""

import math
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.utils import obs_as_tensor

from runlog import sb3_policy
from runlog.sb3_metadata import bounds, is_trpo
from runlog.sb3_rollout import Rollout, explained_variance
from runlog.sb3_trpo import Watch, used

_RECORDED = ("clip_fraction", "approx_kl", "learning_rate")
"""Of what a trainer itself records under train/, what no declared column holds."""
REGRESSED = 5
"""Every so manyth row says how much of its reward can be told from state and action."""
Parameters = dict[str, torch.nn.Parameter]


def parameters(model: Any) -> tuple[Parameters, Parameters]:
    """The parameters of actor and critic by name; none where the policy cannot be asked."""
    policy = model.policy
    if not sb3_policy.measurable(policy):
        return {}, {}
    policy.set_training_mode(False)
    seen = obs_as_tensor(model._last_obs, model.device)
    actor = sb3_policy.parameters_behind(policy, sb3_policy.actor_output(policy, seen))
    return actor, sb3_policy.parameters_behind(policy, policy.predict_values(seen).sum())


class Update:
    """The columns of one row: measured before the trainer's `train` here, after it by `learnt`."""

    def __init__(self, model: Any, rollout: Rollout, actor: Parameters, critic: Parameters) -> None:
        self._model, self._rollout, self._actor, self._critic = model, rollout, actor, critic
        low, high = bounds(model) or (None, None)
        self.row = rollout.columns(low, high) | _settings(model)
        self._watch: Watch | None = None
        if not actor:
            return
        self._observations = _tensor(rollout.observations, model.device)
        self._actions = torch.as_tensor(rollout.actions.reshape(rollout.reward.size, -1)).double()
        self._theta, self._phi = sb3_policy.flat(actor.values()), sb3_policy.flat(critic.values())
        self._old, saturated = sb3_policy.sampler(model.policy, self._observations)
        # Standardised in the trainer's own precision: where they are all alike, its rounding shows.
        self._advantages = used(model, torch.as_tensor(rollout.advantages.reshape(-1)).float())
        self.row |= sb3_policy.sampling_columns(self._old, low, high) | {
            "saturated_units_fraction": saturated,
            "advantage_mean": float(self._advantages.double().mean()),
            "advantage_std": float(self._advantages.double().std(correction=0)),
            "policy_parameter_norm": float(self._theta.norm()),
            "trainable_parameters": len(self._theta),
        }
        if is_trpo(model):
            d = sb3_policy.averaged_dimensions(self._old)
            self.row |= {"max_kl": d * model.target_kl, "damping": d * model.cg_damping}
            self._watch = Watch(model, actor, self._theta)
            self._watch.start()
        else:
            norms = sb3_policy.gradient_norms(
                model.policy, self._observations, self._actions, self._advantages, actor
            )
            self.row |= {"gradient_norm": math.hypot(*norms), "gradient_norms": list(norms)}

    @property
    def fitting(self) -> float | None:
        """When the critic's own fit began, seconds of time.perf_counter; None where it has none."""
        return None if self._watch is None else self._watch.fitting

    def broken_off(self) -> dict[str, Any]:
        """What is known of an update that raised."""
        if self._watch is not None:
            self._watch.stop()
            self.row |= self._watch.gradient_columns()
        return self.row

    def learnt(self, iteration: int) -> dict[str, Any]:
        """The whole row, after the update."""
        row, model = self.broken_off(), self._model
        recorded = model.logger.name_to_value
        row |= {n: float(recorded[f"train/{n}"]) for n in _RECORDED if f"train/{n}" in recorded}
        if not self._actor:
            return row
        theta, shape = sb3_policy.flat(self._actor.values()), self._rollout.reward.shape
        if iteration % REGRESSED == 1:
            row["reward_r2"] = self._rollout.reward_r2()
        row["parameter_delta_norm"] = float((theta - self._theta).norm())
        if not math.isfinite(row["parameter_delta_norm"]):
            return row  # such a policy has no distribution to measure
        model.policy.set_training_mode(False)  # as it was when it sampled
        success = self._watch is not None and bool(recorded["train/is_line_search_success"])
        stepped = theta if self._watch is None else self._watch.stepped(success)
        with sb3_policy.standing_at(self._actor, stepped):
            new = sb3_policy.frozen(model.policy.get_distribution(self._observations))
        with torch.no_grad():
            values = model.policy.predict_values(self._observations).cpu().double().numpy()
        stored = torch.as_tensor(self._rollout.log_probs.reshape(-1))
        row |= sb3_policy.change_columns(self._old, new, self._actions, stored, self._advantages)
        row |= self._critic_columns(values.reshape(shape))
        if self._watch is not None:
            row |= self._watch.search_columns(success, row.get("expected_improvement"), theta)
        if _shows_a_stretch(iteration, row):
            log_prob = sb3_policy.log_prob(new, self._actions).numpy()
            row |= self._rollout.window(log_prob.reshape(shape))
        return row

    def _critic_columns(self, values: Any) -> dict[str, Any]:
        """The critic after the fit, on this batch's targets; `values`: (steps, environments)."""
        targets = self._rollout.returns
        moved = sb3_policy.flat(self._critic.values()) - self._phi
        return {
            "explained_variance_after": explained_variance(targets, values),
            "value_loss_after": float(np.mean((targets - values) ** 2)),
            "value_parameter_delta_norm": float(moved.norm()),
        }


def _tensor(observations: Any, device: Any) -> Any:
    """(steps, environments, …) as (batch, …), also of a dictionary of them."""
    if isinstance(observations, dict):
        return {name: _tensor(each, device) for name, each in observations.items()}
    return torch.as_tensor(observations.reshape(-1, *observations.shape[2:]), device=device)


def _settings(model: Any) -> dict[str, Any]:
    """The hyperparameters in force."""
    rate = model.policy.optimizer.param_groups[0]["lr"]
    epochs = getattr(model, "n_critic_updates", getattr(model, "n_epochs", 1))
    row = {"gamma": model.gamma, "lam": model.gae_lambda, "vf_iters": epochs, "vf_lr": rate}
    return row | {"cg_iters": getattr(model, "cg_max_steps", None)}


def _shows_a_stretch(iteration: int, row: dict[str, Any]) -> bool:
    """Whether the row has a window: early, now and then, and where something went wrong."""
    if iteration <= 10 or iteration % 25 == 0 or row.get("update_outcome") == "rejected":
        return True
    return any(isinstance(v, float) and not math.isfinite(v) for v in row.values())

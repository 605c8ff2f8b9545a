"""One rollout of a Stable-Baselines3 trainer, step by step, and what its buffer holds at the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize, is_vecenv_wrapped

from runlog.regression import halves, held_out_r2
from runlog.sb3_policy import measurable

LISTED = 64
"""Episodes a row lists one by one, the latest."""
STRETCH = 64
"""Steps of the stretch that a row may show step by step."""
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode that has ended: return in the environment's units, steps."""

    total: float
    length: float
    terminated: bool


class Collector:
    """Notes what the buffer does not keep: rewards as the environment paid them, ends of episodes."""

    def __init__(self, model: Any) -> None:
        env = model.get_env()
        self._normalizer: VecNormalize | None = model.get_vec_normalize_env()
        self._monitored = (
            is_vecenv_wrapped(env, VecMonitor) or env.env_is_wrapped(Monitor, indices=[0])[0]
        )
        self._totals, self._lengths = np.zeros(env.num_envs), np.zeros(env.num_envs)
        self._episodes: list[Episode] = []  # since the last rollout that was finished here
        self.start()

    def start(self) -> None:
        """A rollout begins."""
        self._rewards: list[NDArray[Any]] = []
        self._paid: list[NDArray[Any]] = []
        self._raw: list[NDArray[Any]] = []
        self._ends: dict[tuple[int, int], tuple[Any, bool]] = {}
        self._moments = self._mean_and_std()
        self._see()

    def step(self, rewards: NDArray[Any], dones: NDArray[Any], infos: list[dict[str, Any]]) -> None:
        """A step of every environment is done."""
        # The trainer adds a bootstrap term to this very array afterwards.
        self._rewards.append(rewards.copy())
        paid = rewards if self._normalizer is None else self._normalizer.get_original_reward()
        self._paid.append(paid.copy())
        self._totals += self._paid[-1]
        self._lengths += 1
        if dones.any():
            for env in np.flatnonzero(dones):
                self._end(int(env), infos[env])
        self._see()

    def _see(self) -> None:
        """Keep the observations that the next step starts from, as the environment gives them."""
        if self._normalizer is not None and self._normalizer.norm_obs:
            raw = self._normalizer.get_original_obs()
            if isinstance(raw, np.ndarray):
                self._raw.append(raw)

    def _end(self, env: int, info: Mapping[str, Any]) -> None:
        truncated = bool(info.get("TimeLimit.truncated", False))
        self._ends[len(self._rewards) - 1, env] = (info.get("terminal_observation"), truncated)
        total, length = float(self._totals[env]), float(self._lengths[env])
        self._totals[env] = self._lengths[env] = 0.0
        if self._monitored:
            told = info.get("episode")
            if told is None:  # the end of a life, say, and not of the episode
                return
            total, length = float(told["r"]), float(told["l"])
        self._episodes.append(Episode(total, length, not truncated))

    def finish(self, model: Any, last_values: Any) -> "Rollout":
        """The rollout is complete; `last_values`: (environments, 1), V of where it stopped."""
        buffer = model.rollout_buffer
        reward = np.stack(self._rewards).astype(np.float64)
        values = buffer.values.astype(np.float64)
        following = np.concatenate([values[1:], last_values.cpu().numpy().reshape(1, -1)])
        terminated = np.zeros(reward.shape, dtype=bool)
        truncated = np.zeros(reward.shape, dtype=bool)
        for place, (_, cut) in self._ends.items():
            (truncated if cut else terminated)[place] = True
        env, start = _stretch(terminated, truncated)
        for (step, world), (observation, _) in self._ends.items():
            inside = world == env and start <= step < start + STRETCH
            if inside and observation is not None and measurable(model.policy):
                final = model.policy.obs_to_tensor(observation)[0]
                following[step, world] = model.policy.predict_values(final).item()
        raw = np.stack(self._raw[:-1]) if self._raw else buffer.observations
        episodes, self._episodes = tuple(self._episodes), []
        return Rollout(
            reward=np.stack(self._paid).astype(np.float64),
            trained=reward,
            values=values,
            following=following,
            returns=buffer.returns.astype(np.float64),
            advantages=buffer.advantages.astype(np.float64),
            log_probs=buffer.log_probs.astype(np.float64),
            terminated=terminated,
            truncated=truncated,
            episodes=episodes,
            raw=raw if isinstance(raw, np.ndarray) else None,
            observations=buffer.observations,
            actions=buffer.actions,
            place=(env, start),
            normalizer=self._normalizer,
            shift=self._shift(),
        )

    def _mean_and_std(self) -> tuple[Array, Array] | None:
        normalizer = self._normalizer
        if normalizer is None or not normalizer.norm_obs:
            return None
        moments = normalizer.obs_rms
        if isinstance(moments, dict):
            return None
        return moments.mean.copy(), np.sqrt(moments.var + normalizer.epsilon)

    def _shift(self) -> float | None:
        now = self._mean_and_std()
        if now is None or self._moments is None:
            return None
        mean, std = self._moments
        return float(np.max(np.abs(now[0] - mean) / std))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A batch, (steps, environments) each; `following`: V of the next, or of the final observation."""

    reward: Array
    trained: Array
    values: Array
    following: Array
    returns: Array
    advantages: Array
    log_probs: Array
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    episodes: tuple[Episode, ...]
    raw: NDArray[Any] | None
    observations: Any
    actions: NDArray[Any]
    place: tuple[int, int]
    normalizer: VecNormalize | None
    shift: float | None

    def columns(self, low: NDArray[Any] | None, high: NDArray[Any] | None) -> dict[str, Any]:
        """The columns of the batch; `low`, `high`: bounds of Box actions that are not squashed."""
        row = {
            "batch_size": self.reward.size,
            **_spread("reward", self.reward),
            **_spread("reward_train", self.trained),
            **_spread("return", self.returns),
            **_spread("value", self.values),
            **_spread("advantage_raw", self.advantages),
            "explained_variance": explained_variance(self.returns, self.values),
            "value_loss": float(np.mean((self.returns - self.values) ** 2)),
            "action_log_prob_mean": float(self.log_probs.mean()),
            "observation_shift": self.shift,
            **self._episode_columns(),
            **self._observation_columns(),
            **self._scale_columns(),
        }
        if low is not None and high is not None:
            outside = (self.actions < low) | (self.actions > high)
            row["action_clip_fraction"] = float(outside.mean())
        return row

    def _episode_columns(self) -> dict[str, Any]:
        totals = np.array([e.total for e in self.episodes])
        lengths = np.array([e.length for e in self.episodes])
        terminated = sum(e.terminated for e in self.episodes)
        row: dict[str, Any] = {
            "episodes_terminated": terminated,
            "episodes_truncated": len(self.episodes) - terminated,
            "episode_returns": totals[-LISTED:].tolist(),
            "episode_lengths": lengths[-LISTED:].tolist(),
        }
        if not self.episodes:
            return row
        row |= _spread("episode_return", totals)
        row["episode_length_mean"] = float(lengths.mean())
        row["episode_length_median"] = float(np.median(lengths))
        return row

    def _observation_columns(self) -> dict[str, Any]:
        if self.raw is None or self.raw.dtype == np.uint8:  # pictures, dictionaries
            return {}
        raw = self.raw.reshape(self.reward.size, -1).astype(np.float64)
        spread, largest = raw.std(axis=0), np.abs(raw).max(axis=0)
        dead = spread <= 32 * np.finfo(np.float64).eps * largest
        row: dict[str, Any] = {
            "observation_std_min": float(spread.min()),
            "observation_std_max": float(spread.max()),
            "observation_abs_max": float(largest.max()),
            "observation_dead_dimensions": int(dead.sum()),
        }
        if self.normalizer is not None and self.normalizer.norm_obs:
            clipped = np.abs(self.observations) >= self.normalizer.clip_obs
            row["observation_clip_fraction"] = float(clipped.mean())
        return row

    def _scale_columns(self) -> dict[str, Any]:
        if self.normalizer is None or not self.normalizer.norm_reward:
            return {"reward_scale": 1.0, "reward_clip_fraction": 0.0}
        clipped = np.abs(self.trained) >= self.normalizer.clip_reward
        scale = np.sqrt(self.normalizer.ret_rms.var + self.normalizer.epsilon)
        return {"reward_scale": float(scale), "reward_clip_fraction": float(clipped.mean())}

    def reward_r2(self) -> float | None:
        """How much of the reward, as paid, the observations and actions of other trajectories tell;
        None where they are pictures, dictionaries or choices."""
        if self.raw is None or self.raw.dtype == np.uint8 or self.actions.dtype.kind != "f":
            return None
        steps = self.reward.size
        inputs = np.concatenate(
            [self.raw.reshape(steps, -1), self.actions.reshape(steps, -1)], axis=1
        )
        test = halves(self.terminated | self.truncated).reshape(-1)
        return held_out_r2(inputs.astype(np.float64), self.reward.reshape(-1), test)

    def window(self, log_prob_new: Array) -> dict[str, Any]:
        """The stretch, step by step; `log_prob_new`: (steps, environments), after the update."""
        env, start = self.place
        lists = {
            "reward": self.trained,
            "value": self.values,
            "next_value": self.following,
            "advantage": self.advantages,
            "log_prob_old": self.log_probs,
            "log_prob_new": log_prob_new,
            "terminated": self.terminated,
            "truncated": self.truncated,
        }
        row: dict[str, Any] = {
            f"window_{name}": values[start : start + STRETCH, env].astype(float).tolist()
            for name, values in lists.items()
        }
        return row | {"window_environment": env, "window_start": start}


def explained_variance(targets: Array, values: Array) -> float | None:
    """1 − Var(target − V)/Var(target); None where the targets are constant."""
    variance = float(targets.var())
    return None if variance == 0.0 else 1.0 - float((targets - values).var()) / variance


def _spread(name: str, values: Array) -> dict[str, float]:
    of = {"mean": values.mean(), "std": values.std(), "min": values.min(), "max": values.max()}
    return {f"{name}_{statistic}": float(value) for statistic, value in of.items()}


def _stretch(terminated: NDArray[np.bool_], truncated: NDArray[np.bool_]) -> tuple[int, int]:
    """Environment and first step: a stretch with both kinds of end before its last step, if any."""
    steps, _ = terminated.shape
    length = min(STRETCH, steps)
    best = np.zeros((steps - length + 1, terminated.shape[1]), dtype=int)
    for flags in (terminated, truncated):
        before = np.concatenate([np.zeros_like(flags[:1], dtype=int), np.cumsum(flags, axis=0)])
        best += before[length - 1 : steps] > before[: steps - length + 1]
    start, env = np.unravel_index(int(np.argmax(best)), best.shape)
    return int(env), int(start)

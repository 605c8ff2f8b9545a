"""The stretch of one trajectory that a row shows step by step."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.advantages import Advantages, Values
from agent.columns import WindowColumns
from agent.envs.batch import Array
from agent.sampling import Rollout

LENGTH = 64


def place(terminated: NDArray[np.bool_], truncated: NDArray[np.bool_]) -> tuple[int, int]:
    """World and first step of the stretch: one with a terminated and a truncated step if there is
    one, else with either; the earliest of equals. The stretch's last step does not count, because
    its advantage cannot be checked against the next one."""
    steps, worlds = terminated.shape
    length = min(LENGTH, steps)
    starts = steps - length + 1

    def holds(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        before = np.concatenate([np.zeros((1, worlds), dtype=int), np.cumsum(flags, axis=0)])
        held: NDArray[np.bool_] = before[length - 1 : length - 1 + starts] > before[:starts]
        return held

    score = holds(terminated).astype(int) + holds(truncated)
    start, world = np.unravel_index(int(np.argmax(score)), score.shape)
    return int(world), int(start)


def wanted(iteration: int, outcome: str, values: dict[str, Any]) -> bool:
    """Iterations 1–10, every 25th, a skipped or failed update, anything not finite."""
    if iteration <= 10 or iteration % 25 == 0 or outcome != "accepted":
        return True
    return any(isinstance(v, float) and not math.isfinite(v) for v in values.values())


def window_columns(
    rollout: Rollout,
    reward: Array,
    values: Values,
    advantages: Advantages,
    old: Array,
    new: Array,
) -> WindowColumns:
    """`reward` (T, worlds): in training units. `values`: of the critic that existed when the batch was
    sampled. `old`, `new` (T, worlds): log-probabilities when sampled and after the step."""
    world, start = place(rollout.terminated, rollout.truncated)
    stretch = (slice(start, start + LENGTH), world)
    return WindowColumns(
        window_reward=reward[stretch].tolist(),
        window_value=values.now[stretch].tolist(),
        window_next_value=values.next[stretch].tolist(),
        window_advantage=advantages.raw[stretch].tolist(),
        window_log_prob_old=old[stretch].tolist(),
        window_log_prob_new=new[stretch].tolist(),
        window_terminated=rollout.terminated[stretch].astype(float).tolist(),
        window_truncated=rollout.truncated[stretch].astype(float).tolist(),
        window_environment=world,
        window_start=start,
    )

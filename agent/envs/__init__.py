"""Worlds to sample from, many at a time. Importing this registers DPEnv with Gymnasium."""

from gymnasium.envs.registration import register

register(
    id="DPEnv-v0",
    entry_point="agent.envs.dp_env:DPEnv",
    max_episode_steps=600,
    reward_threshold=5400.0,  # nine tenths of what the reference itself is paid
)

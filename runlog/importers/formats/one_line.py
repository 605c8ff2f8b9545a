"""Trainers that print one line an update: ikostrikov's a2c-ppo, ML-Agents, coach."""

from runlog.importers.formats.format import Format

A2C_PPO = Format(
    name="a2c-ppo",
    header="Updates {iteration}, num timesteps {timesteps}",
    lines=(
        "mean/median reward {episode_return_mean}/{_}",
        "min/max reward {episode_return_min}/{episode_return_max}",
        "entropy {entropy}",
        "value loss {value_loss_after}",
        "policy loss {policy_loss}",
    ),
    own=frozenset(("mean/median reward",)),
    assumptions=("Losses and entropy are means over the update's minibatches.",),
)

ML_AGENTS = Format(
    name="ml-agents",
    lines=(
        "Step: {timesteps}",
        "Mean Reward: {episode_return_mean}",
        "Std of Reward: {episode_return_std}",
    ),
    own=frozenset(("std of reward",)),
    silent=frozenset(("time elapsed", "elo")),
    assumptions=("A row is a summary of the log, which need not hold one update.",),
)

COACH = Format(
    name="coach",
    lines=(
        "Policy training - Surrogate loss: {policy_loss} KL divergence: {kl} Entropy: {entropy}",
    ),
    own=frozenset(("policy training - surrogate loss",)),
    silent=frozenset(
        (
            "main_level/agent worker",
            "episode",
            "total reward",
            "exploration",
            "steps",
            "training iteration",
            "training epoch",
            "learning_rate",
        )
    ),
    assumptions=("A row is one epoch of an update, which has several.",),
)

"""Training: the agent's one mutable object. Iterate it for the rows of a run log."""

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agent import reward_normaliser, stored_worlds
from agent.clock import Clock
from agent.columns import columns_of
from agent.config import Config
from agent.critics import ModuleCritic, TanhCritic, only_the_critics
from agent.device import require_device
from agent.envs.batch import Batch
from agent.learning import learn
from agent.metadata import conventions, facts_metadata
from agent.networks import GaussianMLP, Policy
from agent.normaliser import Normaliser, empty
from agent.parts import Parts
from agent.reward_normaliser import TrainingReward
from agent.row import row_of
from agent.sampling import Rollout, Running, sample, start
from agent.snapshot import FORMAT, live, plain
from agent.threads import use_threads
from agent.value import Critic
from runlog.errors import UserError

NOISE = 1
"""Stream of random numbers for the actions. Every stream is a function of seed, iteration and
stream alone, so a resumed run draws what the uninterrupted one would have drawn."""


class Training:
    """A TRPO training. Each iteration samples a batch, learns from it and yields one row.

    `config`, `parts` and `batch` may be replaced between two iterations; they are what is in force.
    """

    def __init__(
        self,
        batch: Batch,
        module: nn.Module,
        config: Config,
        parts: Parts | None = None,
        critic: nn.Module | None = None,
    ) -> None:
        use_threads(config.threads)
        require_device(config.device)
        self.batch = batch
        self.config = config
        self.parts = parts or Parts()
        # Without dropout and the like: one θ is to be one policy, whoever asks and however often.
        dim, module = batch.facts.observation_dim, module.to(config.device).eval()
        self.critic: Critic
        if critic is None:
            generator = torch.Generator().manual_seed(config.seed)
            hidden = config.vf_hidden or config.hidden
            self.critic = TanhCritic(dim, hidden, generator, config.device)
            self.policy = Policy(module, batch.facts.action_dim)
        else:
            self.critic = ModuleCritic(critic.to(config.device).eval())
            without = only_the_critics(module, critic, dim)
            self.policy = Policy(module, batch.facts.action_dim, without)
        if not self.policy.names:
            raise UserError("the policy has no parameter that requires a gradient")
        self.normaliser = (
            empty(batch.facts.observation_dim) if config.normalise_observations else None
        )
        self.reward_normaliser = (
            reward_normaliser.empty(batch.worlds) if config.normalise_rewards else None
        )
        self.conventions = conventions(config)
        self.memory: dict[str, Tensor] = {}
        """What replaced parts keep from one iteration to the next; snapshots hold it."""
        self.iteration = 0
        self.timesteps = 0
        self.episodes = 0
        self._running: Running | None = None
        self._changes: list[tuple[int, Callable[[Training], None]]] = []
        self._interrupted = False
        self._torn = False
        self._clock = Clock()
        self._steps = -(-config.steps_per_iteration // batch.worlds)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """The training a configuration describes: its environment, a tanh policy, a critic."""
        from agent.envs.gym import make_batch

        batch = make_batch(config.env, config.environments, config.env_args)
        # The first parameters come from a QR decomposition: its last bits depend on the threads.
        use_threads(config.threads)
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            module = GaussianMLP(
                batch.facts.observation_dim, batch.facts.action_dim, config.hidden, config.log_std
            )
            module.log_std.requires_grad_(config.learn_std)
        return cls(batch, module, config)

    def at(self, iteration: int, change: "Callable[[Training], None]") -> None:
        """Call `change(training)` just before that iteration (at once, if it is next or past)."""
        if iteration <= self.iteration + 1:
            change(self)
        else:
            self._changes.append((iteration, change))

    def begin_anew(self) -> None:
        """Start an episode in every world before the next iteration: those of `batch` are others."""
        self._running = None

    def interrupt(self) -> None:
        """Make an iteration that is still sampling end with Interrupted; a later phase finishes."""
        self._interrupted = True

    @property
    def metadata(self) -> dict[str, Any]:
        """What RunLog is told about the run: RunLog(path, **training.metadata)."""
        return {
            **facts_metadata(self.batch.facts),
            **self.conventions,
            "seed": self.config.seed,
            "algorithm": "trpo",
            "config": self.config.as_dict(),
            "dtype": str(self.policy.dtype).removeprefix("torch."),
            "environments": self.batch.worlds,
            "steps_per_iteration": self._steps * self.batch.worlds,
            "parameter_names": list(self.policy.names),
        }

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self

    def __next__(self) -> dict[str, Any]:
        """Run one iteration and return its row. Raises Interrupted if asked to stop meanwhile.

        UserError when the iteration before ended in the middle of its batch.
        """
        if self._torn:
            raise UserError(
                "sampling was cut off in the middle of a batch; restore a snapshot to go on"
                " (restore(snapshot()) keeps what was learnt and starts new episodes)"
            )
        if self.iteration >= self.config.iterations:
            raise StopIteration
        for change in [c for c in self._changes if c[0] <= self.iteration + 1]:
            self._changes.remove(change)
            change[1](self)
        self._clock.start()
        if self._running is None:
            self._begin()
        self._clock.sampling()
        rollout = self._sample(self.iteration + 1, self._steps)
        self._clock.sampled()
        self.iteration += 1
        self.timesteps += rollout.reward.size
        self.episodes += len(rollout.episodes)
        lesson = learn(
            self.parts,
            self.policy,
            self.critic,
            self.normaliser,
            rollout,
            TrainingReward(values=rollout.reward)
            if self.reward_normaliser is None
            else self.reward_normaliser(rollout.reward),
            self.config,
            self.iteration,
        )
        self._clock.learnt()
        sampled_with = self.normaliser
        self._observe(rollout)
        row = row_of(
            lesson,
            self.policy,
            sampled_with,
            self.normaliser,
            self.batch.facts,
            self.config,
            iteration=self.iteration,
            timesteps=self.timesteps,
            episodes=self.episodes,
        )
        return row | dict(columns_of(self._clock.columns(lesson)))

    def _begin(self) -> None:
        """Start every world; before the first iteration, let the normalisers see some steps."""
        first = self.iteration == 0
        seed = self.config.seed if first else self.config.seed + 1_000_003 * self.iteration
        self._running = start(self.batch.reset(seed))
        steps = -(-self.config.warm_up_steps // self.batch.worlds)
        if self.reward_normaliser is not None:
            self.reward_normaliser = self.reward_normaliser.begun(self.batch.worlds)
        normalising = self.normaliser is not None or self.reward_normaliser is not None
        if first and normalising and steps:
            rollout = self._sample(0, steps)
            self.timesteps += rollout.reward.size
            self.episodes += len(rollout.episodes)
            self._observe(rollout)

    def _observe(self, rollout: Rollout) -> None:
        """Let the normalisers see a batch, once it has been learnt from."""
        if self.normaliser is not None:
            self.normaliser = self.normaliser.updated(_rows(rollout))
        if self.reward_normaliser is not None:
            before = self.reward_normaliser
            self.reward_normaliser = before.updated(
                rollout.reward, rollout.ended, self.config.gamma
            )
            if (
                self.iteration
            ):  # before, V is of nothing yet, and may begin in the unit it will have
                self.critic.rescale(before.scale / self.reward_normaliser.scale)

    def _sample(self, iteration: int, steps: int) -> Rollout:
        generator = np.random.default_rng([self.config.seed, iteration, NOISE])
        shape = (steps, self.batch.worlds, self.batch.facts.action_dim)
        noise = generator.standard_normal(shape, dtype=np.float32)
        assert self._running is not None  # noqa: S101 set by _begin
        running, self._running = self._running, None
        self._torn = True
        rollout, self._running = sample(
            self.batch,
            running,
            self.policy.actor(),
            self.normaliser,
            noise,
            self.parts.sample_action,
            lambda: self._interrupted,
        )
        self._torn = False
        return rollout

    def snapshot(self) -> dict[str, Any]:
        """Everything the next iteration depends on: tensors, numbers and text, none shared with it.

        UserError where an environment hands over something else as its state.
        """
        module, rewards = self.policy.module, self.reward_normaliser
        return {
            "format": FORMAT,
            "iteration": self.iteration,
            "timesteps": self.timesteps,
            "episodes": self.episodes,
            "policy": {name: value.clone() for name, value in module.state_dict().items()},
            "critic": self.critic.snapshot(),
            "normaliser": plain(self.normaliser, "normaliser"),
            "reward_normaliser": None if rewards is None else rewards.snapshot(),
            "memory": {name: value.clone() for name, value in self.memory.items()},
            "environments": stored_worlds.store(self.batch, self._running),
        }

    def restore(self, snapshot: dict[str, Any]) -> str | None:
        """Continue from a snapshot, bit for bit as the training it was taken of would have.

        Returns why every world starts a new episode all the same, None if none has to. What `at` has
        put in already stays in force. UserError where the snapshot is of another network, batch or
        format.
        """
        if snapshot["format"] > FORMAT:
            raise UserError(
                f"the checkpoint has format {snapshot['format']}, this version knows {FORMAT}:"
                " upgrade trpo-tui to resume from it"
            )
        try:
            self.policy.module.load_state_dict(snapshot["policy"])
            self.critic.restore(snapshot["critic"])
        except (RuntimeError, LookupError) as error:
            raise UserError(
                "the checkpoint holds another network: resume with the settings it was made with"
            ) from error
        self.iteration = int(snapshot["iteration"])
        self.timesteps = int(snapshot["timesteps"])
        self.episodes = int(snapshot["episodes"])
        moments = snapshot["normaliser"]
        self.normaliser = None if moments is None else Normaliser(**live(moments))
        rewards = snapshot.get("reward_normaliser")
        self.reward_normaliser = None if rewards is None else reward_normaliser.restored(rewards)
        self.memory = dict(snapshot.get("memory", {}))
        self._running = None
        self._interrupted = self._torn = False
        self._clock = Clock()
        worlds = snapshot.get("environments")
        if self.iteration == 0 and worlds is None:
            return None  # they had not been started
        found = stored_worlds.restore(self.batch, worlds)
        if isinstance(found, str):
            return found
        self._running = found
        return None


def _rows(rollout: Rollout) -> NDArray[np.float64]:
    return rollout.raw.reshape(-1, rollout.raw.shape[-1])

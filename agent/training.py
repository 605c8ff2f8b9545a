"""Training: the agent's one mutable object. Iterate it for the rows of a run log."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from agent import gaussian
from agent.advantages import Advantages, Values, estimate, evaluate
from agent.batch_statistics import sampled_distribution, sampling_columns
from agent.columns import EndColumns, ValueColumns, WindowColumns, columns_of
from agent.config import Config
from agent.envs.batch import Batch
from agent.gradient_noise import halves
from agent.metadata import conventions, facts_metadata
from agent.networks import GaussianMLP, Policy
from agent.normaliser import Normaliser, empty
from agent.process import memory_mb, processor_seconds
from agent.sampling import Interrupted, Rollout, Running, normalised, sample, start
from agent.trpo import Experience, Learned, Parts, Phases, Step, update_policy
from agent.value import Critic, CriticFit, explained_variance
from agent.window import wanted, window_columns
from runlog.errors import UserError

NOISE, SHUFFLE = 1, 2
"""Streams of random numbers: each is a function of seed, iteration and stream alone, so a resumed
run draws what the uninterrupted one would have drawn."""


class Training:
    """A TRPO training. Each iteration samples a batch, learns from it and yields one row.

    `config`, `parts` and `batch` may be replaced between two iterations; they are what is in force.
    """

    def __init__(
        self, batch: Batch, module: nn.Module, config: Config, parts: Parts | None = None
    ) -> None:
        torch.set_num_threads(config.threads)
        self.batch = batch
        self.config = config
        self.parts = parts or Parts()
        self.policy = Policy(module.to(config.device))
        if not self.policy.names:
            raise UserError("the policy has no parameter that requires a gradient")
        self.critic = Critic(
            batch.facts.observation_dim,
            config.hidden,
            torch.Generator().manual_seed(config.seed),
            config.device,
        )
        self.normaliser = (
            empty(batch.facts.observation_dim) if config.normalise_observations else None
        )
        self.conventions = conventions(config)
        self.iteration = 0
        self.timesteps = 0
        self.episodes = 0
        self._running: Running | None = None
        self._changes: list[tuple[int, Callable[[Training], None]]] = []
        self._interrupted = False
        self._logging_since: float | None = None
        self._steps = -(-config.steps_per_iteration // batch.worlds)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """The training a configuration describes: its environment, a tanh policy, a critic."""
        from agent.envs.gym import make_batch

        batch = make_batch(config.env, config.environments, config.env_args)
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            module = GaussianMLP(
                batch.facts.observation_dim, batch.facts.action_dim, config.hidden, config.log_std
            )
        return cls(batch, module, config)

    def at(self, iteration: int, change: "Callable[[Training], None]") -> None:
        """Call `change(training)` just before that iteration (at once, if it is next or past)."""
        if iteration <= self.iteration + 1:
            change(self)
        else:
            self._changes.append((iteration, change))

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
        """Run one iteration and return its row. Raises Interrupted if asked to stop meanwhile."""
        if self.iteration >= self.config.iterations:
            raise StopIteration
        for change in [c for c in self._changes if c[0] <= self.iteration + 1]:
            self._changes.remove(change)
            change[1](self)
        begun, processor = time.perf_counter(), processor_seconds()
        logging = None if self._logging_since is None else begun - self._logging_since
        if self._running is None:
            self._begin()
        sampling = time.perf_counter()
        rollout = self._sample(self.iteration + 1, self._steps)
        seconds = {"sampling": time.perf_counter() - sampling}
        self.iteration += 1
        self.timesteps += rollout.reward.size
        self.episodes += len(rollout.episodes)
        experience = self._experience(rollout)
        values, learned, learning = self._learn(rollout, experience)
        seconds |= learning
        learnt = time.perf_counter()
        row = self._row(rollout, experience, values, learned)
        self._logging_since = learnt
        wall = time.perf_counter() - begun + (logging or 0.0)
        elapsed = time.perf_counter() - begun
        clocks = {
            "time": time.time(),
            **{f"seconds_{phase}": spent for phase, spent in seconds.items()},
            "seconds_logging": logging,
            "steps_per_second": rollout.reward.size / wall,
            "cpu_percent": 100 * (processor_seconds() - processor) / elapsed,
            "memory_mb": memory_mb(),
        }
        return row | clocks

    def _begin(self) -> None:
        """Start every world; before the first iteration, let the normaliser see some observations."""
        first = self.iteration == 0
        seed = self.config.seed if first else self.config.seed + 1_000_003 * self.iteration
        self._running = start(self.batch.reset(seed))
        steps = -(-self.config.warm_up_steps // self.batch.worlds)
        if first and self.normaliser is not None and steps:
            rollout = self._sample(0, steps)
            self.timesteps += rollout.reward.size
            self.episodes += len(rollout.episodes)
            self.normaliser = self.normaliser.updated(_rows(rollout))

    def _sample(self, iteration: int, steps: int) -> Rollout:
        generator = np.random.default_rng([self.config.seed, iteration, NOISE])
        shape = (steps, self.batch.worlds, self.batch.facts.action_dim)
        noise = generator.standard_normal(shape, dtype=np.float32)
        assert self._running is not None  # noqa: S101 set by _begin
        running, self._running = self._running, None
        rollout, self._running = sample(
            self.batch,
            running,
            self.policy,
            self.normaliser,
            noise,
            self.parts.sample_action,
            lambda: self._interrupted,
        )
        return rollout

    def _experience(self, rollout: Rollout) -> Experience:
        device, dtype = self.policy.device, self.policy.dtype
        action = torch.from_numpy(rollout.action.reshape(-1, rollout.action.shape[-1]))
        observation = torch.from_numpy(
            rollout.observation.reshape(-1, rollout.observation.shape[-1])
        )
        log_prob = gaussian.log_prob(sampled_distribution(rollout), action.double())
        return Experience(
            observation=observation.to(device, dtype),
            action=action.to(device, dtype),
            log_prob=log_prob.to(device),
            half=torch.from_numpy(halves(rollout.ended).reshape(-1)).to(device),
        )

    def _learn(
        self, rollout: Rollout, experience: Experience
    ) -> tuple[Values, Learned, dict[str, float]]:
        """Run the phases in the order of `parts`; the values are the sampling critic's."""
        config, seconds = self.config, {"advantage": 0.0, "policy": 0.0, "value": 0.0}
        begun = time.perf_counter()
        sampling_values = evaluate(self.critic, rollout, self.normaliser)
        seconds["advantage"] += time.perf_counter() - begun
        untouched = True

        def advantages() -> Advantages:
            begun = time.perf_counter()
            values = (
                sampling_values if untouched else evaluate(self.critic, rollout, self.normaliser)
            )
            found = estimate(
                self.parts.advantages,
                rollout,
                values,
                gamma=config.gamma,
                lam=config.lam,
                eps=torch.finfo(self.policy.dtype).eps,
            )
            seconds["advantage"] += time.perf_counter() - begun
            return found

        def policy(advantages: Advantages) -> Step:
            begun = time.perf_counter()
            step = update_policy(
                self.parts, self.policy, experience, advantages, config, self.iteration
            )
            seconds["policy"] += time.perf_counter() - begun
            return step

        def critic(advantages: Advantages) -> CriticFit:
            nonlocal untouched
            begun = time.perf_counter()
            fit = self.parts.fit_critic(
                self.critic,
                rollout.observation,
                advantages.targets,
                config.vf_iters,
                config.vf_batch,
                config.vf_lr,
                np.random.default_rng([config.seed, self.iteration, SHUFFLE]),
            )
            untouched = False
            seconds["value"] += time.perf_counter() - begun
            return fit

        phases = Phases(advantages=advantages, policy=policy, critic=critic)
        return sampling_values, self.parts.order(phases), seconds

    def _row(
        self, rollout: Rollout, experience: Experience, values: Values, learned: Learned
    ) -> dict[str, Any]:
        step, advantages, config = learned.step, learned.advantages, self.config
        old_normaliser, normaliser = self.normaliser, self.normaliser
        if old_normaliser is not None:
            self.normaliser = normaliser = old_normaliser.updated(_rows(rollout))
        accepted = self.policy.exactly(step.theta, experience.observation)
        theta = self.policy.theta()
        next_inputs = torch.from_numpy(normalised(_rows(rollout), normaliser))
        next_policy = self.policy.exactly(theta, next_inputs.to(self.policy.device))
        started = self.policy.exactly(step.theta_before, experience.observation)
        residual = advantages.targets - values.now
        row = dict(
            columns_of(
                sampling_columns(
                    rollout, self.policy, started, experience, self.batch.facts, self.iteration
                ),
                ValueColumns(
                    value_mean=float(values.now.mean()),
                    value_std=float(values.now.std()),
                    value_min=float(values.now.min()),
                    value_max=float(values.now.max()),
                    explained_variance=explained_variance(advantages.targets, residual),
                    value_loss=float(np.mean(residual**2)),
                ),
                advantages,
                step.gradient,
                step.direction,
                step.search,
                step.change,
                learned.fit,
            )
        )
        row |= {
            "iteration": self.iteration,
            "timesteps": self.timesteps,
            "episodes": self.episodes,
            "updates": 1,
            "parameter_delta_norm": float((theta.double() - step.theta_before.double()).norm()),
            "kl_drift": float(gaussian.kl(accepted, next_policy).mean()),
            "observation_shift": (
                None
                if old_normaliser is None or normaliser is None
                else normaliser.shift_from(old_normaliser)
            ),
            "max_kl": config.max_kl,
            "damping": config.damping,
            "gamma": config.gamma,
            "lam": config.lam,
            "cg_iters": config.cg_iters,
            "vf_iters": config.vf_iters,
            "vf_lr": config.vf_lr,
        }
        window = WindowColumns()
        if wanted(self.iteration, step.change.update_outcome, row):
            shape = rollout.reward.shape
            old, new = experience.log_prob.cpu().numpy(), step.log_prob.cpu().numpy()
            window = window_columns(
                rollout, values, advantages, old.reshape(shape), new.reshape(shape)
            )
        row |= dict(columns_of(window))
        return row | {f"reward_term_{name}": mean for name, mean in rollout.reward_terms.items()}

    def snapshot(self) -> dict[str, Any]:
        """Everything the next iteration depends on, but the environments: tensors, numbers, text."""
        normaliser = self.normaliser
        return {
            "format": 1,
            "iteration": self.iteration,
            "timesteps": self.timesteps,
            "episodes": self.episodes,
            "policy": {
                name: value.clone() for name, value in self.policy.module.state_dict().items()
            },
            "critic": self.critic.snapshot(),
            "normaliser": None
            if normaliser is None
            else {
                "count": normaliser.count,
                "mean": torch.from_numpy(normaliser.mean.copy()),
                "variance": torch.from_numpy(normaliser.variance.copy()),
            },
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot; every world starts a new episode."""
        self.iteration = int(snapshot["iteration"])
        self.timesteps = int(snapshot["timesteps"])
        self.episodes = int(snapshot["episodes"])
        try:
            self.policy.module.load_state_dict(snapshot["policy"])
            self.critic.restore(snapshot["critic"])
        except RuntimeError as error:
            raise UserError(
                "the checkpoint holds another network: resume with the settings it was made with"
            ) from error
        stored = snapshot["normaliser"]
        if stored is not None:
            self.normaliser = Normaliser(
                count=float(stored["count"]),
                mean=stored["mean"].numpy(),
                variance=stored["variance"].numpy(),
            )
        self._running = None
        self._interrupted = False
        self._logging_since = None


def _rows(rollout: Rollout) -> Any:
    return rollout.raw.reshape(-1, rollout.raw.shape[-1])


def TRPOAgent(  # noqa: N802 the name users of the guide know
    env: Any,
    policy: nn.Module,
    *,
    max_kl: float = 0.01,
    damping: float = 0.1,
    gamma: float = 0.99,
    lam: float = 0.97,
    vf_iters: int = 10,
    vf_lr: float = 1e-3,
    cg_iters: int = 10,
    device: str = "cpu",
    iterations: int = 100,
    steps_per_iteration: int = 2048,
    seed: int = 0,
) -> Training:
    """A training of your own policy in your own environment.

    `env`: a Gymnasium environment, a vectorised one, or an id (then 16 are made).
    `policy`: a module from normalised observations (batch, observation_dim) to mean and log σ, each
    broadcastable to (batch, action_dim). Raises UserError for an environment it cannot learn in.
    """
    from agent.envs.gym import batch_of

    config = Config(
        max_kl=max_kl,
        damping=damping,
        gamma=gamma,
        lam=lam,
        vf_iters=vf_iters,
        vf_lr=vf_lr,
        cg_iters=cg_iters,
        device=device,
        iterations=iterations,
        steps_per_iteration=steps_per_iteration,
        seed=seed,
    )
    batch = batch_of(env, config.environments)
    facts = batch.facts
    config = replace(
        config,
        env=facts.env_id or type(env).__name__,
        env_args=facts.env_args,
        environments=batch.worlds,
    )
    return Training(batch, policy, config)

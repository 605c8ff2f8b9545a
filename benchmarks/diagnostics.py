"""What the diagnostics and the log cost: the agent against the bare update, iteration by iteration.

    python benchmarks/diagnostics.py                    HalfCheetah-v5, 80 iterations of each
    python benchmarks/diagnostics.py --env Hopper-v5 --iterations 200

Two trainings with the same seed run in one process and take turns, iteration by iteration, in an
order that changes. One is the agent as its users run it: every column, and a log on disk. The other
is made of the same functions and computes the step, the return, KL and surrogate, and nothing else.
They must end with the same parameters, bit for bit. The price is the median over rounds of ten
iterations (the diagnostics that are not computed in every iteration come once or twice in ten), by
the clock on the wall and by the processor's, which other work on the machine disturbs less.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import beside  # noqa: F401
import numpy as np
import torch
from torch import Tensor

from agent import gaussian, linearised, trust_region
from agent.advantages import evaluate, generalised_advantages
from agent.config import Config
from agent.learning import SHUFFLE
from agent.networks import flat
from agent.parts import policy_gradient
from agent.sampling import Rollout, sample, sample_action, start
from agent.training import NOISE, Training
from agent.value import fit
from runlog import RunLog

WARM_UP, ROUND = 2, 10
LARGEST = 0.08
"""Share of an iteration that diagnostics and logging may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """What the bare iteration knows of itself."""

    episode_return: float
    kl: float
    surrogate: float


class BareTraining:
    """The step and nothing else, of the agent's own functions, from the parts of a Training."""

    def __init__(self, training: Training) -> None:
        self.config, self.batch = training.config, training.batch
        self.policy, self.critic = training.policy, training.critic
        self.normaliser = training.normaliser
        self.running = start(self.batch.reset(self.config.seed))
        self.iteration = 0
        self.seconds: dict[str, float] = {}
        self._observe(self._sample(0, -(-self.config.warm_up_steps // self.batch.worlds)))

    def _sample(self, iteration: int, steps: int) -> Rollout:
        generator = np.random.default_rng([self.config.seed, iteration, NOISE])
        shape = (steps, self.batch.worlds, self.batch.facts.action_dim)
        noise = generator.standard_normal(shape, dtype=np.float32)
        actor = self.policy.actor()
        rollout, self.running = sample(
            self.batch, self.running, actor, self.normaliser, noise, sample_action
        )
        return rollout

    def _observe(self, rollout: Rollout) -> None:
        self.normaliser = self.normaliser.updated(rollout.raw.reshape(-1, rollout.raw.shape[-1]))

    def __next__(self) -> Bare:
        config = self.config
        begun, processor = time.perf_counter(), time.process_time()
        self.iteration += 1
        rollout = self._sample(self.iteration, -(-config.steps_per_iteration // self.batch.worlds))
        sampled = time.perf_counter()
        values = evaluate(self.critic, rollout, self.normaliser)
        raw = generalised_advantages(
            reward=rollout.reward,
            values=values,
            terminated=rollout.terminated,
            ended=rollout.ended,
            gamma=config.gamma,
            lam=config.lam,
        )
        advantage = torch.from_numpy(((raw - raw.mean()) / raw.std()).reshape(-1))
        estimated = time.perf_counter()
        kl, surrogate = self._step(rollout, advantage)
        stepped = time.perf_counter()
        fit(
            self.critic,
            rollout.observation,
            raw + values.now,
            config.vf_iters,
            config.vf_batch,
            config.vf_lr,
            np.random.default_rng([config.seed, self.iteration, SHUFFLE]),
        )
        fitted = time.perf_counter()
        self._observe(rollout)
        totals = [episode.total for episode in rollout.episodes]
        self.seconds = {
            "sampling": sampled - begun,
            "advantages": estimated - sampled,
            "policy": stepped - estimated,
            "value fit": fitted - stepped,
            "iteration": time.perf_counter() - begun,
            "processor": time.process_time() - processor,
        }
        return Bare(
            episode_return=float(np.mean(totals)) if totals else float("nan"),
            kl=kl,
            surrogate=surrogate,
        )

    def _step(self, rollout: Rollout, advantage: Tensor) -> tuple[float, float]:
        config, policy = self.config, self.policy
        observation = torch.from_numpy(rollout.observation.reshape(len(advantage), -1))
        action = torch.from_numpy(rollout.action.reshape(len(advantage), -1))
        theta, exact, exact_action = policy.theta(), observation.double(), action.double()
        old = policy.exactly(theta, exact)
        old_log_prob = gaussian.log_prob(old, exact_action)
        at = linearised.linearise(policy, theta, observation)
        tensors = policy_gradient(at, action, old_log_prob)(advantage)
        g = flat(tensors, policy.sizes, at.pi.mean)
        product = trust_region.fisher_product(at, config.damping)
        found = trust_region.conjugate_gradient(product, g, config.cg_iters, config.cg_tolerance)
        s = trust_region.full_step(found, config.max_kl)
        before = trust_region.surrogate(old_log_prob, old_log_prob, advantage)

        def measure(fraction: float) -> tuple[float, float]:
            pi = policy.exactly(trust_region.candidate(theta, s, fraction), exact)
            log_prob = gaussian.log_prob(pi, exact_action)
            gain = trust_region.surrogate(log_prob, old_log_prob, advantage) - before
            return float(gain), float(trust_region.mean_kl(old, pi))

        found_step = trust_region.line_search(measure, config.max_kl)
        if found_step.fraction is None:
            return 0.0, 0.0
        policy.load(trust_region.candidate(theta, s, found_step.fraction))
        return found_step.kls[-1], found_step.gains[-1]


class Logged:
    """The agent as its users run it: every column of every row goes into a log on disk."""

    def __init__(self, training: Training, log: RunLog) -> None:
        self.training, self.log = training, log
        self.seconds: dict[str, float] = {}

    def __next__(self) -> None:
        begun, processor = time.perf_counter(), time.process_time()
        row = next(self.training)
        made = time.perf_counter()
        self.log.iteration(**row)
        ended = time.perf_counter()
        self.seconds = {
            "sampling": row["seconds_sampling"],
            "advantages": row["seconds_advantage"],
            "policy": row["seconds_policy"],
            "value fit": row["seconds_value"],
            "log": ended - made,
            "iteration": ended - begun,
            "processor": time.process_time() - processor,
        }


def measured(config: Config) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Seconds by phase of every iteration, with and without diagnostics."""
    full, bare = (Training.from_config(config) for _ in range(2))
    with_, without = defaultdict(list), defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as folder,
        RunLog(Path(folder) / "run", **full.metadata) as log,
    ):
        logged, lean = Logged(full, log), BareTraining(bare)
        for iteration in range(config.iterations):
            for which in (logged, lean) if iteration % 2 else (lean, logged):
                next(which)
            if iteration < WARM_UP:
                continue
            for name, seconds in logged.seconds.items():
                with_[name].append(seconds)
            for name, seconds in lean.seconds.items():
                without[name].append(seconds)
    if not torch.equal(full.policy.theta(), bare.policy.theta()):
        raise SystemExit("the two did not learn the same")
    return ({name: np.array(all_) for name, all_ in each.items()} for each in (with_, without))


def main() -> None:
    """Take turns, print the price by phase."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", default="HalfCheetah-v5")
    parser.add_argument("--iterations", type=int, default=80, help="of each of the two")
    options = parser.parse_args()
    config = Config(env=options.env, iterations=options.iterations + WARM_UP, seed=1)
    with_, without = measured(config)
    print(f"{options.env}, {options.iterations} iterations of each in turns, ms (medians)")
    print(f"{'':12}{'bare':>8}{'all on':>8}{'more':>8}")
    for name, full in with_.items():
        lean = without.get(name, np.zeros(1))
        low, high = 1e3 * np.median(lean), 1e3 * np.median(full)
        print(f"{name:12}{low:8.2f}{high:8.2f}{high - low:8.2f}")
    for name in ("iteration", "processor"):
        more = [
            float(np.sum(with_[name][at : at + ROUND]) / np.sum(without[name][at : at + ROUND])) - 1
            for at in range(0, options.iterations, ROUND)
        ]
        price = 100 * float(np.median(more))
        each = ", ".join(f"{100 * share:.1f}" for share in more)
        print(f"price by {name} time: {price:.1f} % of a bare iteration; rounds of {ROUND}: {each}")
        if name == "iteration":
            print(
                f"at most {100 * LARGEST:.0f} % is the aim: {'kept' if price <= 100 * LARGEST else 'MISSED'}"
            )


if __name__ == "__main__":
    main()

"""Runs of the fault bench without a fault, that nothing is to be found in."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench_case import Case, Part, short
from bench_places import HELD_PLACES, PLACES

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "lambda-1": {"lam": 1.0},
    "damping-half": {"damping": 0.5},
    "batch-256": {"steps_per_iteration": 256, "environments": 4},
    "fixed-sigma": {"learn_std": False},
    "narrow": {"hidden": (16,)},
    "wide": {"hidden": (256, 256)},
    "rewards-normalised": {"normalise_rewards": True},
    "observations-raw": {"normalise_observations": False},
    "step-05": {"max_kl": 0.05},
    "critic-3": {"vf_iters": 3},
    "small-sigma": {"log_std": -1.0},
}
VARIED = (
    ("InvertedPendulum-v5", 1024),
    ("Hopper-v5", 1024),
    ("HalfCheetah-v5", 1024),
    ("Swimmer-v5", 1024),
    ("Pendulum-v1", 1024),
    ("Walker2d-v5", 1024),
    ("Reacher-v5", 1024),
)
SPARSE = "sparse_tasks:SparsePendulum-v0"
ENDLESS = "sparse_tasks:EndlessPendulum-v0"
SPECIAL: tuple[tuple[str, str, int, Mapping[str, Any]], ...] = (
    ("solved", "InvertedPendulum-v5", 110, {}),
    ("solved-double", "InvertedDoublePendulum-v5", 110, {"steps_per_iteration": 1024}),
    ("near-converged", "HalfCheetah-v5", 150, {"steps_per_iteration": 1024}),
    ("near-converged", "Hopper-v5", 150, {"steps_per_iteration": 1024}),
    ("sparse", SPARSE, 60, {}),
    ("sparse", "MountainCarContinuous-v0", 40, {"steps_per_iteration": 1024}),
    ("no-end", ENDLESS, 40, {"steps_per_iteration": 1024}),
    ("17-actions", "Humanoid-v5", 40, {"steps_per_iteration": 1024, "log_std": -1.0}),
    ("105-observations", "Ant-v5", 40, {"steps_per_iteration": 1024}),
    ("7-actions", "Pusher-v5", 40, {"steps_per_iteration": 1024}),
    ("standing-up", "HumanoidStandup-v5", 30, {"steps_per_iteration": 1024}),
    ("tuned", "DPEnv-v0", 60, {**PLACES["DPEnv-v0"], "normalise_rewards": True}),
    ("plain", "DPEnv-v0", 40, {"steps_per_iteration": 512}),
    ("run", "DPEnv-v0", 40, {**PLACES["DPEnv-v0"], "env_args": {"motion": "walk"}, "lam": 0.95}),
)
HEALTHY_SEEDS: Mapping[int, Part] = {50: "tune", 51: "held"}
SPECIAL_SEEDS: Mapping[int, Part] = {50: "tune", 51: "tune", 52: "held"}


def healthy() -> Iterator[Case]:
    """Every variant on several environments, then what is special in some."""
    for seed, part in HEALTHY_SEEDS.items():
        for variant, settings in VARIANTS.items():
            for env, steps in VARIED:
                yield Case(
                    name=f"healthy-{short(env)}-{variant}-{seed}",
                    part="held" if env in HELD_PLACES else part,
                    env=env,
                    seed=seed,
                    iterations=100 if variant == "batch-256" else 45,
                    settings={"steps_per_iteration": steps, **settings},
                )
    for seed, part in SPECIAL_SEEDS.items():
        for kind, env, iterations, settings in SPECIAL:
            yield Case(
                name=f"healthy-{short(env)}-{kind}-{seed}",
                part=part,
                env=env,
                seed=seed,
                iterations=iterations,
                settings=settings,
            )

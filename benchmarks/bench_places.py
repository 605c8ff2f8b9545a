"""Environments and seeds of the fault bench's faults, and which of them are held out."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench_case import Part, short

PLACES: Mapping[str, Mapping[str, Any]] = {
    "InvertedPendulum-v5": {"steps_per_iteration": 1024},
    "Hopper-v5": {"steps_per_iteration": 1024},
    "DPEnv-v0": {
        "steps_per_iteration": 512,
        "env_args": {"motion": "walk"},
        "gamma": 0.95,
        "max_kl": 0.28,
        "damping": 10.0,
        "log_std": -2.5,
    },
    "Walker2d-v5": {"steps_per_iteration": 1024},
    "Reacher-v5": {"steps_per_iteration": 1024},
}
"""Environments with faults, and their settings."""
HELD_PLACES = ("Walker2d-v5", "Reacher-v5")
TUNED_SEEDS, HELD_SEEDS = (0, 1, 2), (3, 4)
HELD_PLACE_SEEDS = (10, 11)
HELD_CONTROLS = (12, 13, 14)
"""Further seeds of the held-out environments without a fault: what a return may be."""
NO_EARLY_ENDS = ("Reacher-v5",)


def places() -> Iterator[tuple[str, int]]:
    """Every environment with every seed that has faults, the tuned ones first."""
    for seed in (*TUNED_SEEDS, *HELD_SEEDS):
        for env in PLACES:
            if env not in HELD_PLACES:
                yield env, seed
        if seed == TUNED_SEEDS[0]:
            yield from ((held, each) for each in HELD_PLACE_SEEDS for held in HELD_PLACES)


def part_of(env: str, seed: int) -> Part:
    """Which part the runs of an environment and a seed belong to."""
    return "held" if env in HELD_PLACES or seed in HELD_SEEDS else "tune"


def control_name(env: str, seed: int) -> str:
    """The healthy run with the settings and the seed of the faulty ones of that place."""
    return f"healthy-{short(env)}-control-{seed}"

"""The independent trainers' runs: what is wrong with each, and from which iteration on.

Labels were committed before any of these runs was judged. A label is a set of at most two codes
that would be right as the cause; an empty one means that nothing is wrong. All of them are held
out: no rule is tuned on them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench_case import AFTER_MIDDLE, AFTER_START, MIDDLE, Case, Trainer, short

SEEDS = (100, 101)
WALKERS, ARM = ("Hopper-v5", "Walker2d-v5"), "Reacher-v5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A fault, the codes that name it, who makes it, and where and from when on it makes sense."""

    fault: str
    label: tuple[str, ...]
    trainers: tuple[Trainer, ...] = ("plain", "sb3")
    identity: bool = False
    """Whether it breaks an identity of the update whatever the return does: never harmless."""
    onsets: tuple[int, ...] = (1, MIDDLE)


_PLAIN: tuple[Trainer, ...] = ("plain",)
_LATE = (MIDDLE,)

MISTAKES: tuple[Mistake, ...] = (
    Mistake(fault="nan-reward", label=("TRPO001",), identity=True),
    # sb3-contrib's callback measures KL itself, so that the trainer's own mistake is not in the log.
    Mistake(fault="self-referential-kl", label=("TRPO002",), trainers=_PLAIN, identity=True),
    Mistake(fault="stale-old-policy", label=("TRPO003",), identity=True),
    Mistake(fault="parameters-not-applied", label=("TRPO004",), trainers=_PLAIN, identity=True),
    Mistake(fault="gae-done-mask", label=("TRPO005",), identity=True),
    Mistake(fault="gae-reward-shift", label=("TRPO005",), identity=True),
    Mistake(fault="flipped-advantages", label=("TRPO005",), identity=True),
    Mistake(fault="transposed-advantages", label=("TRPO006",), trainers=_PLAIN, identity=True),
    Mistake(fault="wrong-step-length", label=("TRPO007",), trainers=_PLAIN, identity=True),
    Mistake(fault="shared-optimiser", label=("TRPO008",)),
    # On tasks with early ends a reward alike for every step still rewards to stay alive.
    Mistake(fault="constant-reward", label=("TRPO108", "TRPO101"), identity=True),
    Mistake(fault="vanished-reward", label=("TRPO102",)),
    Mistake(fault="oversized-reward", label=("TRPO103", "TRPO701")),
    Mistake(fault="reward-noise", label=("TRPO104", "TRPO207")),
    Mistake(fault="instant-termination", label=("TRPO105",)),
    Mistake(fault="critic-first", label=("TRPO107",), identity=True),
    Mistake(fault="observation-blow-up", label=("TRPO109",)),
    # Dead from the start, it cannot be told from an observation that is so by nature.
    Mistake(fault="dead-observation", label=("TRPO110",), onsets=_LATE),
    Mistake(fault="duplicate-environments", label=("TRPO111",), identity=True),
    Mistake(fault="detached-gradient", label=("TRPO201",), identity=True),
    Mistake(fault="saturated-policy", label=("TRPO803", "TRPO203")),
    Mistake(fault="noiseless-sampling", label=("TRPO204",), identity=True),
    Mistake(fault="flipped-gradient", label=("TRPO205",), trainers=("sb3",), identity=True),
    Mistake(fault="flipped-line-search", label=("TRPO205",), trainers=_PLAIN, identity=True),
    Mistake(fault="partly-dead-gradient", label=("TRPO206",), trainers=_PLAIN, identity=True),
    # sb3-contrib's conjugate gradient starts at random, so that its x is never 0.
    Mistake(fault="absolute-cg-tolerance", label=("TRPO301",), trainers=_PLAIN, identity=True),
    Mistake(fault="wrong-sign-damping", label=("TRPO302",), identity=True),
    Mistake(fault="singular-fisher", label=("TRPO304",)),
    Mistake(fault="zero-step", label=("TRPO401",), trainers=_PLAIN, identity=True),
    Mistake(fault="tiny-max-kl", label=("TRPO402",), identity=True),
    Mistake(fault="oversized-max-kl", label=("TRPO403",)),
    Mistake(fault="overdamped", label=("TRPO404",)),
    Mistake(fault="impossible-search", label=("TRPO501",), trainers=_PLAIN, identity=True),
    Mistake(fault="unchecked-kl", label=("TRPO502", "TRPO007"), trainers=_PLAIN, identity=True),
    Mistake(fault="frozen-critic", label=("TRPO701",), identity=True),
    Mistake(fault="critic-on-costs", label=("TRPO702", "TRPO701")),
    Mistake(fault="collapsed-sigma", label=("TRPO801",)),
    Mistake(fault="saturated-actions", label=("TRPO804",)),
)


def _broken(trainer: Trainer) -> Iterator[Case]:
    """On a walker and on the arm; each with one onset a seed, sb3-contrib on one of the two."""
    mine = [mistake for mistake in MISTAKES if trainer in mistake.trainers]
    for number, mistake in enumerate(mine):
        for turn, seed in enumerate(SEEDS):
            walker = WALKERS[(number + turn) % 2]
            places = (walker, ARM) if trainer == "plain" else ((walker, ARM)[(number + turn) % 2],)
            for place, env in enumerate(places):
                onset = mistake.onsets[(turn + place) % len(mistake.onsets)]
                label = mistake.label
                if mistake.fault == "constant-reward" and env == ARM:
                    label = ("TRPO101",)
                yield Case(
                    name=f"{mistake.fault}-{short(env)}-{onset}-{seed}",
                    part="held",
                    trainer=trainer,
                    env=env,
                    seed=seed,
                    iterations=onset - 1 + (AFTER_START if onset == 1 else AFTER_MIDDLE),
                    fault=mistake.fault,
                    onset=onset,
                    label=label,
                    identity=mistake.identity,
                )


HEALTHY: Mapping[Trainer, tuple[tuple[str, str, Mapping[str, Any]], ...]] = {
    "plain": (
        ("default", "Hopper-v5", {}),
        ("default", "Walker2d-v5", {}),
        ("default", "Reacher-v5", {}),
        ("default", "InvertedPendulum-v5", {}),
        ("default", "HalfCheetah-v5", {}),
        ("default", "Swimmer-v5", {}),
        ("raw", "Hopper-v5", {"normalise_observations": False}),
        ("lambda-1", "Walker2d-v5", {"lam": 1.0}),
        ("narrow", "Reacher-v5", {"hidden": (32,)}),
        ("wide-step", "Hopper-v5", {"max_kl": 0.03, "damping": 0.01}),
        ("two-worlds", "Walker2d-v5", {"environments": 2, "steps": 512}),
        ("short-fit", "Hopper-v5", {"vf_iters": 10}),
    ),
    "sb3": (
        ("default", "Hopper-v5", {}),
        ("default", "Walker2d-v5", {}),
        ("default", "Reacher-v5", {}),
        ("default", "InvertedPendulum-v5", {}),
        ("lambda-99", "Walker2d-v5", {"gae_lambda": 0.99}),
        ("long", "Hopper-v5", {"n_steps": 512}),
    ),
}
"""Runs without a fault, each with two seeds."""


def _healthy(trainer: Trainer) -> Iterator[Case]:
    for variant, env, settings in HEALTHY[trainer]:
        for seed in SEEDS:
            yield Case(
                name=f"healthy-{short(env)}-{variant}-{seed}",
                part="held",
                trainer=trainer,
                env=env,
                seed=seed,
                iterations=MIDDLE - 1 + AFTER_MIDDLE,
                settings=settings,
            )


def cases() -> tuple[Case, ...]:
    """Every run of both trainers, in the order in which they are made."""
    trainers: tuple[Trainer, ...] = ("plain", "sb3")
    found = (case for trainer in trainers for case in (*_healthy(trainer), *_broken(trainer)))
    return tuple(sorted(found, key=lambda case: case.seed))

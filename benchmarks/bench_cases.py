"""The fault bench's runs: what each trains, what is wrong with it, and which part it belongs to.

Labels and parts were committed before any rule was tuned on these runs. A label is a set of at most
two codes that would be right as the cause; an empty one means that nothing is wrong.
"""

from collections.abc import Iterator

from bench_case import AFTER_MIDDLE, AFTER_START, CONTROL, Case, short
from bench_healthy import healthy
from bench_injections import INJECTIONS
from bench_places import (
    HELD_CONTROLS,
    HELD_PLACES,
    NO_EARLY_ENDS,
    PLACES,
    control_name,
    part_of,
    places,
)


def _control(env: str, seed: int) -> Case:
    return Case(
        name=control_name(env, seed),
        part=part_of(env, seed),
        env=env,
        seed=seed,
        iterations=CONTROL,
        settings=PLACES[env],
    )


def _broken(env: str, seed: int) -> Iterator[Case]:
    for number, injection in enumerate(INJECTIONS):
        if env not in injection.places:
            continue
        onsets = injection.onsets
        if env in HELD_PLACES:  # one onset a seed, every fault with both where it has both
            onsets = (onsets[(number + seed) % len(onsets)],)
        for onset in onsets:
            severities = injection.severities
            severity = f":{severities[seed % len(severities)]:g}" if severities else ""
            label = injection.label
            if injection.fault == "constant-reward" and env in NO_EARLY_ENDS:
                label = ("TRPO101",)
            yield Case(
                name=f"{injection.fault}-{short(env)}-{onset}-{seed}",
                part=part_of(env, seed),
                env=env,
                seed=seed,
                iterations=onset - 1 + (AFTER_START if onset == 1 else AFTER_MIDDLE),
                settings=PLACES[env],
                fault=f"{injection.fault}{severity}@{onset}",
                onset=onset,
                label=label,
                identity=injection.identity,
            )


def cases() -> tuple[Case, ...]:
    """Every run of this agent's part of the bench, in the order in which they are made."""
    without = list(healthy())
    rounds = list(places())
    share = -(-len(without) // len(rounds))
    found = [_control(env, seed) for env in HELD_PLACES for seed in HELD_CONTROLS]
    for number, (env, seed) in enumerate(rounds):
        found.append(_control(env, seed))
        found.extend(_broken(env, seed))
        found.extend(without[number * share : (number + 1) * share])
    return tuple(found)


SHORT = (
    ("constant-reward", "TRPO101", "Pendulum-v1"),
    ("detached-gradient", "TRPO201", "InvertedPendulum-v5"),
    ("absolute-cg-tolerance", "TRPO301", "InvertedPendulum-v5"),
    ("flipped-line-search", "TRPO205", "InvertedPendulum-v5"),
    ("self-referential-kl", "TRPO002", "InvertedPendulum-v5"),
    ("flipped-advantages", "TRPO005", "InvertedPendulum-v5"),
    ("impossible-search", "TRPO501", "Pendulum-v1"),
)


def slice_cases() -> tuple[Case, ...]:
    """A few short runs, one per family of faults and two healthy ones."""
    settings = {"steps_per_iteration": 1024}
    broken = (
        Case(
            name=f"{fault}-{short(env)}-1-3",
            part="tune",
            env=env,
            seed=3,
            iterations=10,
            settings=settings,
            fault=f"{fault}@1",
            onset=1,
            label=(code,),
            identity=True,
        )
        for fault, code, env in SHORT
    )
    return (
        *broken,
        *(
            Case(
                name=f"healthy-{short(env)}-slice-3",
                part="tune",
                env=env,
                seed=3,
                iterations=10,
                settings=settings,
            )
            for env in ("InvertedPendulum-v5", "Pendulum-v1")
        ),
    )

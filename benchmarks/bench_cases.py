"""The fault bench's runs: what each trains, what is wrong with it, and which part it belongs to.

Labels and parts were committed before any rule was tuned on these runs. A label is a set of at most
two codes that would be right as the cause; an empty one means that nothing is wrong.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Part = Literal["tune", "held"]
"""`held`: never looked at while rules are written or tuned; scored only."""

AFTER_START, AFTER_MIDDLE = 40, 31
"""Iterations a run goes on, its first faulty one included."""
MIDDLE = 21
"""First faulty iteration of the faults that come up in mid-run."""
CONTROL = MIDDLE - 1 + AFTER_MIDDLE
"""Iterations of a control: as many as of the longest run with a fault."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """A fault of the agent, the codes that name it, and where it makes sense."""

    fault: str
    label: tuple[str, ...]
    severities: tuple[float, ...] = ()
    """Taken in turn by seed; empty: the fault's own."""
    identity: bool = False
    """Whether it breaks an identity of the update whatever the return does: never harmless."""
    onsets: tuple[int, ...] = (1, MIDDLE)
    places: tuple[str, ...] = tuple(PLACES)


_ALL_BUT_PENDULUM = tuple(place for place in PLACES if place != "InvertedPendulum-v5")

INJECTIONS: tuple[Injection, ...] = (
    Injection(fault="nan-reward", label=("TRPO001",), identity=True),
    Injection(fault="self-referential-kl", label=("TRPO002",), identity=True),
    Injection(fault="stale-old-policy", label=("TRPO003",), identity=True),
    Injection(fault="parameters-not-applied", label=("TRPO004",), identity=True),
    Injection(fault="gae-done-mask", label=("TRPO005",), identity=True),
    Injection(fault="gae-reward-shift", label=("TRPO005",), identity=True),
    Injection(
        fault="gae-truncation",
        label=("TRPO005",),
        places=("InvertedPendulum-v5", "Reacher-v5"),
        identity=True,
    ),
    Injection(fault="flipped-advantages", label=("TRPO005",), identity=True),
    Injection(fault="misaligned-advantages", label=("TRPO006",), identity=True),
    Injection(fault="shuffled-gradient", label=("TRPO006",), identity=True),
    Injection(
        fault="wrong-step-length", label=("TRPO007",), severities=(0.7071, 0.2, 3.0), identity=True
    ),
    Injection(fault="pushed-policy", label=("TRPO008",), severities=(0.2, 0.4)),
    # Paid alike for every step, a task with early ends still rewards to stay alive: 108, not 101.
    # InvertedPendulum pays so by itself.
    Injection(
        fault="constant-reward",
        label=("TRPO108", "TRPO101"),
        severities=(1.0, 0.05, -1.0),
        places=_ALL_BUT_PENDULUM,
        identity=True,
    ),
    # From the start nobody could tell it from a sparse reward that was not found yet.
    Injection(fault="zero-reward", label=("TRPO101", "TRPO106"), onsets=(MIDDLE,), identity=True),
    Injection(fault="vanished-reward", label=("TRPO102",), severities=(1e-7, 1e-9)),
    Injection(fault="oversized-reward", label=("TRPO103", "TRPO701"), severities=(1e6, 1e5)),
    Injection(fault="random-reward", label=("TRPO104", "TRPO207"), severities=(1.0, 0.1)),
    Injection(fault="instant-termination", label=("TRPO105",), severities=(2.0, 1.0)),
    Injection(fault="critic-first", label=("TRPO107",), identity=True),
    Injection(fault="observation-blow-up", label=("TRPO109",), severities=(1e3, 1e5)),
    # Dead from the start is how some environments are: a note by the rule's own definition.
    Injection(
        fault="dead-observation", label=("TRPO110",), severities=(0.5, 1.0), onsets=(MIDDLE,)
    ),
    Injection(fault="duplicate-environments", label=("TRPO111",), identity=True),
    Injection(fault="reward-scale-drift", label=("TRPO112",), severities=(0.85, 1.3)),
    Injection(fault="detached-gradient", label=("TRPO201",), identity=True),
    Injection(fault="gradient-spikes", label=("TRPO202", "TRPO503"), identity=True),
    Injection(fault="saturated-policy", label=("TRPO803", "TRPO203"), severities=(100.0, 1000.0)),
    Injection(fault="noiseless-sampling", label=("TRPO204",), identity=True),
    Injection(fault="flipped-gradient", label=("TRPO205",), identity=True),
    Injection(fault="flipped-line-search", label=("TRPO205",), identity=True),
    Injection(fault="partly-dead-gradient", label=("TRPO206",), identity=True),
    Injection(fault="noisy-advantages", label=("TRPO207", "TRPO006"), severities=(30.0, 100.0)),
    # With a small σ the gradient is long: 100 let the conjugate gradient of DPEnv begin.
    Injection(fault="absolute-cg-tolerance", label=("TRPO301",), severities=(1e8,), identity=True),
    Injection(fault="subtracted-damping", label=("TRPO302",), identity=True),
    Injection(fault="stochastic-fisher", label=("TRPO302", "TRPO303"), identity=True),
    Injection(fault="unconverged-cg", label=("TRPO303", "TRPO302")),
    Injection(fault="singular-fisher", label=("TRPO304",)),
    Injection(fault="swamped-step", label=("TRPO401",), identity=True),
    Injection(fault="tiny-max-kl", label=("TRPO402",), severities=(1e-16, 1e-18), identity=True),
    Injection(fault="oversized-max-kl", label=("TRPO403",), severities=(5.0, 50.0)),
    Injection(fault="overdamped", label=("TRPO404",), severities=(1e5, 1e6)),
    Injection(fault="impossible-search", label=("TRPO501",), identity=True),
    Injection(fault="unchecked-kl", label=("TRPO502", "TRPO007"), identity=True),
    Injection(fault="frozen-critic", label=("TRPO701",), identity=True),
    Injection(fault="negated-targets", label=("TRPO702", "TRPO701")),
    Injection(fault="collapsed-sigma", label=("TRPO801",), severities=(-7.0, -9.0)),
    Injection(fault="saturated-actions", label=("TRPO804",), severities=(20.0, 100.0)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run. `settings`: of the agent's Config; `fault` as `--fault` takes it, empty if healthy."""

    name: str
    part: Part
    env: str
    seed: int
    iterations: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""
    onset: int = 0
    """First faulty iteration; 0 where there is none."""
    label: tuple[str, ...] = ()
    identity: bool = False

    @property
    def kind(self) -> str:
        """The fault's name, or `healthy`."""
        return self.fault.partition("@")[0].partition(":")[0] or "healthy"


def _short(env: str) -> str:
    return env.partition(":")[2].partition("-")[0] or env.partition("-")[0]


def control_name(env: str, seed: int) -> str:
    """The healthy run with the settings and the seed of the faulty ones of that place."""
    return f"healthy-{_short(env)}-control-{seed}"


def _part(env: str, seed: int) -> Part:
    return "held" if env in HELD_PLACES or seed in HELD_SEEDS else "tune"


def places() -> Iterator[tuple[str, int]]:
    """Every environment with every seed that has faults, the tuned ones first."""
    for seed in (*TUNED_SEEDS, *HELD_SEEDS):
        for env in PLACES:
            if env not in HELD_PLACES:
                yield env, seed
        if seed == TUNED_SEEDS[0]:
            yield from ((held, each) for each in HELD_PLACE_SEEDS for held in HELD_PLACES)


def _control(env: str, seed: int) -> Case:
    return Case(
        name=control_name(env, seed),
        part=_part(env, seed),
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
                name=f"{injection.fault}-{_short(env)}-{onset}-{seed}",
                part=_part(env, seed),
                env=env,
                seed=seed,
                iterations=onset - 1 + (AFTER_START if onset == 1 else AFTER_MIDDLE),
                settings=PLACES[env],
                fault=f"{injection.fault}{severity}@{onset}",
                onset=onset,
                label=label,
                identity=injection.identity,
            )


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


def _healthy() -> Iterator[Case]:
    for seed, part in HEALTHY_SEEDS.items():
        for variant, settings in VARIANTS.items():
            for env, steps in VARIED:
                yield Case(
                    name=f"healthy-{_short(env)}-{variant}-{seed}",
                    part="held" if env in HELD_PLACES else part,
                    env=env,
                    seed=seed,
                    iterations=100 if variant == "batch-256" else 45,
                    settings={"steps_per_iteration": steps, **settings},
                )
    for seed, part in SPECIAL_SEEDS.items():
        for kind, env, iterations, settings in SPECIAL:
            yield Case(
                name=f"healthy-{_short(env)}-{kind}-{seed}",
                part=part,
                env=env,
                seed=seed,
                iterations=iterations,
                settings=settings,
            )


def cases() -> tuple[Case, ...]:
    """Every run of this agent's part of the bench, in the order in which they are made."""
    healthy = list(_healthy())
    rounds = list(places())
    share = -(-len(healthy) // len(rounds))
    found = [_control(env, seed) for env in HELD_PLACES for seed in HELD_CONTROLS]
    for number, (env, seed) in enumerate(rounds):
        found.append(_control(env, seed))
        found.extend(_broken(env, seed))
        found.extend(healthy[number * share : (number + 1) * share])
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
            name=f"{fault}-{_short(env)}-1-3",
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
                name=f"healthy-{_short(env)}-slice-3",
                part="tune",
                env=env,
                seed=3,
                iterations=10,
                settings=settings,
            )
            for env in ("InvertedPendulum-v5", "Pendulum-v1")
        ),
    )

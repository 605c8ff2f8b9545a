"""The faults put into the agent on the fault bench, and the codes that name them."""

from dataclasses import dataclass

from bench_case import MIDDLE
from bench_places import PLACES


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

"""Every setting of a training, declared once: type, meaning, unit and default."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from runlog.errors import UserError


@dataclass(frozen=True, slots=True)
class Range:
    """What a number, or each number of a tuple, may be."""

    low: float
    high: float = math.inf
    above: bool = False
    """Whether `low` itself is excluded. Infinity always is."""

    def holds(self, value: float) -> bool:
        beyond = value > self.low if self.above else value >= self.low
        return beyond and value <= self.high and value < math.inf

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"{'above' if self.above else 'at least'} {self.low:,}"
        if self.above:
            return f"above {self.low:,} and at most {self.high:,}"
        return f"between {self.low:,} and {self.high:,}"


POSITIVE = Range(0, above=True)
SHARE = Range(0, 1)
COUNT = Range(1, 1_000_000_000)
SIZE = Range(1, 10_000_000)
"""Of what is held in memory."""
WIDTH = Range(1, 10_000)

GROUPS = {
    "env": "what to train on",
    "iterations": "how long, and on how much",
    "max_kl": "the step",
    "gamma": "advantages and critic",
    "hidden": "the policy",
    "normalise_observations": "normalisation",
    "checkpoint_every": "the process",
}
"""Title of each group of settings, by its first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What one run is made of. Every field is a flag of `trpo-tui train`: type, meaning with unit,
    and what it may be."""

    env: Annotated[str, "Gymnasium id of the environment"] = "HalfCheetah-v5"
    env_args: Annotated[Mapping[str, Any], "keyword argument of the environment"] = field(
        default_factory=dict
    )
    seed: Annotated[int, "seed of every random generator", Range(0, 2**32 - 1)] = 0
    iterations: Annotated[int, "TRPO iterations", COUNT] = 100
    steps_per_iteration: Annotated[int, "environment steps per iteration, all together", SIZE] = (
        2048
    )
    environments: Annotated[int, "environments sampled side by side", Range(1, 10_000)] = 16
    max_kl: Annotated[float, "trust region δ, nat, summed over action dimensions", POSITIVE] = 0.01
    damping: Annotated[float, "λ added to the Fisher matrix, 1/parameter²", Range(0)] = 0.1
    cg_iters: Annotated[int, "conjugate-gradient iterations at most", Range(0, 1000)] = 10
    cg_tolerance: Annotated[float, "‖r‖/‖g‖ at which the conjugate gradient stops", POSITIVE] = 1e-6
    fisher_fraction: Annotated[
        float,
        "share of the batch's states, drawn anew each iteration, that the Fisher products use",
        Range(0, 1, above=True),
    ] = 1.0
    gamma: Annotated[float, "discount γ of one step", SHARE] = 0.99
    lam: Annotated[float, "λ of generalised advantage estimation", SHARE] = 0.97
    vf_hidden: Annotated[
        tuple[int, ...], "hidden tanh units of the critic, by layer; empty: as the policy's", WIDTH
    ] = ()
    vf_iters: Annotated[int, "epochs of the critic's fit", Range(0, 10_000)] = 10
    vf_lr: Annotated[float, "step size of the critic's Adam", POSITIVE] = 1e-3
    vf_batch: Annotated[int, "minibatch of the critic's fit, steps", COUNT] = 128
    hidden: Annotated[tuple[int, ...], "hidden tanh units of the policy, by layer", WIDTH] = (
        64,
        64,
    )
    log_std: Annotated[float, "log σ of the actions at the start", Range(-20, 20)] = 0.0
    learn_std: Annotated[bool, "whether σ is learned, or stays what it is at the start"] = True
    normalise_observations: Annotated[bool, "standardise observations by their running moments"] = (
        True
    )
    normalise_rewards: Annotated[
        bool, "divide rewards by the running deviation of their discounted return, clip at ±10"
    ] = False
    warm_up_steps: Annotated[
        int, "steps that set the moments before iteration 1", Range(0, SIZE.high)
    ] = 2048
    checkpoint_every: Annotated[
        int, "iterations between checkpoints; 0: only the first and the last", Range(0, COUNT.high)
    ] = 25
    device: Annotated[str, "torch device of the networks"] = "cpu"
    threads: Annotated[int, "torch threads", Range(1, 1024)] = 1
    fault: Annotated[tuple[str, ...], "fault put in on purpose, NAME[:SEVERITY][@ITERATION]"] = ()

    def __post_init__(self) -> None:
        for name, allowed in _ranges().items():
            value = getattr(self, name)
            numbers = value if isinstance(value, tuple) else (value,)
            if not all(allowed.holds(number) for number in numbers):
                each = " each" if isinstance(value, tuple) else ""
                told = ",".join(map(str, numbers))
                finite = all(map(math.isfinite, numbers))
                wanted = f"{allowed}{each}" if finite else "a finite number"
                raise UserError(f"--{name.replace('_', '-')} {told}: must be {wanted}")

    def as_dict(self) -> dict[str, Any]:
        """The whole configuration in numbers, text, lists and mappings, as JSON holds it."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


@cache
def _ranges() -> Mapping[str, Range]:
    """What each number of Config may be."""
    hints = get_type_hints(Config, include_extras=True)
    return {
        name: extra
        for name, hint in hints.items()
        for extra in get_args(hint)
        if isinstance(extra, Range)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One field of Config as `--help` and the documentation show it."""

    name: str
    kind: type
    """int, float, str, bool, tuple or Mapping."""
    item: type
    """Type of one entry of a tuple; otherwise `kind`."""
    meaning: str
    default: Any
    group: str


def settings() -> Iterator[Setting]:
    """Every field of Config, in order."""
    hints = get_type_hints(Config, include_extras=True)
    default, group = Config(), ""
    for each in fields(Config):
        type_, meaning, *_ = get_args(hints[each.name])
        origin = get_origin(type_) or type_
        group = GROUPS.get(each.name, group)
        yield Setting(
            name=each.name,
            kind=origin,
            item=get_args(type_)[0] if origin is tuple else origin,
            meaning=meaning,
            default=getattr(default, each.name),
            group=group,
        )


def config_of(values: Mapping[str, Any], where: str) -> Config:
    """A Config from a mapping: a preset, a stored run, or flags (`where` is "" then).

    UserError names what does not fit.
    """
    known = {setting.name: setting for setting in settings()}
    for name in values:
        if name not in known:
            raise UserError(f"{where}: unknown setting {name!r}; known: {', '.join(known)}")
    converted = {}
    for name, value in values.items():
        kind, item = known[name].kind, known[name].item
        if kind is tuple and isinstance(value, list | tuple):
            value = tuple(value)
            fits = all(_is(item, each) for each in value)
        elif kind is float and _is(int, value) and abs(value) < 2**63:
            value, fits = float(value), True
        else:
            fits = _is(kind, value)
        if not fits:
            wanted = f"a list of {item.__name__}" if kind is tuple else kind.__name__
            raise UserError(
                f"{where or 'the command line'}: {name} = {value!r} is not of type {wanted}"
            )
        converted[name] = value
    try:
        return Config(**converted)
    except UserError as error:
        raise UserError(f"{where}: {error}" if where else str(error)) from error


def _is(kind: type, value: Any) -> bool:
    if kind is int and isinstance(value, bool):
        return False
    return isinstance(value, Mapping if kind is Mapping else kind)

"""Every setting of a training, declared once: type, meaning, unit and default."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from runlog.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What one run is made of. Every field is a flag of `trpo-tui train`."""

    env: Annotated[str, "Gymnasium id of the environment"] = "HalfCheetah-v5"
    env_args: Annotated[Mapping[str, Any], "keyword arguments of the environment"] = field(
        default_factory=dict
    )
    seed: Annotated[int, "seed of every random generator"] = 0
    iterations: Annotated[int, "TRPO iterations"] = 100
    steps_per_iteration: Annotated[int, "environment steps per iteration, all together"] = 2048
    environments: Annotated[int, "environments sampled side by side"] = 16
    max_kl: Annotated[float, "trust region δ, nat, summed over action dimensions"] = 0.01
    damping: Annotated[float, "λ added to the Fisher matrix, 1/parameter²"] = 0.1
    cg_iters: Annotated[int, "conjugate-gradient iterations at most"] = 10
    cg_tolerance: Annotated[float, "‖r‖/‖g‖ at which the conjugate gradient stops"] = 1e-6
    gamma: Annotated[float, "discount γ"] = 0.99
    lam: Annotated[float, "λ of generalised advantage estimation"] = 0.97
    vf_iters: Annotated[int, "epochs of the critic's fit"] = 10
    vf_lr: Annotated[float, "step size of the critic's Adam"] = 1e-3
    vf_batch: Annotated[int, "minibatch of the critic's fit, steps"] = 128
    hidden: Annotated[tuple[int, ...], "hidden tanh units of policy and critic, by layer"] = (
        64,
        64,
    )
    log_std: Annotated[float, "log σ of the actions at the start"] = 0.0
    learn_std: Annotated[bool, "whether σ is learned, or stays what it is at the start"] = True
    normalise_observations: Annotated[bool, "standardise observations by their running moments"] = (
        True
    )
    normalise_rewards: Annotated[
        bool, "divide rewards by the running deviation of their discounted return"
    ] = False
    warm_up_steps: Annotated[int, "steps that set the moments before iteration 1"] = 2048
    checkpoint_every: Annotated[int, "iterations between checkpoints"] = 25
    device: Annotated[str, "torch device of the networks"] = "cpu"
    threads: Annotated[int, "torch threads"] = 1
    fault: Annotated[tuple[str, ...], "faults put in on purpose, NAME[:SEVERITY][@ITERATION]"] = ()

    def __post_init__(self) -> None:
        for name in ("iterations", "steps_per_iteration", "environments", "vf_batch", "threads"):
            _require(self, name, getattr(self, name) >= 1, "at least 1")
        for name in ("cg_iters", "vf_iters", "warm_up_steps", "checkpoint_every", "seed"):
            _require(self, name, getattr(self, name) >= 0, "at least 0")
        for name in ("max_kl", "vf_lr", "cg_tolerance"):
            _require(self, name, 0 < getattr(self, name) < math.inf, "above 0")
        _require(self, "damping", 0 <= self.damping < math.inf, "at least 0")
        for name in ("gamma", "lam"):
            _require(self, name, 0 <= getattr(self, name) <= 1, "between 0 and 1")
        _require(self, "hidden", all(units >= 1 for units in self.hidden), "at least 1 each")

    def as_dict(self) -> dict[str, Any]:
        """The whole configuration in numbers, text, lists and mappings, as JSON holds it."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def _require(config: Config, name: str, fulfilled: bool, wanted: str) -> None:
    if not fulfilled:
        flag = name.replace("_", "-")
        raise UserError(f"--{flag} {getattr(config, name)}: must be {wanted}")


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


def settings() -> Iterator[Setting]:
    """Every field of Config, in order."""
    hints = get_type_hints(Config, include_extras=True)
    default = Config()
    for each in fields(Config):
        type_, meaning = get_args(hints[each.name])
        origin = get_origin(type_) or type_
        yield Setting(
            name=each.name,
            kind=origin,
            item=get_args(type_)[0] if origin is tuple else origin,
            meaning=meaning,
            default=getattr(default, each.name),
        )


def config_of(values: Mapping[str, Any], where: str) -> Config:
    """A Config from a mapping (a preset, a stored run). UserError names what does not fit `where`."""
    known = {setting.name: setting for setting in settings()}
    for name in values:
        if name not in known:
            raise UserError(f"{where}: unknown setting {name!r}; known: {', '.join(known)}")
    converted = {}
    for name, value in values.items():
        kind = known[name].kind
        if kind is tuple and isinstance(value, list | tuple):
            value = tuple(value)
        elif kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        fits = isinstance(value, Mapping if kind is Mapping else kind)
        if not fits or (kind is int and isinstance(value, bool)):
            raise UserError(f"{where}: {name} = {value!r} is not of type {kind.__name__}")
        converted[name] = value
    return Config(**converted)

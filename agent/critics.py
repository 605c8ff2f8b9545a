"""Critics: the tanh network in units of its targets, and any module of the user's own."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agent.adam import BETA_1, BETA_2, EPSILON, Adam
from agent.envs.batch import Array
from agent.mlp import Matrix, Tape, as_tensor, layers_of, native
from runlog.errors import UserError

MEMORY = 0.9
"""Share of the old moments of the targets that a new batch leaves in force."""
FLOOR = 1e-3
"""The unit is at least this share of the largest target: targets may become constant."""


class TanhCritic:
    """V(s) = centre + unit · network(normalised observation), the network tanh layers and one linear
    output that starts at 0. Centre and unit follow the targets, and the output layer is rescaled
    so that V itself does not move (van Hasselt et al. 2016, arXiv 1602.07714): the fit is as quick for
    returns around 1000 as for returns around 1.

    Parameters, gradient and Adam's moments are one flat vector each; the layers are views.
    """

    def __init__(
        self,
        observation_dim: int,
        hidden: Sequence[int],
        generator: torch.Generator,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shapes = tuple(itertools.pairwise((observation_dim, *hidden, 1)))
        count = sum((n_in + 1) * n_out for n_in, n_out in shapes)
        self.theta = torch.zeros(count, device=device, dtype=dtype)
        self.centre, self.unit = 0.0, 1.0
        self._known = False
        self._flat = native(self.theta)
        self._gradient = native(torch.zeros_like(self.theta))
        self._layers = layers_of(self._flat, shapes)
        self._slopes = layers_of(self._gradient, shapes)
        self._adam = Adam(self._flat)
        self._tapes: dict[int, Tape] = {}
        for weight, _ in self._layers[:-1]:
            start = torch.empty(weight.shape)
            torch.nn.init.orthogonal_(start, 2**0.5, generator=generator)
            as_tensor(weight).copy_(start)

    def values(self, observation: NDArray[np.float32]) -> Array:
        """V of (…, observation_dim): (…,) float64."""
        x = torch.from_numpy(observation.reshape(-1, observation.shape[-1])).to(self.theta)
        raw = as_tensor(Tape(self._layers, len(x)).forward(native(x))).double().cpu().numpy()
        values: Array = self.centre + self.unit * raw.reshape(observation.shape[:-1])
        return values

    def rescale(self, factor: float) -> None:
        """Let V follow rewards that from now on are `factor` times as large."""
        self.centre *= factor
        self.unit *= factor

    def adopt(self, targets: Array) -> None:
        """Let centre and unit follow finite targets; V stays what it is."""
        mean, spread = float(targets.mean()), float(targets.std())
        kept = MEMORY if self._known else 0.0
        centre = kept * self.centre + (1 - kept) * mean
        old = self.unit**2 + (self.centre - centre) ** 2
        second = kept * old + (1 - kept) * (spread**2 + (mean - centre) ** 2)
        unit = max(second**0.5, FLOOR * float(np.max(np.abs(targets))))
        if unit == 0:
            return  # nothing but zeros so far
        weight, bias = self._layers[-1]
        weight *= self.unit / unit
        bias *= self.unit / unit
        bias += (self.centre - centre) / unit
        self.centre, self.unit, self._known = centre, unit, True

    def matrices(self, observation: NDArray[np.float32], targets: Array) -> tuple[Matrix, Matrix]:
        """Observations (N, observation_dim) and targets (N, 1) as `descend` takes rows of them."""
        x = torch.from_numpy(observation.reshape(-1, observation.shape[-1])).to(self.theta)
        scaled = (targets.reshape(-1, 1) - self.centre) / self.unit
        return native(x), native(torch.from_numpy(scaled).to(self.theta))

    def descend(self, x: Matrix, target: Matrix, rate: float) -> None:
        """One Adam step on the mean squared error of a minibatch, in the critic's unit."""
        tape = self._tapes.get(len(x))
        if tape is None:
            tape = self._tapes[len(x)] = Tape(self._layers, len(x))
        delta = tape.forward(x)
        delta -= target
        delta *= 2 / len(x)
        tape.pull(delta, self._slopes)
        self._adam.step(self._flat, self._gradient, rate)

    def snapshot(self) -> dict[str, Any]:
        return {
            "theta": self.theta.clone(),
            "m": as_tensor(self._adam.m).clone(),
            "v": as_tensor(self._adam.v).clone(),
            "steps": self._adam.steps,
            "centre": self.centre,
            "unit": self.unit,
            "known": self._known,
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        self.theta.copy_(snapshot["theta"])
        as_tensor(self._adam.m).copy_(snapshot["m"])
        as_tensor(self._adam.v).copy_(snapshot["v"])
        self._adam.steps = int(snapshot["steps"])
        self.centre, self.unit = float(snapshot["centre"]), float(snapshot["unit"])
        self._known = bool(snapshot["known"])


class ModuleCritic:
    """V(s) = unit · module(normalised observation), fitted by torch's Adam.

    The module returns (N,) or (N, 1). It may share parameters with the policy: then every fit moves
    the policy too, outside its trust region, and the log says by how much (kl_drift).
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.unit = 1.0
        self._parameters = [p for p in module.parameters() if p.requires_grad]
        if not self._parameters:
            raise UserError("the critic has no parameter that requires a gradient")
        self._adam = torch.optim.Adam(self._parameters, betas=(BETA_1, BETA_2), eps=EPSILON)

    @property
    def theta(self) -> Tensor:
        """A copy of the parameters: (parameters,)."""
        return torch.cat([p.detach().reshape(-1) for p in self._parameters])

    def _evaluate(self, x: Tensor) -> Tensor:
        value: Tensor = self.module(x)
        if value.shape not in ((len(x),), (len(x), 1)):
            raise UserError(
                f"the critic gave {tuple(value.shape)} for {len(x)} observations:"
                f" it must give ({len(x)},) or ({len(x)}, 1)"
            )
        return value.reshape(-1, 1)

    def values(self, observation: NDArray[np.float32]) -> Array:
        x = torch.from_numpy(observation.reshape(-1, observation.shape[-1]))
        with torch.no_grad():
            raw = self._evaluate(x.to(self._parameters[0])).double().cpu().numpy()
        values: Array = self.unit * raw.reshape(observation.shape[:-1])
        return values

    def rescale(self, factor: float) -> None:
        self.unit *= factor

    def adopt(self, targets: Array) -> None:
        """The module's own output layer is left alone."""

    def matrices(self, observation: NDArray[np.float32], targets: Array) -> tuple[Matrix, Matrix]:
        like = self._parameters[0]
        x = torch.from_numpy(observation.reshape(-1, observation.shape[-1])).to(like)
        return x, torch.from_numpy(targets.reshape(-1, 1) / self.unit).to(like)

    def descend(self, x: Matrix, target: Matrix, rate: float) -> None:
        self._adam.param_groups[0]["lr"] = rate
        with torch.enable_grad():
            loss = ((self._evaluate(x) - target) ** 2).mean()
            gradient = torch.autograd.grad(loss, self._parameters, allow_unused=True)
        for parameter, slope in zip(self._parameters, gradient, strict=True):
            parameter.grad = slope
        self._adam.step()
        self._adam.zero_grad()

    def snapshot(self) -> dict[str, Any]:
        state = self._adam.state_dict()["state"]
        return {
            "module": {name: value.clone() for name, value in self.module.state_dict().items()},
            "adam": {k: {name: v.clone() for name, v in s.items()} for k, s in state.items()},
            "unit": self.unit,
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        self.module.load_state_dict(snapshot["module"])
        groups = self._adam.state_dict()["param_groups"]
        self._adam.load_state_dict({"state": snapshot["adam"], "param_groups": groups})
        self.unit = float(snapshot["unit"])


def only_the_critics(policy: nn.Module, critic: nn.Module, observation_dim: int) -> frozenset[str]:
    """Names of the policy module's parameters that the critic uses and the policy's output does not."""
    shared = {id(p) for p in critic.parameters() if p.requires_grad}
    named = [(n, p) for n, p in policy.named_parameters() if id(p) in shared]
    if not named:
        return frozenset()
    like = named[0][1]
    with torch.enable_grad():
        outputs = [o.sum() for o in policy(like.new_zeros(2, observation_dim)) if o.requires_grad]
        if not outputs:
            return frozenset()  # nothing is used: a fault the log is to show
        used = torch.autograd.grad(outputs, [p for _, p in named], allow_unused=True)
    return frozenset(name for (name, _), slope in zip(named, used, strict=True) if slope is None)

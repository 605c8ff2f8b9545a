"""The policy as a function of its parameters, and the tanh network used when none is given."""

import itertools
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from agent.gaussian import Gaussian
from agent.mlp import Layers, Tape, as_tensor, native
from runlog.errors import UserError

Actor = Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Observations (E, observation_dim) → mean and log σ, (E, action_dim) each."""


class GaussianMLP(nn.Module):
    """Tanh layers to the mean of the action; log σ is a parameter of its own, the same everywhere."""

    def __init__(
        self, observation_dim: int, action_dim: int, hidden: Sequence[int], log_std: float
    ) -> None:
        super().__init__()
        sizes = (observation_dim, *hidden)
        self.body = nn.Sequential()
        for n_in, n_out in itertools.pairwise(sizes):
            layer = nn.Linear(n_in, n_out)
            nn.init.orthogonal_(layer.weight, 2**0.5)
            nn.init.zeros_(layer.bias)
            self.body.append(layer)
            self.body.append(nn.Tanh())
        self.mean = nn.Linear(sizes[-1], action_dim)
        # A small last layer: the first policy acts alike in every state, and σ alone explores.
        nn.init.orthogonal_(self.mean.weight, 0.01)
        nn.init.zeros_(self.mean.bias)
        self.log_std = nn.Parameter(torch.full((action_dim,), float(log_std)))

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """(N, observation_dim) → mean (N, action_dim) and log σ (action_dim,)."""
        return self.mean(self.body(observation)), self.log_std


def tanh_layers(module: nn.Module) -> list[tuple[Tensor, Tensor]] | None:
    """Weight (n_out, n_in) and bias (n_out,) of every layer of a `GaussianMLP`, the mean's last.

    None for any other module: a subclass may compute something else from the same layers.
    """
    if type(module) is not GaussianMLP:
        return None
    linear = [layer for layer in (*module.body, module.mean) if not isinstance(layer, nn.Tanh)]
    if any(type(layer) is not nn.Linear for layer in linear):
        return None
    return [(layer.weight, layer.bias) for layer in linear if isinstance(layer, nn.Linear)]


class Policy:
    """Any module observations → (mean, log σ), seen as a function of one flat parameter vector θ.

    Only parameters that require a gradient, and are not named in `without`, are in θ; `names` and
    `shapes` give their order. A `GaussianMLP` whose layers are all in θ is computed in closed form,
    any other module by itself: UserError where what it gives cannot be (N, action_dim) each.
    """

    def __init__(self, module: nn.Module, action_dim: int, without: Collection[str] = ()) -> None:
        self.module = module
        self.action_dim = action_dim
        named = [
            (name, parameter)
            for name, parameter in module.named_parameters()
            if parameter.requires_grad and name not in without
        ]
        self.names = tuple(name for name, _ in named)
        self.shapes = tuple(parameter.shape for _, parameter in named)
        self.sizes = tuple(parameter.numel() for _, parameter in named)
        self._parameters = tuple(parameter for _, parameter in named)
        place = {id(parameter): k for k, parameter in enumerate(self._parameters)}
        layers = tanh_layers(module) or []
        learned = all(id(tensor) in place for layer in layers for tensor in layer)
        self.layer_places = tuple((place[id(w)], place[id(b)]) for w, b in layers if learned)
        """Weight and bias of every layer among the tensors of θ; empty: no closed form."""
        self.log_std_place = self.names.index("log_std") if "log_std" in self.names else None
        """Where log σ is among them; None where it is not learned. For the closed form only."""

    @property
    def dtype(self) -> torch.dtype:
        return self._parameters[0].dtype if self._parameters else torch.get_default_dtype()

    @property
    def device(self) -> torch.device:
        return next(self.module.parameters()).device

    def theta(self) -> Tensor:
        """A copy of the parameters in force: (parameters,)."""
        with torch.no_grad():
            return torch.cat([parameter.reshape(-1) for parameter in self._parameters])

    def load(self, theta: Tensor) -> None:
        """Put θ in force."""
        with torch.no_grad():
            for parameter, part in zip(self._parameters, self.split(theta), strict=True):
                parameter.copy_(part)

    def split(self, theta: Tensor) -> tuple[Tensor, ...]:
        """θ as the tensors of the module, views of it."""
        parts = torch.split(theta, list(self.sizes))
        return tuple(part.view(shape) for part, shape in zip(parts, self.shapes, strict=True))

    def at(self, tensors: Sequence[Tensor], observation: Tensor) -> Gaussian:
        """π(·|observation) at the given parameter tensors, in their floating-point type."""
        dtype = tensors[0].dtype if tensors else observation.dtype
        state: dict[str, Tensor] = {}
        for name, tensor in itertools.chain(
            self.module.named_parameters(), self.module.named_buffers()
        ):
            state[name] = tensor.to(dtype) if tensor.is_floating_point() else tensor
        state.update(zip(self.names, tensors, strict=True))
        output = functional_call(self.module, state, (observation.to(dtype),))
        return _gaussian(output, len(observation), self.action_dim)

    def layers(self, tensors: Sequence[Tensor]) -> Layers:
        """The layers of the closed form among the tensors of a θ."""
        return [
            (native(tensors[w]), native(tensors[b].reshape(1, -1))) for w, b in self.layer_places
        ]

    def tape(self, theta: Tensor, observation: Tensor) -> tuple[Tape, Gaussian]:
        """The forward pass of the closed form at θ, in the type of θ, and π there."""
        tensors = self.split(theta)
        tape = Tape(self.layers(tensors), len(observation))
        mean = as_tensor(tape.forward(native(observation.to(theta.dtype))))
        if self.log_std_place is not None:
            log_std = tensors[self.log_std_place]
        else:
            log_std = self.module.get_parameter("log_std").detach().to(mean)
        return tape, Gaussian(mean=mean, log_std=log_std.unsqueeze(0))

    def outside_graph(self, theta: Tensor, observation: Tensor) -> Gaussian:
        """π_θ in the floating-point type of θ, outside every graph."""
        if self.layer_places:
            return self.tape(theta, observation)[1]
        with torch.no_grad():
            return self.at(self.split(theta), observation).detach()

    def exactly(self, theta: Tensor, observation: Tensor) -> Gaussian:
        """π_θ in float64, outside every graph: what KL and surrogate are measured on."""
        return self.outside_graph(theta.double(), observation.double())

    def act(self, observation: Tensor) -> Gaussian:
        """π of the parameters in force, by the module, in its own type, outside every graph."""
        with torch.no_grad():
            output = self.module(observation)
            return _gaussian(output, len(observation), self.action_dim).detach()

    def actor(self) -> Actor:
        """The policy of the parameters now in force, for acting step by step until they move.

        For the tanh network on the CPU a few array operations; any other module outside the graph.
        """
        module = self.module
        layers = tanh_layers(module) if self.device.type == "cpu" else None
        if layers is None or not isinstance(module, GaussianMLP):
            return self._act_by_module
        *hidden, (last, last_bias) = [
            (weight.detach().numpy().T.copy(), bias.detach().numpy().copy())
            for weight, bias in layers
        ]
        frozen = module.log_std.detach().float().numpy().copy()

        def act(
            observation: NDArray[np.float32],
        ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            x = observation.astype(last.dtype, copy=False)
            for weight, bias in hidden:
                x = x @ weight
                x += bias
                np.tanh(x, out=x)
            mean = x @ last
            mean += last_bias
            return mean.astype(np.float32, copy=False), np.broadcast_to(frozen, mean.shape)

        return act

    def _act_by_module(
        self, observation: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        pi = self.act(torch.from_numpy(observation).to(self.device, self.dtype))
        return pi.mean.float().cpu().numpy(), pi.log_std.float().cpu().numpy()


def _gaussian(output: Any, rows: int, action_dim: int) -> Gaussian:
    """What a module gave for so many observations; UserError where it is no mean and log σ."""
    if not isinstance(output, tuple | list) or len(output) != 2:
        raise UserError(f"the policy gave a {type(output).__name__}: it must give mean and log σ")
    parts = []
    for name, part in zip(("mean", "log σ"), output, strict=True):
        column = part.unsqueeze(-1) if part.shape == (rows,) and action_dim == 1 else part
        try:
            parts.append(column.expand(rows, action_dim))
        except RuntimeError as error:
            raise UserError(
                f"the policy gave a {name} of shape {tuple(part.shape)} for {rows} observations:"
                f" it must be broadcastable to ({rows}, {action_dim})"
            ) from error
    return Gaussian(mean=parts[0], log_std=parts[1])


def flat(tensors: Sequence[Tensor | None], sizes: Sequence[int], like: Tensor) -> Tensor:
    """Tensors of the type of `like` end to end as float64; a missing one counts as zeros."""
    return torch.cat(
        [
            like.new_zeros(size) if tensor is None else tensor.reshape(-1)
            for tensor, size in zip(tensors, sizes, strict=True)
        ]
    ).double()

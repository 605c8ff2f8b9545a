"""The policy at one θ on one batch, with its derivative in both directions.

Gradient and Fisher products need nothing else: both are Jᵀ of something simple in the outputs.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from agent.gaussian import Gaussian
from agent.mlp import as_tensor, native
from agent.networks import Policy, flat

SATURATED = 0.97
"""|tanh| beyond which a unit counts as saturated: its slope is below 6 %."""


class Linearised(Protocol):
    """J is the Jacobian of (mean, log σ), (N, action_dim) each, in the tensors of θ."""

    @property
    def policy(self) -> Policy: ...

    @property
    def pi(self) -> Gaussian:
        """π_θ on the batch, in the type of θ, outside every graph."""

    def pull(self, mean: Tensor, log_std: Tensor) -> tuple[Tensor | None, ...]:
        """Jᵀ(mean, log_std) by parameter tensor; None for one the outputs do not depend on."""

    def pull_flat(self, mean: Tensor, log_std: Tensor) -> Tensor:
        """The same as one vector (parameters,), float64; zeros for what is not in the graph."""

    def push(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Jv of v (parameters,); what it returns is valid until the next push or pull."""

    def saturated_fraction(self) -> float | None:
        """Share of tanh activations beyond `SATURATED`; None for a policy without nn.Tanh."""


def linearise(policy: Policy, theta: Tensor, observation: Tensor) -> Linearised:
    """The closed form where the policy has one, else autograd. `observation`: (N, …)."""
    kind = ClosedForm if policy.layer_places else ByAutograd
    return kind(policy, theta, observation)


class ClosedForm:
    """The tanh network, from the activations of one forward pass."""

    def __init__(self, policy: Policy, theta: Tensor, observation: Tensor) -> None:
        self.policy = policy
        self._tape, self.pi = policy.tape(theta, observation)
        self._vector = torch.empty_like(theta)  # what is pushed, and what was pulled
        self._tensors = policy.split(self._vector)
        self._layers = policy.layers(self._tensors)

    def pull(self, mean: Tensor, log_std: Tensor) -> tuple[Tensor | None, ...]:
        self._pull(mean, log_std)
        return self.policy.split(self._vector.clone())

    def pull_flat(self, mean: Tensor, log_std: Tensor) -> Tensor:
        self._pull(mean, log_std)
        return self._vector.to(torch.float64, copy=True)

    def _pull(self, mean: Tensor, log_std: Tensor) -> None:
        self._tape.pull(native(mean), self._layers)
        if self.policy.log_std_place is not None:
            torch.sum(log_std, 0, out=self._tensors[self.policy.log_std_place])

    def push(self, v: Tensor) -> tuple[Tensor, Tensor]:
        self._vector.copy_(v)
        mean = as_tensor(self._tape.push(self._layers))
        if self.policy.log_std_place is None:
            return mean, torch.zeros_like(mean)
        return mean, self._tensors[self.policy.log_std_place].expand_as(mean)

    def saturated_fraction(self) -> float | None:
        return self._tape.share_beyond(SATURATED)


class ByAutograd:
    """Any module. Jv is the derivative of u ↦ Jᵀu, which is linear, so the u does not matter."""

    def __init__(self, policy: Policy, theta: Tensor, observation: Tensor) -> None:
        self.policy = policy
        self._tensors = tuple(part.detach().requires_grad_() for part in policy.split(theta))
        self._saturated, self._units = 0, 0
        units = [m for m in policy.module.modules() if isinstance(m, nn.Tanh)]
        hooks = [unit.register_forward_hook(self._count) for unit in units]
        try:
            with torch.enable_grad():
                graph = policy.at(self._tensors, observation)
        finally:
            for hook in hooks:
                hook.remove()
        self._outputs = (graph.mean, graph.log_std)
        self.pi = graph.detach()
        self._u: tuple[Tensor, ...] = ()
        self._transposed: list[tuple[int, Tensor]] = []

    def pull(self, mean: Tensor, log_std: Tensor) -> tuple[Tensor | None, ...]:
        return self._pull((mean, log_std), create_graph=False)

    def pull_flat(self, mean: Tensor, log_std: Tensor) -> Tensor:
        return flat(self.pull(mean, log_std), self.policy.sizes, mean)

    def _pull(self, slopes: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor | None, ...]:
        known = [(o, s) for o, s in zip(self._outputs, slopes, strict=True) if o.requires_grad]
        if not known:
            return tuple(None for _ in self._tensors)
        outputs, given = zip(*known, strict=True)
        with torch.enable_grad():
            return torch.autograd.grad(
                outputs,
                self._tensors,
                given,
                create_graph=create_graph,
                retain_graph=True,
                allow_unused=True,
            )

    def push(self, v: Tensor) -> tuple[Tensor, Tensor]:
        if not self._u:
            self._u = tuple(torch.zeros_like(o, requires_grad=True) for o in self._outputs)
            parts = self._pull(self._u, create_graph=True)
            self._transposed = [(k, t) for k, t in enumerate(parts) if t is not None]
        along = self.policy.split(v.to(self.pi.mean.dtype))
        moved: tuple[Tensor | None, ...] = (None, None)
        if self._transposed:
            moved = torch.autograd.grad(
                [t for _, t in self._transposed],
                self._u,
                [along[k] for k, _ in self._transposed],
                retain_graph=True,
                allow_unused=True,
            )
        mean, log_std = (
            torch.zeros_like(o) if m is None else m
            for o, m in zip(self._outputs, moved, strict=True)
        )
        return mean.detach(), log_std.detach()

    def _count(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._saturated += int(torch.count_nonzero(output.detach().abs() > SATURATED))
        self._units += output.numel()

    def saturated_fraction(self) -> float | None:
        return self._saturated / self._units if self._units else None

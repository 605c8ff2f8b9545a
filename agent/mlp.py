"""A tanh network written out: its forward pass, kept, and its derivative in both directions.

One algorithm over the operations numpy and torch have in common: arrays on the CPU, where numpy's
calls cost half of torch's, and tensors on any other device.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

Matrix = Any
"""A numpy array, or a tensor outside every graph."""
Layers = Sequence[tuple[Matrix, Matrix]]
"""Weight (n_out, n_in) and bias (1, n_out) of every layer; the last one is linear."""


def native(tensor: Tensor) -> Matrix:
    """The same memory as the device's own kind of matrix."""
    return tensor.numpy() if tensor.device.type == "cpu" else tensor


def as_tensor(matrix: Matrix) -> Tensor:
    """The same memory as a tensor."""
    return torch.from_numpy(matrix) if isinstance(matrix, np.ndarray) else matrix


def operations(matrix: Matrix) -> ModuleType:
    """The library whose functions take this matrix."""
    return np if isinstance(matrix, np.ndarray) else torch


def layers_of(vector: Matrix, shapes: Sequence[tuple[int, int]]) -> Layers:
    """Views of one flat vector as layers, weight before bias. `shapes`: (n_in, n_out) by layer."""
    layers, at = [], 0
    for n_in, n_out in shapes:
        weight = vector[at : at + n_in * n_out].reshape(n_out, n_in)
        at += n_in * n_out
        layers.append((weight, vector[at : at + n_out].reshape(1, n_out)))
        at += n_out
    return layers


class Tape:
    """The network on a batch of a fixed number of rows; every buffer is made once and used again.

    The layers are read anew in each pass, so parameters may move between two of them.
    """

    def __init__(self, layers: Layers, rows: int) -> None:
        self._layers = layers
        weight = layers[0][0]
        self._xp = operations(weight)
        self._outputs = [self._like(weight, rows, len(w)) for w, _ in layers]
        self._inputs: list[Matrix] = []
        self._backward: list[Matrix] = []
        self._scratch: list[Matrix] = []
        self._slopes: list[Matrix] = []
        self._sum = self._like(weight, 1, rows)
        self._sum[:] = 1

    def _like(self, weight: Matrix, rows: int, columns: int) -> Matrix:
        if self._xp is np:
            return np.empty((rows, columns), dtype=weight.dtype)
        return torch.empty((rows, columns), dtype=weight.dtype, device=weight.device)

    def forward(self, x: Matrix) -> Matrix:
        """(rows, n_in) → (rows, n_out), a buffer of the tape."""
        xp, last = self._xp, len(self._layers) - 1
        self._inputs = [x, *self._outputs[:-1]]
        self._slopes = []
        for k, (weight, bias) in enumerate(self._layers):
            out = self._outputs[k]
            xp.matmul(self._inputs[k], weight.T, out=out)
            xp.add(out, bias, out=out)
            if k < last:
                _tanh(out)
        return self._outputs[-1]

    def _prepare(self) -> None:
        """1 − h² of every hidden layer, and room for what runs back and forth."""
        if self._slopes:
            return
        xp, hidden = self._xp, self._outputs[:-1]
        if not self._backward:
            self._backward = [xp.empty_like(h) for h in self._outputs]
            self._scratch = [xp.empty_like(h) for h in self._outputs]
        for h, room in zip(hidden, self._scratch, strict=False):
            xp.multiply(h, h, out=room)
            self._slopes.append(1 - room)

    def pull(self, delta: Matrix, into: Layers) -> None:
        """Jᵀδ: gradient by layer, written into `into`, of a function with slope `delta` (rows,
        n_out) in the outputs."""
        self._prepare()
        xp = self._xp
        for k in range(len(self._layers) - 1, -1, -1):
            weight, bias = into[k]
            xp.matmul(delta.T, self._inputs[k], out=weight)
            xp.matmul(self._sum, delta, out=bias)
            if k:
                below = self._backward[k - 1]
                outer = delta.shape[1] == 1  # numpy has no quick matrix product for it
                (xp.multiply if outer else xp.matmul)(delta, self._layers[k][0], out=below)
                xp.multiply(below, self._slopes[k - 1], out=below)
                delta = below

    def push(self, tangents: Layers) -> Matrix:
        """Jv: change of the outputs (rows, n_out) along a direction in the layers; a buffer."""
        self._prepare()
        xp, last = self._xp, len(self._layers) - 1
        moved: Matrix = None
        for k, (weight, bias) in enumerate(tangents):
            out = self._backward[k]
            xp.matmul(self._inputs[k], weight.T, out=out)
            xp.add(out, bias, out=out)
            if moved is not None:
                xp.matmul(moved, self._layers[k][0].T, out=self._scratch[k])
                xp.add(out, self._scratch[k], out=out)
            if k < last:
                xp.multiply(out, self._slopes[k], out=out)
            moved = out
        return moved

    def share_beyond(self, bound: float) -> float | None:
        """Share of the hidden activations with |h| > bound; None without a hidden layer."""
        xp, hidden = self._xp, self._outputs[:-1]
        if not hidden:
            return None
        beyond = sum(int(xp.count_nonzero(xp.abs(h) > bound)) for h in hidden)
        return float(beyond / sum(len(h) * h.shape[1] for h in hidden))


def _tanh(x: Matrix) -> None:
    """In place. In float64 torch's tanh takes less than half the time of numpy's."""
    if isinstance(x, np.ndarray) and x.dtype == np.float32:
        np.tanh(x, out=x)
    else:
        as_tensor(x).tanh_()

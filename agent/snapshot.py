"""What a snapshot is made of: tensors, numbers and text, which load without running any code."""

from dataclasses import fields
from typing import Any

import numpy as np
import torch

from runlog.errors import UserError

FORMAT = 2
"""1: without environments. 2: with their state and the episodes that go on."""


def plain(value: Any, name: str) -> Any:
    """A copy of nested dicts, lists, arrays, numbers and text with every array as a tensor.

    A dataclass becomes the dict of its fields. UserError names what is nothing of that kind.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, dict):
        return {key: plain(part, f"{name}.{key}") for key, part in value.items()}
    if isinstance(value, list | tuple):
        parts = [plain(part, f"{name}[{i}]") for i, part in enumerate(value)]
        return tuple(parts) if isinstance(value, tuple) else parts
    if isinstance(value, np.ndarray | np.generic):
        try:
            return torch.from_numpy(np.array(value, order="C"))  # a copy
        except TypeError as error:
            raise _misfit(name, f"an array of {value.dtype}") from error
    if hasattr(value, "__dataclass_fields__"):
        return {
            each.name: plain(getattr(value, each.name), f"{name}.{each.name}")
            for each in fields(value)
        }
    raise _misfit(name, f"a {type(value).__name__}")


def live(value: Any) -> Any:
    """The arrays of `plain` back, of the same type and shape; one without dimensions is a scalar."""
    if isinstance(value, dict):
        return {key: live(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(live(part) for part in value)
    if isinstance(value, torch.Tensor):
        array = value.numpy().copy()
        return array if array.ndim else array[()]
    return value


def _misfit(name: str, what: str) -> UserError:
    return UserError(
        f"{name} is {what}, which no checkpoint can hold: hand over dicts and lists of numpy"
        " arrays, numbers and text, or None"
    )

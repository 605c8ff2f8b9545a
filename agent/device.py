"""Whether torch can compute here on a device of that name."""

import torch

from runlog.errors import UserError


def require_device(name: str) -> None:
    """UserError where torch has no such device here, or it has no float64: KL and line search are
    measured in it."""
    try:
        torch.zeros(1, device=name, dtype=torch.float64).item()
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]
        raise UserError(f"--device {name}: {reason}; --device cpu always works") from error

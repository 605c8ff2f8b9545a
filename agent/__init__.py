"""The TRPO agent: an update that records every one of its own debug metrics."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.training import Training as Training
    from agent.trpo_agent import TRPOAgent as TRPOAgent

_LAZY = {"Training": "agent.training", "TRPOAgent": "agent.trpo_agent"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'agent' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)

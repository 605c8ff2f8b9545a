"""Which iterations are suspicious: the state before one is worth keeping, to rerun it from there."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

Kind = Literal["non-finite", "rejected", "skipped", "overshoot", "collapse"]

QUIET = 25
"""A kind is news again when it has not been seen for so many iterations."""
KL_BOUND = 1.5
"""The line search accepts no KL above max_kl; one above 1.5 times it was not what it measured."""
DETERMINISTIC = math.log(0.02)
"""log of σ over half the action range: noise of 2 % of it explores nothing."""
RETURNS = 10
"""Iterations whose mean returns are the past that a new one is compared with."""
SPREADS = 6.0
SHARE = 0.5
"""A return has collapsed when it lies 6 deviations of the past below its median, and half of all that
was ever gained: noise does the first now and then, slow forgetting does the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was seen so far. `half_range`: of the narrowest bounded action, 1 where none is bounded.

    `returns`: of the latest iterations in which enough episodes ended; `worst`, `best`: ever.
    `seen`: when each kind was last there.
    """

    half_range: float = 1.0
    returns: tuple[float, ...] = ()
    worst: float = math.inf
    best: float = -math.inf
    seen: Mapping[Kind, int] = field(default_factory=dict)


def half_range(low: np.ndarray, high: np.ndarray) -> float:
    """Half the range of the narrowest bounded action; 1 where none is bounded. The largest number
    there is stands for no bound: from one to the other no number reaches."""
    with np.errstate(over="ignore"):
        spans = high - low
    spans = spans[np.isfinite(spans)]
    return float(spans.min() / 2) if spans.size else 1.0


def judge(row: Mapping[str, Any], past: Past) -> tuple[dict[Kind, str], Past]:
    """What is newly suspicious about one row, in words, and the past with it."""
    found = _found(row, past)
    iteration = int(row["iteration"])
    never = iteration - QUIET - 1
    news = {k: text for k, text in found.items() if iteration - past.seen.get(k, never) > QUIET}
    value = _return(row)
    if value is not None:
        past = replace(
            past,
            returns=(*past.returns, value)[-RETURNS:],
            worst=min(past.worst, value),
            best=max(past.best, value),
        )
    return news, replace(past, seen={**past.seen, **dict.fromkeys(found, iteration)})


def _found(row: Mapping[str, Any], past: Past) -> dict[Kind, str]:
    found: dict[Kind, str] = {}
    strange = [k for k, v in row.items() if isinstance(v, float) and not math.isfinite(v)]
    if strange:
        found["non-finite"] = f"{strange[0]} is {row[strange[0]]}"
    outcome = row.get("update_outcome") or ""
    if outcome == "rejected":
        found["rejected"] = "the line search rejected every candidate"
    elif outcome.startswith("skipped"):
        found["skipped"] = f"update_outcome is {outcome}"
    kl, max_kl = row.get("kl"), row.get("max_kl")
    if kl is not None and max_kl is not None and kl > KL_BOUND * max_kl:
        found["overshoot"] = f"kl is {kl:.3g}, max_kl {max_kl:.3g}"
    collapsed = _collapsed(row, past)
    if collapsed:
        found["collapse"] = collapsed
    return found


def _return(row: Mapping[str, Any]) -> float | None:
    """The mean return, where the ended episodes make up half a batch: fewer are a chance selection,
    in long episodes the few that ended early."""
    value = row.get("episode_return_mean")
    if value is None or not math.isfinite(value):
        return None
    ended = row["episodes_terminated"] + row["episodes_truncated"]
    steps = ended * row["episode_length_mean"]
    return float(value) if 2 * steps >= row["batch_size"] else None


def _collapsed(row: Mapping[str, Any], past: Past) -> str | None:
    log_std, value = row.get("log_std_min"), _return(row)
    if log_std is not None and log_std < DETERMINISTIC + math.log(past.half_range):
        return f"log_std_min is {log_std:.2f}: the actions hardly vary"
    if value is None or len(past.returns) < RETURNS:
        return None
    middle = float(np.median(past.returns))
    # The median deviation: one bad iteration does not widen it. 1.4826 makes it σ for a normal.
    spread = 1.4826 * float(np.median(np.abs(np.array(past.returns) - middle)))
    fallen = middle - value
    if fallen > SPREADS * spread and fallen > SHARE * (past.best - past.worst):
        return f"episode_return_mean fell from {middle:.4g} to {value:.4g}"
    return None

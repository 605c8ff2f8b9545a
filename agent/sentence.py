"""The state of a training in one line that fits: pure text."""

from collections.abc import Mapping
from typing import Any


def sentence(
    row: Mapping[str, Any],
    reached: float | None,
    iterations: int,
    left: float | None,
    speed: float | None,
    columns: int | None,
) -> str:
    """One iteration. `reached`: the latest mean return, None before the first episode ended.

    `left`: seconds to the planned end; `speed`: steps a second; None where not known. In `columns`
    (None: any number) what matters less is left out first, and the end is cut off last.
    """
    outcome = row["update_outcome"]
    count = f"{row['iteration']}/{iterations}"
    speed = row["steps_per_second"] if speed is None else speed
    parts = {
        "iteration": f"iteration {count}",
        "steps": f"{amount(row['timesteps'])} steps",
        "speed": f"{speed:,.0f} steps/s",
        "return": f"reward {number(row['reward_mean'])} a step"
        if reached is None
        else f"return {number(reached)}",
        "kl": f"kl {row['kl']:.3g}",
        "outcome": "" if outcome == "accepted" else outcome,
        "left": "time left not known yet" if left is None else f"{duration(left)} left",
    }
    if row["iteration"] >= iterations:
        parts["left"] = ""
    for name, shorter in (
        ("", ""),
        ("left", "" if left is None else parts["left"]),
        ("iteration", count),
        ("steps", ""),
        ("speed", ""),
        ("kl", ""),
        ("left", ""),
    ):
        parts[name] = shorter
        line = "  ".join(part for part in parts.values() if part)
        if columns is None or len(line) <= columns:
            return line
    return line[:columns]


def amount(count: int) -> str:
    """A count of steps in at most five characters."""
    for unit, sign in ((1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")):
        if count >= unit:
            share = count / unit
            return f"{share:.0f}{sign}" if share >= 99.5 else f"{share:.3g}{sign}"
    return str(count)


def number(value: float) -> str:
    """A return or reward: one decimal where that tells returns apart."""
    return f"{value:.1f}" if 1 <= abs(value) < 1e6 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """In the unit that needs two or three digits."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 129_600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"

"""What a line search's text says: the outcome, the candidates tried, what was restored."""

import math
from collections.abc import Sequence

from runlog.importers.formats.format import Cells, Said
from runlog.importers.printed import Printed

Changes = dict[str, Printed | None]

ZERO = Printed(0.0, 0.0)


def _exact(value: float | bool | str | tuple[float, ...]) -> Printed:
    return Printed(value, 0.0)


def _numbers(said: Sequence[Said], mark: str, place: int) -> tuple[Printed, ...]:
    return tuple(s.numbers[place] for s in said if s.mark == mark)


def rejected(cells: Cells) -> Changes:
    """The old parameters are back: what is measured of a step is 0, as far as it is printed."""
    changes: Changes = {
        "line_search_success": _exact(value=False),
        "update_outcome": _exact("rejected"),
        "step_fraction": ZERO,
    }
    if "kl" in cells:
        changes["kl"] = ZERO
    return changes


def accepted(step_fraction: float | None) -> Changes:
    """A candidate was taken."""
    changes: Changes = {
        "line_search_success": _exact(value=True),
        "update_outcome": _exact("accepted"),
    }
    if step_fraction is not None:
        changes["step_fraction"] = _exact(step_fraction)
    return changes


def conjugate_gradient(said: Sequence[Said]) -> Changes:
    """Of a table of iteration, squared residual norm, norm of the solution.

    John Schulman's code, and all that took it over, heads its second column `residual norm` and
    prints the square of that norm.
    """
    rows = [s.numbers for s in said if s.mark == "cg"]
    starts = [i for i, (n, _, _) in enumerate(rows) if n.value == 0]
    if not starts:
        return {}
    rows = rows[starts[-1] :]
    squares = [square.number for _, square, _ in rows]
    if any(square < 0 for square in squares):
        return {}
    half = rows[0][1].half_unit
    norm = math.sqrt(squares[0])
    changes: Changes = {
        "gradient_norm": Printed(norm, half / (2 * norm) if norm > half else math.sqrt(half)),
    }
    if len(rows) > 1 and said[-1].mark != "cg":  # the table has ended
        changes["step_direction_norm"] = rows[-1][2]
        changes["cg_iterations"] = _exact(len(rows) - 1)
        if norm > 0:
            relative = tuple(math.sqrt(square) / norm for square in squares[1:])
            changes["cg_residuals"] = _exact(relative)
            changes["cg_residual"] = Printed(
                relative[-1], math.sqrt(rows[-1][1].half_unit + squares[-1]) / norm - relative[-1]
            )
    return changes


def halving(cells: Cells, said: Sequence[Said]) -> Changes:
    """baselines: `Expected: … Actual: …` for each candidate, then what was decided of it.

    A block may hold several updates; its box keeps the last of them.
    """
    ends = [i for i, s in enumerate(said) if s.mark in ("ok", "failed", "zero-gradient")]
    if not ends:
        return conjugate_gradient(said)
    begin = ends[-2] + 1 if len(ends) > 1 else 0
    last = said[begin : ends[-1] + 1]
    outcome = said[ends[-1]].mark
    if outcome == "zero-gradient":
        stale = ("policy_loss", "entropy")
        changes: Changes = {"update_outcome": _exact("skipped-gradient")}
        changes |= dict.fromkeys((column for column in stale if column in cells), None)
        return changes | ({"kl": ZERO} if "kl" in cells else {})
    changes = conjugate_gradient(last)
    changes["updates"] = _exact(len(ends))
    gains = _numbers(last, "try", 1)
    if gains:
        changes["line_search_steps"] = _exact(len(gains))
        changes["expected_improvement"] = _numbers(last, "try", 0)[-1]
        changes["line_search_gains"] = _exact(tuple(gain.number for gain in gains))
    if outcome == "failed":
        # what the box prints is the last rejected candidate's
        changes |= dict.fromkeys((c for c in ("policy_loss", "entropy") if c in cells), None)
        return changes | rejected(cells)
    if gains:
        changes["actual_improvement"] = gains[-1]
    return changes | accepted(0.5 ** (len(gains) - 1) if gains else None)


def ratio_lines(cells: Cells, said: Sequence[Said]) -> Changes:
    """John Schulman's modular_rl and its heirs: a line `a/e/r` for each candidate.

    a is the improvement, e the one expected at the candidate's fraction, r their ratio.
    """
    changes = conjugate_gradient(said)
    if any(s.mark == "zero-gradient" for s in said):
        return changes | {"update_outcome": _exact("skipped-gradient")}
    actual = _numbers(said, "try", 0)
    if not actual:
        return changes
    changes["line_search_steps"] = _exact(len(actual))
    changes["expected_improvement"] = _numbers(said, "try", 1)[0]
    changes["line_search_gains"] = _exact(tuple(gain.number for gain in actual))
    if "policy_loss" not in cells:  # printed only of a candidate that was taken
        return changes | rejected(cells)
    changes["actual_improvement"] = actual[-1]
    changes["improvement_ratio"] = _numbers(said, "try", 2)[-1]
    return changes | accepted(0.5 ** (len(actual) - 1))


def full_step_always(_: Cells, said: Sequence[Said]) -> Changes:
    """modular_rl: the search is printed, then the full step is taken whatever it found."""
    changes = conjugate_gradient(said)
    if any(s.mark == "zero-gradient" for s in said):
        return changes | {"update_outcome": _exact("skipped-gradient")}
    actual = _numbers(said, "try", 0)
    if not actual:
        return changes
    changes["line_search_steps"] = _exact(len(actual))
    changes["expected_improvement"] = _numbers(said, "try", 1)[0]
    changes["line_search_gains"] = _exact(tuple(gain.number for gain in actual))
    changes["step_fraction"] = _exact(1.0)
    changes["actual_improvement"] = actual[0]
    changes["improvement_ratio"] = _numbers(said, "try", 2)[0]
    if any(s.mark in ("success", "no-success") for s in said):
        found = any(s.mark == "success" for s in said)
        changes["line_search_success"] = _exact(found)
    return changes


def counted_from_zero(cells: Cells, said: Sequence[Said]) -> Changes:
    """Spinning Up: a failed search goes back, measures there, and prints the last try's number."""
    kl, gain = cells.get("kl"), cells.get("actual_improvement")
    if kl is None or gain is None:
        return {}
    steps = cells.get("line_search_steps")
    if steps is None:
        # vanilla policy gradient in PyTorch measures both before its step
        return {} if gain.value != 0 else {"kl": None, "actual_improvement": None}
    failed = any(s.mark == "failed" for s in said)
    taken = any(s.mark == "ok" for s in said)
    if failed or (not taken and kl.value == 0 and gain.value == 0 and steps.number > 1):
        return rejected(cells)
    fraction = 0.8 ** (steps.number - 1)
    return accepted(fraction)


def restored(cells: Cells, said: Sequence[Said]) -> Changes:
    """rllab, garage: a rejected step is taken back before anything is measured."""
    changes: Changes = {}
    tries = _numbers(said, "backtracks", 0)
    if tries:
        changes["line_search_steps"] = _exact(int(tries[-1].number) + 1)
    if any(s.mark == "failed" for s in said):
        return changes | rejected(cells)
    kl = cells.get("kl")
    if kl is not None and kl.number > 0:
        return changes | accepted(None)
    return changes


def acceptance_step(cells: Cells, said: Sequence[Said]) -> Changes:
    """OmniSafe: the candidate that was taken, from 1; 0 when none was.

    With a search direction, the printed KL is averaged with one 0 for each Fisher product.
    """
    changes: Changes = {}
    if "kl" in cells and "step_direction_norm" in cells:
        changes["kl"] = None
    gains = _numbers(said, "try", 1)
    if gains:
        changes["expected_improvement"] = _numbers(said, "try", 0)[-1]
        changes["line_search_gains"] = _exact(tuple(gain.number for gain in gains))
    step = cells.get("line_search_steps")
    if step is None:
        return changes
    if step.value == 0:
        changes["line_search_steps"] = _exact(len(gains)) if gains else None
        return changes | rejected(cells)
    fraction = 0.8 ** (step.number - 1)
    norm = cells.get("parameter_delta_norm")
    if norm is not None:
        changes["full_step_norm"] = Printed(norm.number / fraction, norm.half_unit / fraction)
    if gains:
        changes["actual_improvement"] = gains[-1]
    return changes | accepted(fraction)


def rolled_back(cells: Cells, _: Sequence[Said]) -> Changes:
    """wojzaremba: KL above twice max_kl (0.01 there) is printed and the step taken back."""
    kl = cells.get("kl")
    if kl is None or not kl.number > 0.02:
        return {}
    return rejected(cells) | dict.fromkeys(c for c in ("policy_loss", "entropy") if c in cells)


def backtracked(_: Cells, said: Sequence[Said]) -> Changes:
    """mjrl: a line for each candidate that was too long."""
    tries = len(_numbers(said, "backtrack", 0))
    return {"line_search_steps": _exact(tries + 1)} if tries else {}

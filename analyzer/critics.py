"""What the critic does with its targets: how far off it is, how far a fit moves it, and whereto."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from analyzer.history import ever, so_far
from analyzer.interval import Interval, exact
from analyzer.measure import column, derived
from analyzer.view import View

EARLY = 5
FAR = 100.0
DIFFER = 0.25
"""Spread of the mean returns lately over the largest so far."""
LATELY = 20


def _target_square(view: View) -> Interval:
    """Mean of the squared value targets: the loss of a critic that says 0 everywhere."""
    return view["return_mean"].square() + view["return_std"].square()


def _target_size(view: View) -> Interval:
    return _target_square(view).sqrt()


def _error_to_targets(view: View) -> Interval:
    square = _target_square(view)
    return view["value_loss"] / square.where(square.known & (square.low > 0.0))


def _after_fit(view: View) -> Interval:
    square = _target_square(view)
    return view["value_loss_after"] / square.where(square.known & (square.low > 0.0))


def _fit_share(view: View) -> Interval:
    loss = view["value_loss"]
    return view["value_loss_after"] / loss.where(loss.known & (loss.low > 0.0))


def _fits_needed(view: View) -> Interval:
    """Fits until the targets at the pace of this one: a fit that takes the error E to E − ΔV lowers
    the loss by about 2ΔV/E of itself. Infinite where the loss did not fall."""
    share = _fit_share(view)
    gain = 1.0 - share.middle
    with np.errstate(divide="ignore", invalid="ignore"):
        fits = np.where(gain > 0.0, 2.0 / np.where(gain > 0.0, gain, 1.0), np.inf)
    return exact(fits, share.known)


def _value_reach(view: View) -> Interval:
    size = _target_size(view)
    reach = view["value_mean"].abs() + view["value_std"]
    return reach / size.where(size.known & (size.low > 0.0))


def _value_spread(view: View) -> Interval:
    spread = view["return_std"]
    return view["value_std"] / spread.where(spread.known & (spread.low > 0.0))


def _error_over_rounding(view: View) -> Interval:
    """Root of the value loss over 32ε of the largest target: at 1 there is nothing left to fit."""
    largest = view["return_min"].abs().larger(view["return_max"].abs())
    rounding = largest * (32.0 * view.eps)
    return view["value_loss"].sqrt() / rounding.where(rounding.known & (rounding.low > 0.0))


def _untold_targets(view: View) -> Interval:
    """Explained variance where this log has no value targets, and the returns of LATELY rows differ:
    of a task that is solved or pays no more, whose targets hardly vary, any number may be printed."""
    returned = view["episode_return_mean"]
    if len(view) < LATELY:
        return view.empty()
    most = sliding_window_view(np.where(returned.known, returned.low, -np.inf), LATELY).max(axis=1)
    least = sliding_window_view(np.where(returned.known, returned.high, np.inf), LATELY).min(axis=1)
    spread = np.concatenate((np.zeros(LATELY - 1), most - least))
    differ = spread > DIFFER * so_far(returned.abs()).high
    return view["explained_variance"].where(differ & ~ever(view["return_std"].known))


def _untold_loss(view: View) -> Interval:
    """The critic's loss where this log never says what a fit leaves of it."""
    return view["value_loss"].where(~ever(view["value_loss_after"].known))


def _loss_growth(view: View) -> Interval:
    """The critic's loss over the largest of its first EARLY rows, where it is also FAR times what a
    critic that says 0 would have at most: the square of the largest return so far."""
    loss = view["value_loss"].or_else(view["value_loss_after"])
    worst = so_far(view["episode_return_mean"].abs()).square()
    rows = np.flatnonzero(loss.known & np.isfinite(loss.middle))
    if len(rows) <= EARLY:
        return view.empty()
    first = float(loss.middle[rows[:EARLY]].max())
    later = np.arange(len(view)) > rows[EARLY - 1]
    beyond = np.where(loss.low > FAR * worst.high, loss.low / max(first, 1e-300), 0.0)
    return exact(beyond, loss.known & worst.known & later)


# fmt: off
TARGET_SIZE = derived("target_size", "training reward", "√(return_mean² + return_std²)", _target_size, "return_mean return_std")
ERROR_TO_TARGETS = derived("error_to_targets", "1", "value_loss / mean squared target", _error_to_targets, "value_loss return_mean return_std")
AFTER_FIT = derived("error_after_fit", "1", "value_loss_after / mean squared target", _after_fit, "value_loss_after return_mean return_std")
FIT_SHARE = derived("loss_left_by_fit", "fraction", "value_loss_after / value_loss", _fit_share, "value_loss value_loss_after")
FITS_NEEDED = derived("fits_needed", "iterations", "2 / (1 − value_loss_after / value_loss)", _fits_needed, "value_loss value_loss_after")
VALUE_REACH = derived("value_to_targets", "fraction", "(|value_mean| + value_std) / target_size", _value_reach, "value_mean value_std return_mean return_std")
VALUE_SPREAD = derived("value_spread", "fraction", "value_std / return_std", _value_spread, "value_std return_std")
ERROR_OVER_ROUNDING = derived("critic_error", "1", "√value_loss / 32ε·max|target|", _error_over_rounding, "value_loss return_min return_max", shows="value_loss")
CRITIC_STEP = column("value_parameter_delta_norm")
UNTOLD_TARGETS = derived("explained_variance_without_targets", "1", "explained_variance where returns differ and no value targets are logged", _untold_targets, "explained_variance episode_return_mean", "return_std", shows="explained_variance")
UNTOLD_LOSS = derived("value_loss_without_fit", "training reward²", "value_loss where value_loss_after is not logged", _untold_loss, "value_loss", "value_loss_after", shows="value_loss")
LOSS_GROWTH = derived("loss_growth", "1", f"value_loss / its largest in the first {EARLY} rows, where it is > {FAR:g}·(largest return so far)²", _loss_growth, "value_loss episode_return_mean", "value_loss_after", shows="value_loss")
EXPLAINED_VARIANCE = column("explained_variance")
VALUE_LOSS = column("value_loss")
# fmt: on

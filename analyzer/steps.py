"""How conjugate gradient solved its system, and how much of the trust region the step spends."""

from analyzer.identities import joint_kl, log_ratio_std, positive
from analyzer.interval import Interval
from analyzer.measure import derived
from analyzer.view import View


def _disagreement(view: View) -> Interval:
    """‖Ax − g‖/‖g‖ measured anew, less what the recurrence believed."""
    return view["cg_residual_true"] - view["cg_residual"]


def _from_zero(view: View) -> bool:
    return bool(view.fact("cg_start") != "random")


def _unconjugate(view: View) -> Interval:
    """|gᵀx − xᵀAx| / xᵀAx where the residual that is left can account for it.

    From x = 0 conjugate gradient keeps the residual at right angles to x, so gᵀx = xᵀAx after any
    number of iterations. xᵀr ≤ ‖x‖‖r‖ in any case: a larger gap is one of the printed numbers.
    """
    slope, curvature = view["gradient_dot_direction"], view["curvature"]
    gap = (slope - curvature).abs()
    reach = view["step_direction_norm"] * view["cg_residual"] * view["gradient_norm"]
    possible = gap.known & reach.known & (gap.high <= 1.01 * reach.low) & (curvature.low > 0.0)
    return (gap / curvature).where(possible & _from_zero(view))


def _damped_share(view: View) -> Interval:
    """½λ‖s‖²/δ: of δ = ½sᵀ(F + λI)s, what the damping takes; absent where s is longer than that."""
    taken = view["full_step_norm"].square() * view["damping"] * 0.5
    delta = view["max_kl"]
    share = (taken / delta).where(delta.known & (delta.low > 0.0))
    return share.where(share.high <= 1.01)


def _full_kl(view: View) -> Interval:
    """KL of the full step over δ; where it was taken as it is, that is the update's own."""
    delta, fraction = view["max_kl"], view["step_fraction"]
    whole = view["kl"].where(fraction.known & (fraction.low >= 1.0))
    return (view["kl_full_step"].or_else(whole) / delta).where(delta.known & (delta.low > 0.0))


def _least_ritz(view: View) -> Interval:
    top = view["fisher_ritz_max"]
    return (view["fisher_ritz_min"] / top).where(top.known & (top.low > 0.0))


def _kl_to_spread(view: View) -> Interval:
    """KL of the accepted step over ½Var(log ratio) of the batch's own actions."""
    half = log_ratio_std(view).square() * 0.5
    return (joint_kl(view) / half).where(positive(half, 0.5e-6) & positive(view["kl"]))


# fmt: off
DISAGREEMENT = derived("residual_disagreement", "1", "cg_residual_true − cg_residual", _disagreement, "cg_residual_true cg_residual", shows="cg_residual_true cg_residual")
UNCONJUGATE = derived("direction_gap", "1", "|gᵀx − xᵀAx| / xᵀAx, where ‖x‖‖r‖ can hold it", _unconjugate, "gradient_dot_direction curvature step_direction_norm cg_residual gradient_norm", shows="gradient_dot_direction curvature")
DAMPED_SHARE = derived("damped_share", "1", "½λ‖s‖² / δ", _damped_share, "full_step_norm damping max_kl", shows="damping full_step_norm")
FULL_KL = derived("kl_full_step_over_delta", "1", "kl_full_step / max_kl", _full_kl, "kl_full_step max_kl", "kl step_fraction")
KL_TO_SPREAD = derived("kl_over_spread", "1", "KL summed over dimensions / ½Var(log ratio) of an accepted step", _kl_to_spread, "kl log_ratio_std", "ratio_std")
LEAST_RITZ = derived("least_ritz_value", "1", "least Ritz value of F / largest", _least_ritz, "fisher_ritz_min fisher_ritz_max")
# fmt: on

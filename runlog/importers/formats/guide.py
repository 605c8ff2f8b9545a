"""The guide's own printed output."""

from runlog.importers.formats.format import Format

GUIDE = Format(
    name="guide",
    algorithm="trpo",
    header="Iteration {iteration} | Timesteps {timesteps}",
    lines=(
        "Avg episode reward: {episode_return_mean}",
        "Average episode reward: {episode_return_mean}",
        "Min/Max reward: {reward_min} / {reward_max}",
        "Reward min/max: {reward_min} / {reward_max}",
        "Advantages - mean: {advantage_mean}, std: {advantage_std}",
        "Returns - mean: {return_mean}, std: {return_std}",
        "Policy loss: {policy_loss}",
        "KL divergence: {kl}",
        "Entropy: {entropy}",
        "Value loss: {value_loss}",
        "Line search: {line_search_success}",
        "Advantages (raw): mean={advantage_raw_mean}, std={advantage_raw_std}",
        "Advantages range: [{advantage_raw_min}, {advantage_raw_max}]",
        "Ratio: mean={ratio_mean}, std={ratio_std}",
        "Gradient norm: {gradient_norm}",
        "Step direction norm: {step_direction_norm}",
        "Full step norm: {full_step_norm}",
        "Expected improvement: {expected_improvement}",
    ),
    assumptions=(
        "In the code this output comes from, the policy loss is taken before the step and KL "
        "against the current parameters: there both print 0 in a healthy run too.",
        "The ratio's std stands in for that of the log ratio; the two agree to first order.",
    ),
)

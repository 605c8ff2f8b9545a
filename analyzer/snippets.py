"""How to log a column that would decide: one line of Python each, for a PyTorch trainer."""

from textwrap import wrap

from runlog.schema import BY_NAME

SNIPPETS = {
    "reward_min": "reward_min=rewards.min(), reward_max=rewards.max()",
    "reward_max": "reward_min=rewards.min(), reward_max=rewards.max()",
    "advantage_raw_std": "advantage_raw_std=advantages.std()  # before normalising",
    "advantage_raw_mean": "advantage_raw_mean=advantages.mean()  # before normalising",
    "gradient_norm": "gradient_norm=flat_gradient.norm()",
    "step_direction_norm": "step_direction_norm=x.norm()  # the conjugate gradient's solution",
    "full_step_norm": "full_step_norm=full_step.norm()",
    "expected_improvement": "expected_improvement=flat_gradient @ full_step",
    "line_search_success": "line_search_success=accepted",
    "line_search_gains": "line_search_gains=gains, line_search_kls=kls, line_search_fractions=beta",
    "line_search_kls": "line_search_gains=gains, line_search_kls=kls, line_search_fractions=beta",
    "line_search_fractions": (
        "line_search_gains=gains, line_search_kls=kls, line_search_fractions=beta"
    ),
    "kl": "kl=kl_divergence(old_distribution, new_distribution).sum(-1).mean()",
    "kl_full_step": "kl_full_step=kls[0]  # KL at fraction 1",
    "log_ratio_std": "log_ratio_std=(log_prob_new - log_prob_old).std()",
    "ratio_before_std": "ratio_before_std=(log_prob - log_prob_old).exp().std()  # before the step",
    "step_parameter_delta_norm": "step_parameter_delta_norm=(theta_after - theta_before).norm()",
    "action_log_prob_mean": "action_log_prob_mean=log_prob_old.mean(), entropy=entropy.mean()",
    "entropy": "action_log_prob_mean=log_prob_old.mean(), entropy=entropy.mean()",
    "value_loss": "value_loss=((values - returns) ** 2).mean()  # before the critic's fit",
    "return_std": "return_std=returns.std()",
    "fisher_ritz_min": "fisher_ritz_min=ritz.min(), fisher_ritz_max=ritz.max()",
    "max_kl": "max_kl=max_kl",
    "damping": "damping=damping",
}

ORDER = {name: place for place, name in enumerate(SNIPPETS)}
"""Which column to ask for first: along the update, settings last."""


WIDTH = 76
"""Characters of a line of code in a report of 80 columns."""


def snippet(column: str) -> str:
    """The call that logs this column, on as many lines as it takes."""
    told = SNIPPETS.get(column, f"{column}=…")
    arguments, _, comment = told.partition("  # ")
    call = f"log.iteration(..., {arguments})"
    if len(call) > WIDTH:
        call = f"log.iteration(\n    ...,\n    {arguments}\n)"
    meaning = BY_NAME[column].meaning if column in BY_NAME and column not in SNIPPETS else comment
    if not meaning:
        return call
    line = f"{call}  # {meaning}"
    if len(line) <= WIDTH:
        return line
    return "\n".join((*(f"# {part}" for part in wrap(meaning, WIDTH - 2)), call))

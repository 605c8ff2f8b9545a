"""Settings: each with a meaning and a range, and what the newer ones do."""

import dataclasses
import math

import pytest

from agent.config import GROUPS, Config, Range, config_of, settings
from agent.training import Training
from runlog.errors import UserError

SMALL = Config(env="Pendulum-v1", iterations=2, steps_per_iteration=256, warm_up_steps=0)


def test_every_setting_belongs_to_a_group_and_every_group_begins_with_one() -> None:
    found = list(settings())
    assert {setting.group for setting in found} == set(GROUPS.values())
    assert set(GROUPS) <= {setting.name for setting in found}
    groups = [setting.group for setting in found]
    assert [group for i, group in enumerate(groups) if group not in groups[:i]] == list(
        GROUPS.values()
    )


@pytest.mark.parametrize(
    ("allowed", "inside", "outside"),
    [
        (Range(0, above=True), (1e-300, 5.0), (0.0, -1.0, math.nan, math.inf)),
        (Range(0, 1), (0.0, 1.0), (-0.1, 1.1, math.nan)),
        (Range(1, 10), (1, 10), (0, 11)),
    ],
)
def test_range_holds_what_it_says(
    allowed: Range, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    assert all(allowed.holds(value) for value in inside)
    assert not any(allowed.holds(value) for value in outside)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fisher_fraction": 0.0}, "--fisher-fraction 0.0: must be above 0 and at most 1"),
        ({"vf_hidden": [8, 0]}, "--vf-hidden 8,0: must be between 1 and 10,000 each"),
        ({"seed": 2**32}, "--seed 4294967296: must be between 0 and 4,294,967,295"),
        ({"log_std": "0"}, "log_std = '0' is not of type float"),
        ({"hidden": [8, "8"]}, "hidden = (8, '8') is not of type a list of int"),
        ({"fault": ["x", 1]}, "fault = ('x', 1) is not of type a list of str"),
        ({"iterations": True}, "iterations = True is not of type int"),
    ],
)
def test_value_that_does_not_fit_is_told_in_one_line(
    values: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError) as error:
        config_of(values, "here")
    assert str(error.value).removeprefix("here: ") == message


def test_critic_has_the_policys_size_unless_it_has_its_own() -> None:
    def parameters(**sizes: tuple[int, ...]) -> tuple[int, int]:
        training = Training.from_config(dataclasses.replace(SMALL, **sizes))
        return sum(training.policy.sizes), training.critic.theta.numel()

    policy, critic = parameters(hidden=(8,))
    assert (policy, critic) == (3 * 8 + 8 + 8 + 1 + 1, 3 * 8 + 8 + 8 + 1)
    assert parameters(hidden=(8,), vf_hidden=(5,)) == (policy, 3 * 5 + 5 + 5 + 1)


def test_fisher_products_of_a_share_of_the_states_are_another_algorithm_and_said_to_be() -> None:
    whole, share = (
        Training.from_config(dataclasses.replace(SMALL, fisher_fraction=fraction))
        for fraction in (1.0, 0.25)
    )
    assert share.metadata["fisher_fraction"] == 0.25
    for all_of_them, some in zip(whole, share, strict=True):
        if some["iteration"] == 1:
            assert some["gradient_norm"] == all_of_them["gradient_norm"]
            assert some["curvature"] != all_of_them["curvature"]
            assert some["curvature"] == pytest.approx(all_of_them["curvature"], rel=0.5)
        assert some["cg_residual_true"] is None or some["cg_residual_true"] < 1e-2

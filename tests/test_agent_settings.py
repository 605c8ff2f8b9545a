"""Settings: each with a meaning and a range, and what the newer ones do."""

import dataclasses
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from agent import faults
from agent.__main__ import main
from agent.arguments import config_from
from agent.config import GROUPS, Config, Range, config_of, settings
from agent.flags import parser, text
from agent.training import Training
from runlog import open_run
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


def _numbers() -> st.SearchStrategy[str]:
    """Text that is, or looks like, a number."""
    odd = [
        "nan",
        "inf",
        "-inf",
        "1e999",
        "1e-999",
        "0x10",
        "1_0",
        "٣",
        "9" * 5000,
        "-0",
        "1,2,",
        ",",
    ]
    return st.one_of(
        st.integers().map(str), st.floats().map(str), st.sampled_from(odd), st.just("")
    )


def _mistake(arguments: list[str]) -> str | None:
    """What the command line is told before anything is made; None where it is accepted."""
    try:
        config = config_from(parser().parse_args(text(arguments)))
        faults.check(config)
    except UserError as error:
        return str(error)
    assert config_of(config.as_dict(), "stored") == config
    return None


@settings_of_hypothesis(max_examples=400, deadline=None)
@given(st.data())
def test_no_value_of_any_flag_makes_a_traceback(data: st.DataObject) -> None:
    flags = [setting.name.replace("_", "-") for setting in settings() if setting.kind is not bool]
    flags = [flag.replace("env-args", "env-arg") for flag in flags] + ["preset"]
    flag = data.draw(st.sampled_from(flags))
    words = st.text(st.characters(exclude_characters="\0"))
    value = data.draw(_numbers() | words | words.map(lambda word: f"x={word}"))
    told = _mistake([f"--{flag}={value}"])
    assert told is None or flag.removesuffix("s") in told.replace("_", "-") or "UTF-8" in told


@pytest.mark.parametrize("steps", [1, 192, 193, 320])
@pytest.mark.parametrize("normalised", ["--normalise-observations", "--no-normalise-observations"])
def test_steps_altogether_end_the_training_at_the_iteration_that_reaches_them(
    steps: int, normalised: str, tmp_path: Path
) -> None:
    few = ["--environments=3", "--steps-per-iteration=64", "--warm-up-steps=64", "--vf-iters=1"]
    out = f"--out={tmp_path / 'run'}"
    assert main(["train", "--env=Pendulum-v1", f"--steps={steps}", out, normalised, *few]) == 0
    done = open_run(tmp_path / "run").column("timesteps").values
    assert done[-1] >= steps
    assert len(done) == 1 or done[-2] < steps


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps=0"], "--steps 0: must be at least 1"),
        (["--steps=" + "9" * 50], "--iterations"),
        (["--steps=5", "--iterations=5"], "--steps and --iterations both say how long"),
        (["--out="], "argument --out: which folder?"),
        (["--like="], "argument --like: which folder?"),
        (["--out=" + "x" * 300], "File name too long"),
        (["--max-kl=inf"], "--max-kl inf: must be a finite number"),
        (["--max-kl"], "argument --max-kl: expected one argument"),
        (["--env=\udcff"], "is no UTF-8 text"),
        (["HalfCheetah-v5"], "unrecognized arguments: HalfCheetah-v5"),
        (["--seed=-1"], "--seed -1: must be between 0 and 4,294,967,295"),
        (["--iterations=0"], "--iterations 0: must be between 1 and 1,000,000,000"),
    ],
)
def test_mistake_is_named(arguments: list[str], message: str) -> None:
    told = _mistake(arguments)
    assert told is not None
    assert message in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env=HalfCheetah-v3"], "have been moved"),
        (["--env=HalfCheetah-v5", "--env-arg=frame_skip=0"], "does not take --env-arg"),
        (["--env=HalfCheetah-v5", "--env-arg=xml_file=no.xml"], "does not take --env-arg"),
        (["--env=Pendulum-v1", "--device=meta"], "--device meta: "),
        (["--env=Pendulum-v1", "--device=a\nb"], "--device a b: "),
        (["--env=a\nb"], "no environment"),
    ],
)
def test_what_cannot_be_made_is_one_line_too(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", f"--out={tmp_path / 'run'}", *arguments]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert len(told.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def _values() -> st.SearchStrategy[object]:
    """What a TOML or JSON file can hold."""
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    return plain | st.lists(plain, max_size=3) | st.dictionaries(st.text(max_size=3), plain)


@settings_of_hypothesis(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([s.name for s in settings()]) | st.text(), _values()))
def test_no_stored_value_makes_a_traceback(values: dict[str, object]) -> None:
    told, config = "", None
    try:
        config = config_of(values, "the file")
    except UserError as error:
        told = str(error)
    assert (config is None) == told.startswith("the file: ")
    for name, value in values.items() if config else ():
        assert getattr(config, name) == (tuple(value) if isinstance(value, list) else value)

"""Printed output of every trainer: recognised by content, read in our columns, whatever happened to it."""

import codecs
import math
import re
from pathlib import Path

import numpy as np
import pytest
from printed_samples import MODULAR_RL, SAMPLES, SPINNING_UP, WOJZAREMBA

from analyzer.answers import answers
from runlog.errors import UserError
from runlog.importers import NAMES, read_log
from runlog.importers.formats import FORMATS
from runlog.importers.formats.format import Format, Key
from runlog.importers.printed import Printed
from runlog.run import Run
from runlog.schema import BY_NAME, METADATA_KEYS

LOGS = Path(__file__).resolve().parent / "foreign_logs"
SB3 = (LOGS / "sb3" / "trpo-pendulum" / "stdout.txt").read_text()
PPO2 = (LOGS / "sb2" / "ppo2" / "stdout.txt").read_text()
BASELINES = (LOGS / "baselines" / "trpo" / "stdout.txt").read_text()
RSL_RL = (LOGS / "rsl_rl" / "stdout.txt").read_text()


def read(text: str, **options: object) -> Run:
    return read_log(text.encode(), name="train.log", **options)  # type: ignore[arg-type]  # options vary by test


def values(run: Run, column: str) -> list[object]:
    found = run.column(column)
    return [
        value if there else None
        for value, there in zip(found.values.tolist(), found.present, strict=True)
    ]


def everything(run: Run) -> dict[str, list[object]]:
    return {
        name: [None if v != v else v for v in values(run, name)]  # NaN equals nothing
        for name, type_ in run.types.items()
        if not type_.startswith("list")
    }


EXPECTED = {
    "spinning-up": {
        "iteration": [0, 1, 2],
        "timesteps": [4000, 8000, 12000],
        "kl": [0.00921, 0.00638, 0],
        "actual_improvement": [0.0337, 0.0208, 0],
        "line_search_steps": [1, 3, 10],
        "line_search_success": [1, 1, 0],
        "step_fraction": [1, pytest.approx(0.64), 0],
        "update_outcome": ["accepted", "accepted", "rejected"],
    },
    "rllab": {
        "iteration": [0, 1, 2],
        "episode_return_mean": [88.025, 102.5, 99.1],
        "log_std_mean": [0, pytest.approx(math.log(0.9332)), None],
        "policy_loss": [-0.0214, -0.0131, 1.1e-10],
        "line_search_steps": [1, 4, 15],
        "line_search_success": [1, 1, 0],
        "kl": [0.00971, 0.0088, 0],
    },
    "modular-rl": {
        "iteration": [1, 2, 3],
        "gradient_norm": [0.4127, 0.21, None],
        "line_search_success": [1, 1, None],
        "line_search_steps": [1, 2, None],
        "step_fraction": [1, 1, None],
        "kl": [0.00931, 0.01107, 0],
        "explained_variance": [0.113] * 3,
        "update_outcome": [None, None, "skipped-gradient"],
    },
    "pytorch-trpo": {
        "iteration": [1, 2, 3],
        "episode_return_mean": [-43.17, -41.02, -42.80],
        "gradient_norm": [0.0971, 0.11, 0.02],
        "expected_improvement": [0.0098, 0.0094, 0.0094],
        "actual_improvement": [0.0087, 0.0009, None],
        "line_search_success": [1, 1, 0],
        "line_search_steps": [1, 2, 10],
        "step_fraction": [1, 0.5, 0],
    },
    "wojzaremba": {
        "iteration": [0, 1, 2],
        "episodes": [24, 47, 70],
        "kl": [0.00912, 0.00874, 0],
        "policy_loss": [-0.0311, -0.025, None],
        "entropy": [0.6871, 0.6799, None],
        "update_outcome": [None, None, "rejected"],
    },
    "mjacar": {
        "iteration": [1, 2, 3],
        "episode_return_mean": [21.45, 25.17, 31.9],
        "kl": [0.00821, 0.00908, 0.00411],
        "explained_variance": [-0.012, 0.204, 0.298],
    },
    "pat-coady": {
        "iteration": [20, 40, 60],
        "episode_return_mean": [18, 22, 27],
        "explained_variance": [-0.00207, 0.211, 0.377],
        "entropy": [4.26, 4.25, 4.22],
        "policy_loss": [None] * 3,
    },
    "mjrl": {
        "iteration": [0, 1, 2],
        "explained_variance": [pytest.approx(0.127)] * 3,
        "max_kl": [0.025] * 3,
        "kl": [0.0241, 0.0248, 0.0239],
        "line_search_steps": [None, 2, None],
    },
    "rl-replicas": {
        "iteration": [1, 2, 3],
        "timesteps": [4000, 8000, 12000],
        "episode_return_mean": [-399, -398, -397],
        "entropy": [5.51] * 3,
    },
    "a2c-ppo": {
        "iteration": [0, 10, 20],
        "timesteps": [80, 880, 1680],
        "episode_return_mean": [-612.4, -602.1, -590.7],
        "episode_return_max": [-402.2, -401.9, -399.3],
        "entropy": [1.41893, 1.41021, None],
    },
    "ml-agents": {
        "iteration": [1, 2, 3],
        "timesteps": [12000, 24000, 36000],
        "episode_return_mean": [1.188, None, 1.741],
    },
    "coach": {
        "iteration": [1, 2, 3],
        "policy_loss": [-0.0021, -0.0143, -0.0207],
        "kl": [0.0004, 0.0031, 0.0058],
        "entropy": [0.6912, 0.6901, 0.6888],
    },
    "rlinf": {
        "iteration": [1, 2, 3],
        "episode_return_mean": [0.125, 0.225, 0.325],
        "kl": [0.0011, 0.0021, 0.0031],
        "value_loss_after": [0.118] * 3,
    },
    "rsl-rl": {
        "iteration": [0, 1, 2],
        "timesteps": [98304, 196608, 294912],
        "policy_loss": [-0.0064] * 3,
        "episode_return_mean": [-0.4, -0.41, -0.42],
        "log_std_mean": [pytest.approx(math.log(0.99))] * 3,
    },
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_printed_log_is_recognised_and_read(name: str) -> None:
    run = read(SAMPLES[name])
    assert run.source is not None
    assert run.source.format == name
    assert run.source.assumptions
    assert {column: values(run, column) for column in EXPECTED[name]} == EXPECTED[name]
    assert read(SAMPLES[name], from_format=name).source == run.source


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.name)
def test_every_column_a_format_names_exists(format_: Format) -> None:
    places = re.findall(r"\{(\w+)\}", " ".join((format_.header or "", *format_.lines)))
    named = {*places, *(key.column for key in format_.keys.values())} - {"_"}
    assert named <= set(BY_NAME)
    assert set(format_.metadata) <= METADATA_KEYS
    assert format_.name in NAMES
    spelled = (*format_.keys, *format_.silent, *format_.own)
    assert all(key == " ".join(key.lower().split()) for key in spelled)
    assert not set(format_.keys) & format_.silent


@pytest.mark.parametrize(
    ("key", "printed", "value", "half"),
    [
        (Key("entropy", -1.0), Printed(-1.38, 0.005), 1.38, 0.005),
        (Key("log_std_mean", log=True), Printed(0.5, 0.005), math.log(0.5), 0.01),
        (Key("explained_variance", -1.0, offset=1.0), Printed(0.25, 0.005), 0.75, 0.005),
        (Key("kl"), Printed(0.01, 0.005), 0.01, 0.005),
    ],
)
def test_a_key_may_be_a_multiple_or_a_logarithm(key, printed, value, half) -> None:
    found = key.of(printed)
    assert (found.value, found.half_unit) == pytest.approx((value, half))


def test_the_logarithm_of_nothing_is_null_and_of_nan_is_nan() -> None:
    key = Key("log_std_mean", log=True)
    assert key.of(Printed(0.0, 0.5)) is None
    found = key.of(Printed(math.nan, 0.0))
    assert found is not None
    assert math.isnan(found.number)


def test_mushroom_rl_is_read() -> None:
    run = read_log((LOGS / "mushroom" / "stdout.txt").read_bytes(), name="x")
    assert run.source is not None
    assert run.source.format == "mushroom-rl"
    assert values(run, "iteration") == list(range(1, 11))
    assert values(run, "kl")[:2] == [0.009833415038883686, 0.013084921054542065]
    assert values(run, "value_loss_after")[0] == 27.61333656311035


def test_baselines_search_and_conjugate_gradient_are_read() -> None:
    run = read(BASELINES)
    assert run.source is not None
    assert run.source.not_understood == ()
    assert values(run, "line_search_success") == [1] * 12
    # the first table: 0.00449 is the squared norm
    first = re.search(r"\n +0 +(\S+) +0\n", BASELINES)
    assert first is not None
    norm = math.sqrt(float(first.group(1)))
    assert values(run, "gradient_norm")[0] == pytest.approx(norm)
    last = re.findall(r"\n +\d+ +\S+ +(\S+)\n\S*done", BASELINES.replace("\x1b[35m", ""))
    assert values(run, "step_direction_norm") == list(map(float, last))
    assert run.metadata["line_search_kl_margin"] == 1.5


SEARCH = """\
********** Iteration 1 ************
      iter residual norm  soln norm
         0       0.04          0
         1       0.01      0.125
         2     0.0004       0.25
{tries}--------------------------
| EpRewMean       | 1.5    |
| entropy         | 2.5    |
| meankl          | 0.0213 |
| surrgain        | 0.061  |
--------------------------
"""


def test_a_failed_search_of_baselines_says_nothing_of_the_rejected_step() -> None:
    tries = "Expected: 0.050 Actual: 0.061\nviolated KL constraint. shrinking step.\n" * 10
    run = read(SEARCH.format(tries=tries + "couldn't compute a good step\n"))
    assert values(run, "line_search_success") == [0]
    assert values(run, "update_outcome") == ["rejected"]
    assert values(run, "line_search_steps") == [10]
    assert values(run, "kl") == [0]
    assert values(run, "policy_loss") == [None]
    assert values(run, "entropy") == [None]
    assert values(run, "expected_improvement") == [0.05]
    assert values(run, "gradient_norm") == [0.2]
    assert values(run, "cg_residual") == [pytest.approx(0.1)]
    assert run.lists("line_search_gains").values.tolist() == [0.061] * 10


def test_a_shrunk_step_of_baselines_is_accepted_at_its_fraction() -> None:
    tries = (
        "Expected: 0.050 Actual: -0.002\nsurrogate didn't improve. shrinking step.\n"
        "Expected: 0.050 Actual: 0.031\nStepsize OK!\n"
    )
    run = read(SEARCH.format(tries=tries))
    assert values(run, "step_fraction") == [0.5]
    assert values(run, "actual_improvement") == [0.031]
    assert values(run, "kl") == [0.0213]
    assert values(run, "policy_loss") == [-0.061]


def test_a_box_of_several_updates_keeps_the_last_search() -> None:
    one = "Expected: 0.050 Actual: 0.040\nviolated KL constraint. shrinking step.\nExpected: 0.050 Actual: 0.020\nStepsize OK!\n"
    last = "Expected: 0.030 Actual: 0.025\nStepsize OK!\n"
    run = read(SEARCH.format(tries=one + one + last))
    assert values(run, "updates") == [3]
    assert values(run, "line_search_steps") == [1]
    assert values(run, "expected_improvement") == [0.03]


def test_a_zero_gradient_skips_the_update_whatever_the_box_still_holds() -> None:
    run = read(SEARCH.format(tries="Got zero gradient. not updating\n"))
    assert values(run, "update_outcome") == ["skipped-gradient"]
    assert values(run, "kl") == [0]
    assert values(run, "policy_loss") == [None]
    assert values(run, "line_search_success") == [None]


def test_a_log_that_ends_in_its_first_skipped_update_is_one() -> None:
    run = read_log((LOGS / "baselines" / "one-action" / "stdout.txt").read_bytes(), name="x")
    assert values(run, "update_outcome") == ["skipped-gradient"]
    assert run.state.name == "crashed"


def test_keys_of_sections_are_told_apart() -> None:
    box = """\
----------------------------
| eval/          |         |
|    mean_reward | 99      |
| rollout/       |         |
|    ep_rew_mean | 5       |
| time/          |         |
|    iterations  | 3       |
| mine/          |         |
|    value_loss  | 7       |
| train/         |         |
|    value_loss  | 2       |
----------------------------
"""
    run = read(box)
    assert values(run, "value_loss_after") == [2]
    assert values(run, "episode_return_mean") == [5]
    assert run.source is not None
    assert run.source.not_understood == ("eval/mean_reward", "mine/value_loss")


def test_a_key_cut_with_dots_is_the_only_one_that_begins_so() -> None:
    run = read(PPO2.replace("| explained_variance |", "| explained_va...    |"))
    assert values(run, "explained_variance") == values(read(PPO2), "explained_variance")


def timestamped(text: str) -> str:
    return "".join(f"2024-01-01 12:00:00,123 INFO train: {line}\n" for line in text.splitlines())


def coloured(text: str) -> str:
    return "".join(f"\x1b[32m{line}\x1b[0m\n" for line in text.splitlines())


def noisy(text: str) -> str:
    noise = "\r 50%|█████     | 5/10 [00:05<00:05,  1.0s/it]\rUserWarning: slow path\n"
    return text.replace("\n", "\n" + noise, 40)


CHANGES = {
    "timestamps": timestamped,
    "colours": coloured,
    "quoted": lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
    "ranks": lambda text: "".join(f"[rank0]: {line}\n" for line in text.splitlines()),
    "windows": lambda text: text.replace("\n", "\r\n"),
    "padding": lambda text: re.sub(r"  +", lambda m: " " * (2 + len(m.group()) % 3), text),
    "noise": noisy,
    "fenced": lambda text: f"This is my log:\n```\n{text}```\nWhat is wrong?\n",
}
BOXES = {"sb3": SB3, "baselines": PPO2, "baselines-trpo": BASELINES, "rsl-rl": RSL_RL}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", BOXES)
def test_what_happens_to_a_pasted_log_changes_no_value(name: str, change: str) -> None:
    plain, changed = read(BOXES[name]), read(CHANGES[change](BOXES[name]))
    assert changed.source is not None
    assert changed.source.format == name
    assert everything(changed) == everything(plain)


@pytest.mark.parametrize("encode", ["utf-16", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("name", BOXES)
def test_encodings_of_boxes_change_no_value(name: str, encode: str) -> None:
    data = BOXES[name].encode(encode, "replace")
    assert encode != "utf-16" or data.startswith(codecs.BOM_UTF16)
    assert everything(read_log(data, name="x")) == everything(read(BOXES[name]))


def test_a_box_pasted_as_a_markdown_table_is_read() -> None:
    lines = [line for line in SB3.splitlines() if line.startswith("| ")]
    table = "\n".join([*lines[:1], "|---|---|", *lines[1:]]) + "\n"
    assert values(read(table), "kl") == values(read(SB3), "kl")


def test_the_same_box_from_two_workers_is_one_row() -> None:
    boxes = re.findall(r"-{20,}\n(?:\|.*\n)+-{20,}\n", SB3)
    assert len(boxes) == 10
    twice = read("".join(box * 2 for box in boxes))
    assert everything(twice) == everything(read(SB3))
    doubled = read("".join(line + "\n" + line + "\n" for line in SB3.splitlines()))
    assert everything(doubled) == everything(read(SB3))


def test_a_restart_after_a_crash_is_an_attempt_of_its_own() -> None:
    run = read(SB3[: len(SB3) // 2] + "\nTraceback (most recent call last):\nValueError: x\n" + SB3)
    assert run.attempts == 2
    assert everything(run) == everything(read(SB3))


def test_steps_that_fall_back_begin_an_attempt_where_nothing_is_numbered() -> None:
    run = read(PPO2 + PPO2)
    assert run.attempts == 2
    assert values(run, "timesteps") == values(read(PPO2), "timesteps")
    assert values(run, "iteration") == list(range(1, 25))


def test_a_first_box_without_its_head_and_a_last_without_its_tail_are_read() -> None:
    boxes = SB3[SB3.index("| train/") :]
    cut = boxes[: boxes.rindex("| train/")]
    run = read(cut)
    assert values(run, "kl")[:2] == values(read(SB3), "kl")[1:3]
    assert values(run, "iteration") == list(range(2, 11))
    assert values(run, "kl")[-1] is None


def test_a_box_that_has_no_number_yet_is_not_shown() -> None:
    text = (LOGS / "sb3" / "a2c-cartpole" / "stdout.txt").read_text()
    last = text.rindex("| rollout/")
    run = read(text[: text.index("| time/", last)])
    assert values(run, "iteration")[-1] == 3900


@pytest.mark.parametrize("name", ["wojzaremba", "modular-rl", "baselines-trpo"])
def test_formats_that_share_their_heads_do_not_fight(name: str) -> None:
    text = {"wojzaremba": WOJZAREMBA, "modular-rl": MODULAR_RL, "baselines-trpo": BASELINES}[name]
    assert read(text).source.format == name  # type: ignore[union-attr]  # an imported log has one


def test_a_warning_in_a_box_is_an_event_and_no_value() -> None:
    warning = "x.py:9: RuntimeWarning: invalid value encountered in double_scalars\n"
    run = read(SPINNING_UP.replace("|            LossPi", warning + "|            LossPi", 1))
    assert next((e.kind, e.text.split(":")[0]) for e in run.events) == ("warning", "RuntimeWarning")
    assert values(run, "kl") == EXPECTED["spinning-up"]["kl"]


def test_a_map_overrules_a_box_and_reads_what_the_format_does_not_know() -> None:
    run = read(SB3, mapping={"train/policy_objective": "actual_improvement", "fps": "cpu_percent"})
    assert values(run, "policy_loss") == [None] * 10
    assert values(run, "actual_improvement")[1] == 0.0102
    rows = read("| my_kl | 0.25 |\n| x | 3 |\n\n| my_kl | 0.5 |\n", mapping={"my_kl": "kl"})
    assert values(rows, "kl") == [0.25, 0.5]


def test_the_refusal_of_a_name_is_one_line() -> None:
    with pytest.raises(UserError) as refused:
        read(SB3, from_format="sb4")
    assert "\n" not in str(refused.value)
    assert "sb3" in str(refused.value)


def test_a_table_that_is_still_printed_says_no_residual() -> None:
    text = SEARCH.format(tries="")
    run = read(
        text[: text.index("------")] + "| EpRewMean | 1 |\n| meankl | 0 |\n| surrgain | 0 |\n"
    )
    assert values(run, "gradient_norm") == [0.2]
    assert values(run, "cg_iterations") == [None]


@pytest.mark.parametrize("name", SAMPLES)
def test_no_prefix_of_a_printed_sample_says_what_the_whole_does_not(name: str) -> None:
    text = SAMPLES[name]
    whole = read(text)
    for end in range(0, len(text), max(1, len(text) // 30)):
        try:
            run = read(text[:end])
        except UserError:
            continue
        for column in set(run.types) - {"entropy" if name == "wojzaremba" else ""}:
            if run.types[column].startswith("list"):
                continue
            for now, then in zip(values(run, column), values(whole, column), strict=False):
                assert now is None or now == then or np.isnan(now), (column, text[:end][-60:])


HEALTHY = (
    "sb3/trpo-pendulum", "sb3/trpo-hopper", "sb3/ppo-pendulum", "sb3/ppo-cartpole", "sb3/a2c-cartpole",
    "sb2/trpo", "sb2/ppo1", "sb2/ppo2", "sb2/a2c", "baselines/trpo", "baselines/ppo2", "garage",
    "rsl_rl", "omnisafe/trpo", "sb3/trpo-restarted", "mushroom", "rl_zoo3",
)  # fmt: skip


@pytest.mark.parametrize("name", HEALTHY)
def test_no_moment_of_a_healthy_printed_log_is_called_a_fault(name: str) -> None:
    judged = answers(read_log((LOGS / name / "stdout.txt").read_bytes(), name=name))
    assert [i for i in range(len(judged.run)) if judged.at(i).verdict == "fault"] == []

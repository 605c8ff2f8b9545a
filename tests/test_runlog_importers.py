"""Foreign logs read as runs: the guide's printed output, and what real logs do to it."""

import codecs
import re

import numpy as np
import pytest

from runlog.errors import UserError
from runlog.importers import NAMES, read_log
from runlog.run import Run

HEALTHY = """\
Iteration 10 | Timesteps 20480
  Avg episode reward: 2.5432
  Min/Max reward: 0.34 / 5.67
  Advantages - mean: 0.000000, std: 0.234567  ← Good variance!
  Returns - mean: 2.543, std: 1.234
  Policy loss: -0.0123
  KL divergence: 0.008123  ← Policy changing!
  Entropy: 12.4567  ← Moderate (stochastic policy)
  Value loss: 0.4567
  Line search: ✓ Success

  [DEBUG]
    Advantages (raw): mean=0.012345, std=0.234567  ← Non-zero!
    Advantages range: [-0.8765, 1.2345]
    Ratio: mean=1.000123, std=0.012345  ← Close to 1.0 but varying
    Gradient norm: 0.045678  ← Non-zero gradient!
    Step direction norm: 3.456789
    Full step norm: 0.012345  ← Small but non-zero
    Expected improvement: 0.000567  ← Positive!
"""
VALUES = {
    "iteration": (10, 0.0),
    "timesteps": (20480, 0.0),
    "episode_return_mean": (2.5432, 5e-5),
    "reward_min": (0.34, 5e-3),
    "reward_max": (5.67, 5e-3),
    "advantage_mean": (0.0, 5e-7),
    "advantage_std": (0.234567, 5e-7),
    "return_mean": (2.543, 5e-4),
    "return_std": (1.234, 5e-4),
    "policy_loss": (-0.0123, 5e-5),
    "kl": (0.008123, 5e-7),
    "entropy": (12.4567, 5e-5),
    "value_loss": (0.4567, 5e-5),
    "line_search_success": (1, 0.0),
    "advantage_raw_mean": (0.012345, 5e-7),
    "advantage_raw_std": (0.234567, 5e-7),
    "advantage_raw_min": (-0.8765, 5e-5),
    "advantage_raw_max": (1.2345, 5e-5),
    "ratio_mean": (1.000123, 5e-7),
    "ratio_std": (0.012345, 5e-7),
    "gradient_norm": (0.045678, 5e-7),
    "step_direction_norm": (3.456789, 5e-7),
    "full_step_norm": (0.012345, 5e-7),
    "expected_improvement": (0.000567, 5e-7),
}


def block(iteration: int, kl: str = "0.008123", search: str = "✓ Success") -> str:
    """The healthy block as another iteration."""
    return (
        HEALTHY.replace("Iteration 10 |", f"Iteration {iteration} |")
        .replace("KL divergence: 0.008123", f"KL divergence: {kl}")
        .replace("✓ Success", search)
    )


def read(text: str, **options: object) -> Run:
    return read_log(text.encode(), name="train.log", **options)  # type: ignore[arg-type]  # options vary by test


def cell(run: Run, column: str, row: int = 0) -> float | None:
    found = run.column(column)
    return float(found.values[row]) if found.present[row] else None


def everything(run: Run, row: int = 0) -> dict[str, float | None]:
    return {name: cell(run, name, row) for name in run.types}


def test_every_value_of_a_block_is_read_with_its_resolution():
    run = read(HEALTHY)
    assert len(run) == 1
    assert everything(run) == {name: value for name, (value, _) in VALUES.items()}
    halves = {name: float(run.column(name).resolution[0]) for name in VALUES}
    assert halves == pytest.approx({name: half for name, (_, half) in VALUES.items()}, abs=0)
    assert run.metadata == {"algorithm": "trpo"}
    assert run.source is not None
    assert run.source.format == "guide"
    assert len(run.source.understood) == 17
    assert run.source.not_understood == ()
    assert any("current parameters" in said for said in run.source.assumptions)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("  ←", "   ").replace("!", ""),
        lambda t: t.replace("←", "<-"),
        lambda t: "\n".join(line.strip() for line in t.splitlines()) + "\n",
        lambda t: t.replace("\n", "\r\n"),
        lambda t: "```\n" + t + "```\n",
        lambda t: "".join(f"> {line}\n" for line in t.splitlines()),
        lambda t: "".join(f"[2024-01-01 12:00:00] {line}\n" for line in t.splitlines()),
        lambda t: "".join(f"2024-01-01 12:00:00,123 INFO {line}\n" for line in t.splitlines()),
        lambda t: "".join(f"INFO:root:{line}\n" for line in t.splitlines()),
        lambda t: "".join(f"[rank0]: {line}\n" for line in t.splitlines()),
        lambda t: "".join(f"\x1b[32m{line}\x1b[0m\n" for line in t.splitlines()),
        lambda t: t.replace(": ", ":\x1b[1m ").replace("\n", "\x1b[0m\n"),
        lambda t: "\r 10%|█ | 1/10 [00:01<00:09]\r 20%|██ | 2/10 [00:02<00:08,  1.0s/it]" + t,
        lambda t: t.upper(),
        lambda t: t.replace("Avg episode reward", "Avg Episode Reward"),
        lambda t: t.replace("Policy loss:", "**Policy loss:**"),
        lambda t: t.replace("20480", "20,480"),
        lambda t: t.replace("-0.8765, 1.2345", "-0.8765,1.2345"),
        lambda t: t.replace(
            "Policy loss: -0.0123", "Policy loss: tensor(-0.0123, device='cuda:0')"
        ),
        lambda t: t.replace("0.000567", "5.67e-04"),
        lambda t: re.sub("←.*", "", t).replace("\n  ", " "),
        lambda t: "".join(line + "\n" + line + "\n" for line in t.splitlines()),
        lambda t: t.replace("  Entropy", "UserWarning: tensor is slow\nuser@box:~$\n  Entropy"),
    ],
)
def test_what_logs_do_to_a_block_changes_no_value(change):
    run = read(change(HEALTHY))
    assert len(run) == 1
    assert everything(run) == pytest.approx({name: value for name, (value, _) in VALUES.items()})


@pytest.mark.parametrize(
    "encode",
    [
        lambda t: t.encode("utf-8-sig"),
        lambda t: t.encode("utf-16"),
        lambda t: codecs.BOM_UTF16_BE + t.encode("utf-16-be"),
        lambda t: t.encode("utf-16-le"),
        lambda t: t.encode("cp1252", "replace"),
        lambda t: t.encode("ascii", "replace"),
        lambda t: t.encode("utf-8").decode("cp1252", "replace").encode("utf-8"),
        lambda t: t.replace("\n", "\r\n").encode("utf-16"),
    ],
)
def test_encodings_change_no_value(encode):
    run = read_log(encode(HEALTHY + block(11, search="✗ Failed")), name="train.log")
    assert len(run) == 2
    assert everything(run) == pytest.approx({name: value for name, (value, _) in VALUES.items()})
    assert cell(run, "line_search_success", 1) == 0.0


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("✓ Success", 1.0),
        ("✗ Failed", 0.0),
        ("? Failed", 0.0),
        ("? Success", 1.0),
        ("â\x9c\x97 Failed", 0.0),
        ("✓ Failed", 0.0),
        ("FAILED", 0.0),
        ("✗", 0.0),
        ("âœ“", 1.0),
        ("True", 1.0),
        ("? unsuccessful", None),
        ("not run", None),
    ],
)
def test_the_word_decides_what_the_line_search_did(printed, value):
    assert cell(read(block(1, search=printed)), "line_search_success") == value


@pytest.mark.parametrize(
    ("printed", "value", "half"),
    [
        ("1.2e-05", 1.2e-5, 5e-7),
        ("1e-3", 1e-3, 5e-4),
        ("-0.0000", 0.0, 5e-5),
        ("0", 0.0, 0.5),
        ("1,234.50", 1234.5, 5e-3),
        ("+.5", 0.5, 5e-2),
        ("3.", 3.0, 0.5),
        ("inf", np.inf, 0.0),
        ("-inf", -np.inf, 0.0),
        ("1e-9999", 0.0, 0.0),
    ],
)
def test_a_printed_number_carries_half_a_unit_of_its_last_digit(printed, value, half):
    column = read(block(1, kl=printed)).column("kl")
    assert column.present[0]
    assert column.values[0] == value
    assert column.resolution is not None
    assert column.resolution[0] == pytest.approx(half, rel=1e-12, abs=0)


def test_a_printed_nan_is_a_value_and_none_is_null():
    nan = read(block(1, kl="nan")).column("kl")
    assert nan.present[0]
    assert np.isnan(nan.values[0])
    assert not read(block(1, kl="None")).column("kl").present[0]


@pytest.mark.parametrize("printed", ["0.008x", "abc", "0,5", "1e999", "0.1.2", "1.5abc", ""])
def test_what_is_no_number_is_null(printed):
    assert cell(read(block(1, kl=printed)), "kl") is None


def test_a_key_that_only_ends_like_a_known_one_is_not_taken_for_it():
    run = read(HEALTHY + "  Value gradient norm: 99.0\n  critic_entropy: 7.0\n")
    assert cell(run, "gradient_norm") == 0.045678
    assert cell(run, "entropy") == 12.4567
    assert run.source is not None
    assert run.source.not_understood == ("Value gradient norm", "critic_entropy")


@pytest.mark.parametrize(
    "head",
    [
        "Iteration 10/500 | Timesteps 20480",
        "Iteration: 10 | Timesteps: 20480",
        "=== Iteration 10 | Timesteps 20480 ===",
        "Iteration #10, Timesteps=20480",
        "iteration 10 | timesteps 20480.0",
        "(pid=1234) Iteration 10 | Timesteps 20480",
        "Iteration 10 | Timesteps 20480 | 3.2 s",
    ],
)
def test_the_line_that_opens_a_block_may_vary(head):
    run = read(HEALTHY.replace("Iteration 10 | Timesteps 20480", head))
    assert (cell(run, "iteration"), cell(run, "timesteps")) == (10, 20480)
    assert len(run) == 1


@pytest.mark.parametrize(
    "line",
    ["Iteration 3: residual 0.5", "CG iteration 3", "Iteration 1.5", "Value Iteration 3 | x"],
)
def test_the_iterations_of_something_else_open_no_block(line):
    run = read(HEALTHY.replace("  [DEBUG]", f"  [DEBUG]\n    {line}"))
    assert run.column("iteration").values.tolist() == [10]
    assert cell(run, "gradient_norm") == 0.045678


def test_a_shell_prompt_and_a_command_around_a_captured_log_do_no_harm():
    run = read("box:~$ python -u train.py\n" + block(1) + block(2) + "^C\nbox:~$ \n")
    assert run.column("iteration").values.tolist() == [1, 2]
    assert run.state.name == "stopped"


def test_blocks_in_a_row_make_one_row_each():
    run = read("".join(block(i, kl=f"0.00{i}000") for i in range(1, 8)))
    assert run.column("iteration").values.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert run.column("kl").values.tolist() == [i / 1000 for i in range(1, 8)]
    assert run.state.name == "finished"
    assert run.state.last_iteration == 7


def test_a_debug_part_pasted_alone_is_one_row_of_iteration_one():
    run = read(HEALTHY[HEALTHY.index("  [DEBUG]") :])
    assert len(run) == 1
    assert cell(run, "iteration") == 1
    assert cell(run, "gradient_norm") == 0.045678


def test_a_block_without_its_debug_part_leaves_those_columns_null():
    run = read(block(1) + HEALTHY[: HEALTHY.index("  [DEBUG]")].replace("10 |", "2 |"))
    assert cell(run, "gradient_norm", 1) is None
    assert cell(run, "kl", 1) == 0.008123


def test_the_symptom_alone_is_read():
    run = read("Policy loss: -0.0000\nKL divergence: 0.000000\n")
    assert (cell(run, "policy_loss"), cell(run, "kl")) == (0.0, 0.0)


def test_a_first_block_without_its_head_gets_the_number_before_the_next():
    tail = HEALTHY[HEALTHY.index("  [DEBUG]") :]
    run = read(tail + block(311) + block(312))
    assert run.column("iteration").values.tolist() == [310, 311, 312]
    assert cell(run, "kl", 0) is None


def test_blocks_without_numbers_are_counted():
    body = "".join(HEALTHY.splitlines(keepends=True)[1:])
    run = read(body * 3)
    assert run.column("iteration").values.tolist() == [1, 2, 3]


def test_a_block_that_lost_its_number_is_filled_in_between_its_neighbours():
    lost = "".join(HEALTHY.splitlines(keepends=True)[1:])
    run = read(block(4) + lost + block(6))
    assert run.column("iteration").values.tolist() == [4, 5, 6]
    assert run.attempts == 1


def test_a_block_without_number_and_without_room_is_left_out_and_said_so():
    lost = "".join(HEALTHY.splitlines(keepends=True)[1:])
    run = read(block(4, kl="0.5") + lost + block(5))
    assert run.column("iteration").values.tolist() == [4, 5]
    assert cell(run, "kl") == 0.5
    assert any("left out" in note for note in run.notes)


def test_appended_runs_are_attempts_and_the_newest_is_shown():
    text = "".join(block(i) for i in (1, 2, 3)) + "".join(block(i, kl="0.5") for i in (1, 2))
    run = read(text)
    assert (run.attempts, run.attempt) == (2, 2)
    assert run.column("kl").values.tolist() == [0.5, 0.5]
    first = read(text, attempt=1)
    assert first.column("iteration").values.tolist() == [1, 2, 3]
    assert first.state.reason is not None
    assert "later attempt" in first.state.reason


def test_a_resumed_run_keeps_the_rows_below_its_start():
    run = read("".join(block(i) for i in (1, 2, 3)) + "".join(block(i, kl="0.5") for i in (3, 4)))
    assert run.column("iteration").values.tolist() == [1, 2, 3, 4]
    assert run.column("kl").values.tolist() == [0.008123, 0.008123, 0.5, 0.5]


TRACEBACK = """\
Traceback (most recent call last):
  File "train.py", line 12, in <module>
    main()
  File "train.py", line 7, in main
    raise ValueError("loss: 3")
ValueError: expected finite values, got nan
"""


def test_a_traceback_after_the_last_block_is_a_crash_with_its_reason():
    run = read(block(1) + TRACEBACK)
    assert run.state.name == "crashed"
    assert run.state.reason == "ValueError: expected finite values, got nan"
    assert [(e.kind, e.row) for e in run.events] == [("exception", 1)]
    assert run.source is not None
    assert run.source.not_understood == ()


def test_a_traceback_followed_by_blocks_is_only_an_event():
    run = read(block(1) + TRACEBACK + block(2))
    assert run.state.name == "finished"
    assert [e.text for e in run.events] == ["ValueError: expected finite values, got nan"]


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("KeyboardInterrupt", "stopped"),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory.", "crashed"),
    ],
)
def test_the_exception_decides_how_a_process_ended(line, state):
    text = block(1) + 'Traceback (most recent call last):\n  File "a.py", line 1\n' + line + "\n"
    assert read(text).state.name == state


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("Killed", "killed"),
        ("slurmstepd: error: *** JOB 17 ON n1 CANCELLED AT 2024 DUE TO TIME LIMIT ***", "killed"),
        ("slurmstepd: error: *** JOB 17 ON n1 CANCELLED DUE TO PREEMPTION ***", "preempted"),
        ("Segmentation fault (core dumped)", "crashed"),
    ],
)
def test_the_last_words_of_a_system_decide_the_state(line, state):
    assert read(block(1) + line + "\n").state.name == state


def test_a_traceback_that_is_cut_off_is_a_crash():
    assert read(block(1) + TRACEBACK[:60] + "\n").state.name == "crashed"


def test_warnings_between_the_lines_become_events_once_each():
    noise = "/usr/lib/x.py:3: UserWarning: slow path\n"
    text = block(1).replace("  Entropy", noise + "  Entropy") + noise + block(2)
    run = read(text)
    assert [(e.kind, e.text) for e in run.events] == [("warning", "UserWarning: slow path")]
    assert cell(run, "entropy") == 12.4567


def test_unknown_keys_are_reported_and_a_map_reads_them():
    text = block(1) + "  Success rate: 0.25\n  Explained variance: 0.5\n"
    run = read(text)
    assert run.source is not None
    assert run.source.not_understood == ("Success rate", "Explained variance")
    mapped = read(text, mapping={"explained  VARIANCE": "explained_variance"})
    assert cell(mapped, "explained_variance") == 0.5
    assert mapped.source is not None
    assert mapped.source.not_understood == ("Success rate",)


def test_a_map_overrules_the_format():
    run = read(HEALTHY, mapping={"Policy loss": "policy_loss_before"})
    assert cell(run, "policy_loss_before") == -0.0123
    assert cell(run, "policy_loss") is None


def test_text_of_named_keys_is_read_and_iterations_are_counted():
    text = "loss/kl: 0.1\nret = 5\n---\nloss/kl: 0.2\nret = 6\n"
    run = read(text, mapping={"loss/kl": "kl", "ret": "episode_return_mean"})
    assert run.column("iteration").values.tolist() == [1, 2]
    assert run.column("kl").values.tolist() == [0.1, 0.2]
    assert run.column("episode_return_mean").values.tolist() == [5, 6]
    assert run.source is not None
    assert run.source.format == "text"


@pytest.mark.parametrize(
    "text", ["epoch: 5\nkl: 0.1\nepoch: 6\nkl: 0.2\n", "kl: 0.1\nepoch: 5\nkl: 0.2\nepoch: 6\n"]
)
def test_a_named_iteration_key_numbers_the_blocks_wherever_it_stands(text):
    run = read(text, mapping={"epoch": "iteration", "kl": "kl"})
    assert run.column("iteration").values.tolist() == [5, 6]
    assert run.column("kl").values.tolist() == [0.1, 0.2]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_table_with_declared_names_needs_no_map(delimiter):
    text = "iteration,kl,mystery\n3,0.125,1\n4,nan,2\n5,,3\n".replace(",", delimiter)
    run = read(text)
    assert run.column("iteration").values.tolist() == [3, 4, 5]
    assert run.column("kl").present.tolist() == [True, True, False]
    assert run.source is not None
    assert (run.source.format, run.source.not_understood) == ("csv", ("mystery",))


def test_json_lines_are_read_with_nested_names():
    text = '{"train": {"approx": 0.5}, "iteration": 2}\nnoise\n{"train": {"approx": NaN}}\n'
    run = read(text, mapping={"train/approx": "kl"})
    assert run.source is not None
    assert run.source.format == "jsonl"
    assert run.column("iteration").values.tolist() == [2, 3]
    assert run.column("kl").present.tolist() == [True, True]


def test_a_program_that_prints_all_digits_is_exact():
    column = read("iteration,kl,entropy\n1,0.5,0.12345678901234567\n").column("kl")
    assert column.resolution is not None
    assert column.resolution[0] == 0.0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   \n\n",
        b"\xff\xfe",
        b"hello world\n",
        b"\x00" * 5000,
        b"PAR1\x15\x04",
        b"{}",
        b"[1]",
    ],
)
def test_what_is_no_log_is_one_clear_line(data):
    with pytest.raises(UserError) as refused:
        read_log(data, name="some.log")
    assert str(refused.value).startswith("some.log: ")
    assert "\n" not in str(refused.value)


def test_the_refusal_names_the_keys_it_found():
    with pytest.raises(UserError, match=r"keys found: loss/kl, ret\); name them with --map"):
        read("loss/kl: 0.1\nret = 5\n")


def test_options_that_cannot_be_are_refused():
    with pytest.raises(UserError, match="did you mean entropy"):
        read(HEALTHY, mapping={"x": "entropie"})
    with pytest.raises(UserError, match="lists"):
        read(HEALTHY, mapping={"x": "episode_returns"})
    with pytest.raises(UserError, match="one of guide"):
        read(HEALTHY, from_format="gide")
    with pytest.raises(UserError, match="needs --map"):
        read(HEALTHY, from_format="text")
    with pytest.raises(UserError, match="not csv"):
        read(HEALTHY, from_format="csv")
    assert set(NAMES) >= {"guide", "text", "csv", "jsonl", "tensorboard"}


def test_the_age_of_a_log_is_all_that_tells_whether_it_runs():
    fresh = read(HEALTHY, age=2.0).state
    old = read(HEALTHY, age=7200.0).state
    assert (fresh.name, old.name) == ("running", "quiet")
    assert old.reason == "text log; last line 2 h ago"


def test_values_quoted_in_prose_before_the_first_block_are_no_block() -> None:
    prose = "The symptom:\nPolicy loss: -0.0000\nIt means little.\nSee below.\nGradient norm: 0.000000\nOr so.\n"
    run = read_log(
        (prose + "Iteration 10 | Timesteps 20480\n  KL divergence: 0.008123\n").encode(),
        name="x.md",
    )
    assert run.column("iteration").values.tolist() == [10.0]
    assert not run.column("gradient_norm").present.any()


def test_a_column_of_words_where_numbers_belong_is_named() -> None:
    with pytest.raises(UserError, match=r"column kl holds text .'abc'. where numbers belong"):
        read_log(b"iteration,kl\n1,abc\n2,abc\n", name="x.csv")
    dashes = read_log(b"iteration,kl,entropy\n1,-,1.5\n2,-,1.25\n", name="x.csv")
    assert not dashes.column("kl").present.any()


def test_a_table_of_unknown_names_says_them() -> None:
    with pytest.raises(UserError, match="keys found: it, mykl, rmin"):
        read_log(b"it,mykl,rmin\n1,0.01,1\n2,0.02,1\n", name="q.csv")

"""Diagnoses of the guide's own text output: the numbers are intervals, and zeros need company."""

from pathlib import Path

import pytest

from analyzer.answers import answers
from analyzer.diagnosis import Diagnosis
from runlog import open_run
from runlog.importers import read_log

HEALTHY = """\
Iteration {i} | Timesteps {t}
  Avg episode reward: 2.5432
  Min/Max reward: 0.34 / 5.67
  Advantages - mean: 0.000000, std: 0.234567
  Returns - mean: 2.543, std: 1.234
  Policy loss: -0.0123
  KL divergence: 0.008123
  Entropy: 12.4567
  Value loss: 0.4567
  Line search: ✓ Success

  [DEBUG]
    Advantages (raw): mean=0.012345, std=0.234567
    Advantages range: [-0.8765, 1.2345]
    Ratio: mean=1.000123, std=0.012345
    Gradient norm: 0.045678
    Step direction norm: 3.456789
    Full step norm: 0.012345
    Expected improvement: 0.000567
"""
BROKEN = """\
Iteration {i} | Timesteps {t}
  Avg episode reward: 0.0001
  Min/Max reward: 0.0001 / 0.0001
  Advantages - mean: 0.000000, std: 0.000000
  Returns - mean: 0.0001, std: 0.000000
  Policy loss: -0.0000
  KL divergence: 0.000000
  Entropy: 39.5
  Value loss: 0.0000
  Line search: ✗ Failed

  [DEBUG]
    Advantages (raw): mean=0.000000, std=0.000000
    Advantages range: [0.0000, 0.0000]
    Ratio: mean=1.000000, std=0.000000
    Gradient norm: 0.000000
    Step direction norm: 0.000000
    Full step norm: 0.000000
    Expected improvement: 0.000000
"""
NO_CHANGE = {"KL divergence: 0.008123": "KL divergence: 0.000000", "Policy loss: -0.0123": "Policy loss: -0.0000"}  # fmt: skip
NO_STEP = NO_CHANGE | {
    "mean=1.000123, std=0.012345": "mean=1.000000, std=0.000000",
    "✓ Success": "✗ Failed",
    "Full step norm: 0.012345": "Full step norm: 0.000000",
    "Expected improvement: 0.000567": "Expected improvement: 0.000000",
}
NO_DIRECTION = NO_STEP | {"Step direction norm: 3.456789": "Step direction norm: 0.000000"}
NO_GRADIENT = NO_DIRECTION | {"Gradient norm: 0.045678": "Gradient norm: 0.000000"}


def diagnose(block: str, changes: dict[str, str], iterations: range = range(10, 11)) -> Diagnosis:
    for old, new in changes.items():
        assert old in block
        block = block.replace(old, new)
    text = "".join(block.format(i=i, t=2048 * i) for i in iterations)
    return answers(read_log(text.encode(), name="train.log")).last()


def code(diagnosis: Diagnosis) -> str | None:
    return diagnosis.cause.code if diagnosis.cause else None


def test_the_guides_broken_block_names_the_constant_reward() -> None:
    diagnosis = diagnose(BROKEN, {})
    assert (diagnosis.verdict, code(diagnosis)) == ("fault", "TRPO101")
    assert diagnosis.guide.section == 1


@pytest.mark.parametrize("iterations", [range(10, 11), range(1, 2), range(1, 40)])
def test_the_guides_healthy_block_is_healthy_with_a_note(iterations: range) -> None:
    diagnosis = diagnose(HEALTHY, {}, iterations)
    assert diagnosis.verdict == "healthy"
    notes = {f.code: f.level for f in diagnosis.findings}
    assert notes == {"TRPO007": "info"}
    cosine = next(e for f in diagnosis.findings for e in f.evidence)
    assert cosine.measure == "step_cosine"
    assert cosine.value == pytest.approx(1.0055, abs=1e-4)


@pytest.mark.parametrize(
    ("changes", "expected", "section"),
    [
        (NO_GRADIENT, "TRPO201", 2),
        (NO_DIRECTION, "TRPO301", 3),
        (NO_STEP, "TRPO401", 4),
    ],
)
def test_the_first_dead_link_is_the_cause(
    changes: dict[str, str], expected: str, section: int
) -> None:
    for iterations in (range(10, 11), range(1, 15)):
        diagnosis = diagnose(HEALTHY, changes, iterations)
        assert code(diagnosis) == expected
        assert diagnosis.guide.section == section


def test_a_kl_against_itself_is_a_printing_error() -> None:
    for changes in (NO_CHANGE, NO_CHANGE | {"mean=1.000123, std=0.012345": "mean=1.000000, std=0.000000"}):  # fmt: skip
        diagnosis = diagnose(HEALTHY, changes, range(1, 12))
        assert code(diagnosis) == "TRPO002"
        assert diagnosis.headline.startswith("The policy IS updating")


def test_self_reference_and_a_constant_reward_name_the_reward() -> None:
    constant = NO_CHANGE | {"0.34 / 5.67": "1.00 / 1.00", "reward: 2.5432": "reward: 1000.0000"}
    diagnosis = diagnose(HEALTHY, constant, range(1, 12))
    assert code(diagnosis) == "TRPO101"
    assert "TRPO002" in {f.code for f in diagnosis.findings}


def test_a_line_search_that_always_fails_is_a_fault_and_says_which_column_decides() -> None:
    failed = NO_CHANGE | {
        "✓ Success": "✗ Failed",
        "mean=1.000123, std=0.012345": "mean=1.000000, std=0.000000",
    }
    diagnosis = diagnose(HEALTHY, failed, range(1, 6))
    assert code(diagnosis) == "TRPO501"
    assert "TRPO205" in diagnosis.candidates
    assert diagnosis.log_next


def test_a_printed_zero_alone_is_unknown() -> None:
    alone = diagnose(HEALTHY, {"Gradient norm: 0.045678": "Gradient norm: 0.000000"})
    answer = next(a for a in alone.answers if a.code == "TRPO201")
    assert answer.answer == "unknown"
    assert alone.verdict == "healthy"


def test_a_survival_reward_in_a_text_log_is_no_constant_reward() -> None:
    lengths = [12, 15, 30, 44, 80, 120]
    text = "".join(
        HEALTHY.replace("0.34 / 5.67", "1.00 / 1.00")
        .replace("reward: 2.5432", f"reward: {length}.0000")
        .format(i=i + 1, t=2048 * i)
        for i, length in enumerate(lengths)
    )
    assert answers(read_log(text.encode(), name="t")).last().verdict == "healthy"


def test_no_reward_seen_yet_is_a_warning_only() -> None:
    silent = {"0.0001 / 0.0001": "0.0000 / 0.0000", "reward: 0.0001": "reward: 0.0000"}
    diagnosis = diagnose(BROKEN, silent, range(1, 8))
    assert diagnosis.cause is None
    levels = {f.code: f.level for f in diagnosis.findings}
    assert levels["TRPO101"] == "warning"
    assert levels["TRPO106"] == "warning"


def test_returns_of_nothing_but_0_say_it_where_rewards_are_not_printed() -> None:
    log = Path(__file__).parent / "foreign_logs" / "baselines" / "zero" / "stdout.txt"
    run = open_run(log)
    assert answers(run).at(3).verdict == "healthy"  # too early to tell
    last = answers(run).last()
    assert (last.verdict, last.cause) == ("unknown", None)
    assert [f.level for f in last.findings if f.code == "TRPO101"] == ["warning"]


@pytest.mark.parametrize("lines", range(1, 20))
def test_a_last_block_that_is_cut_does_not_undo_the_diagnosis(lines: int) -> None:
    silent = {
        "Avg episode reward: 0.0001": "Avg episode reward: 2.5000",
        "0.0001 / 0.0001": "0.1000 / 4.0000",
        "(raw): mean=0.000000, std=0.000000": "(raw): mean=0.100000, std=0.600000",
        "std: 0.000000\n  Returns": "std: 1.000000\n  Returns",
    }
    block = BROKEN
    for old, new in silent.items():
        assert old in block
        block = block.replace(old, new)
    whole = "".join(block.format(i=i, t=2048 * i) for i in range(1, 6))
    told = answers(read_log(whole.encode(), name="t")).last()
    assert told.cause is not None
    tail = "".join(block.format(i=6, t=2048 * 6).splitlines(keepends=True)[:lines])
    cut = answers(read_log((whole + tail).encode(), name="t")).last()
    assert cut.cause is not None
    assert cut.cause.code == told.cause.code


def test_an_update_that_was_skipped_over_a_zero_gradient_is_one() -> None:
    log = Path(__file__).parent / "foreign_logs" / "baselines" / "one-action" / "stdout.txt"
    cause = answers(open_run(log)).last().cause
    assert cause is not None
    assert (cause.code, cause.evidence[0].value) == ("TRPO201", "skipped-gradient")

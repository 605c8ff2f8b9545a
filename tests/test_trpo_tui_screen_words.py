"""What single lines of the screen say: the guide, the picker, the time of a row."""

import time
from dataclasses import replace

import pytest
from rich.cells import cell_len

from analyzer.answers import answers
from analyzer.diagnosis import Guide, GuideCheck
from runlog.run import State, run_of
from trpo_tui.application import _opening
from trpo_tui.entries import Entry
from trpo_tui.screens.runs import Heading, entry_line, name_width
from trpo_tui.text import cell
from trpo_tui.themes import UNICODE
from trpo_tui.widgets.cause import cause_lines, guide_said
from trpo_tui.widgets.lines import View


def test_the_guide_says_which_checks_are_not_decided():
    answers = ("no", "no", "unknown", "no", "no", "unknown")
    checks = tuple(
        GuideCheck(section=i, title="", answer=answer, measure="", value=None)
        for i, answer in enumerate(answers, start=1)
    )
    guide = Guide(section=None, answer="unknown", checks=checks, read_more=None)
    assert guide_said(guide) == "guide: no check says yes; not decided: §3, §6"
    decided = Guide(section=None, answer="no", checks=checks[:2], read_more=None)
    assert guide_said(decided) == "guide: all six checks answer no"


@pytest.mark.parametrize("name", ["a", "a-name-of-just-thirty-two-letter", "长" * 20, "x" * 50])
def test_the_picker_has_rows_and_heading_in_the_same_columns(name):
    entry = Entry(
        path="", name=name, state=State(name="finished", last_iteration=7, last_row_time=0.0),
        iterations=1234567, last_return=-1234.5678, verdict="healthy",
    )  # fmt: skip
    wide = name_width([name], 120)
    heading = Heading()
    heading.wide = wide
    (title,) = heading.draw(View(None, 120, 1))
    titles, row = title[0][0], "".join(text for text, _ in entry_line(entry, UNICODE, wide))
    moved = cell_len(row) - len(row)  # a wide letter takes two cells
    assert titles.index("state") == row.index("FINISHED") + moved
    for word, value in (("iter", "1234567"), ("return", "-1235")):
        assert titles.index(word) + len(word) == row.index(value) + len(value) + moved
    assert titles.index("verdict") == row.index("healthy") + moved


def test_the_time_of_a_row_is_a_clock_time():
    run = run_of([{"time": 1_800_000_000.5, "kl": 0.01}, {"time": 12.5}])
    assert cell(run, "time", 0) == time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(1_800_000_000))
    assert cell(run, "time", 1) == "12.5"  # seconds since a start that nobody wrote down


def test_where_only_a_printed_number_is_wrong_the_screen_says_first_that_the_policy_moves():
    rows = [{"iteration": i, "kl": 0.0, "log_ratio_std": 0.1} for i in range(1, 6)]
    run = run_of(rows)
    frame = replace(_opening("", "run"), run=run, diagnosis=answers(run).last())

    said = "".join(text for text, _ in cause_lines(frame, UNICODE, 80, 12)[0])

    assert said.startswith("✗ TRPO002 The policy IS updating (")

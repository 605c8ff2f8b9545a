"""The playhead, and the words of the screen."""

from typing import get_args

import numpy as np
import pytest

from analyzer.diagnosis import Evidence
from runlog.errors import UserError
from runlog.run import run_of
from trpo_tui.actions import ACTIONS, BY_NAME, ScreenName, hints
from trpo_tui.playhead import SPEEDS, Playhead, neighbour, row_of
from trpo_tui.terminal import speaks_unicode
from trpo_tui.text import age, cell, compared, number
from trpo_tui.themes import ASCII, UNICODE, printable, to_ascii
from trpo_tui.widgets.lines import changed, fit


def _at(row, length=100, **more):
    return Playhead(row=row, length=length, follow=False, **more)


def test_following_stays_at_the_end_and_looking_back_stays_put():
    head = Playhead().grown(5)
    assert head.row == 4
    assert head.grown(9).row == 8
    back = head.moved(-2)
    assert back.grown(9).row == 2
    assert not back.follow


def test_a_step_past_the_end_follows_again():
    assert _at(98).moved(1).follow is False
    assert _at(99).moved(1).follow is True
    assert _at(95).moved(10).follow is True


@pytest.mark.parametrize("rows", [-1, -10, 1, 10])
@pytest.mark.parametrize("length", [0, 1, 2])
def test_no_move_leaves_the_run(rows, length):
    head = Playhead().grown(length)
    for moved in (head.moved(rows), head.home(), head.end(), head.at(7), head.at(-3)):
        assert -1 <= moved.row <= max(-1, length - 1)


def test_a_run_that_shrank_takes_the_playhead_along():
    assert _at(50).grown(10).row == 9


def test_space_holds_a_live_run_and_plays_an_ended_one_from_its_start():
    following = Playhead().grown(10)
    held = following.toggled(live=True)
    assert (held.follow, held.playing, held.row) == (False, False, 9)
    played = following.toggled(live=False)
    assert (played.playing, played.row) == (True, 0)
    assert played.toggled(live=False).playing is False


def test_play_ends_in_follow():
    head = _at(97, playing=True, speed=64.0)
    assert head.played().follow is True


@pytest.mark.parametrize("speed", SPEEDS)
def test_play_moves_as_many_rows_a_second_as_its_speed_says(speed):
    head = _at(0, speed=speed)
    assert head.rows_per_frame / head.seconds_per_frame == pytest.approx(speed)
    assert 1 / head.seconds_per_frame <= 22


def test_speed_stays_within_its_steps():
    head = _at(0)
    for _ in range(20):
        head = head.faster(1)
    assert head.speed == SPEEDS[-1]
    for _ in range(20):
        head = head.faster(-1)
    assert head.speed == SPEEDS[0]


def test_the_neighbour_is_strictly_before_or_after():
    assert neighbour((3, 7, 9), 7, 1) == 9
    assert neighbour((3, 7, 9), 7, -1) == 3
    assert neighbour((3, 7, 9), 9, 1) is None
    assert neighbour((), 0, -1) is None


def test_go_to_takes_an_iteration_or_a_percentage():
    numbers = np.array([10.0, 20.0, 30.0, 40.0, 50.0])
    assert row_of("30", numbers) == 2
    assert row_of(" 31 ", numbers) == 2
    assert row_of("100%", numbers) == 4
    assert row_of("1e9", numbers) == 4


@pytest.mark.parametrize("text", ["", "x", "nan", "%", "inf"])
def test_go_to_refuses_what_is_no_place(text):
    with pytest.raises(UserError):
        row_of(text, np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"), (3.0, "3"), (0.0091234, "0.009123"), (1234567.0, "1234567"), (1e30, "1e30"),
        (float("nan"), "NaN"), (float("-inf"), "-Inf"), (5e-7, "5e-7"), (152.14, "152.1"),
        (-0.25, "-0.25"), (1.7976931348623157e308, "1.8e308"),
    ],
)  # fmt: skip
def test_a_number_is_short_and_true(value, shown):
    assert number(value) == shown
    assert len(shown) <= 9


def test_a_cell_tells_null_nan_and_not_logged_apart():
    run = run_of([{"iteration": 1, "kl": None, "entropy": float("nan"), "extra": [1.0, None]}])
    assert cell(run, "kl", 0) == "null"
    assert cell(run, "entropy", 0) == "NaN"
    assert cell(run, "gradient_norm", 0) == "not logged"
    assert cell(run, "extra", 0) == "2: 1 NaN"
    assert cell(run, "entropy", 5) == "null"


def test_a_comparison_that_does_not_hold_is_told_as_a_condition():
    evidence = Evidence(measure="kl", value=0.5, comparison="≤", bound=0.01, unit="nat")
    assert compared(evidence) == "kl = 0.5 ≤ 0.01 nat"
    assert compared(evidence, holds=False) == "kl = 0.5 (yes if ≤ 0.01 nat)"


def test_ages_are_coarse():
    assert [age(s) for s in (1, 9.9, 34, 59, 61, 7300, 200_000)] == [
        "<10 s", "<10 s", "30 s", "50 s", "1 min", "2 h", "2 d",
    ]  # fmt: skip


def test_ascii_spells_signs_out_and_loses_no_letter():
    assert to_ascii("KL ≤ 2·δ − λ‖s‖²") == "KL <= 2*delta - lambda|s|2"
    assert to_ascii("日本").isascii()


def test_control_characters_never_reach_the_terminal():
    assert printable("a\x1b[31mb\tc\n") == "a?[31mb c "


def test_a_line_is_cut_to_its_cells_also_when_characters_are_wide():
    line = fit((("日本語のラン", "plain"),), 5, UNICODE)
    assert sum(2 if ord(c) > 0x3000 else 1 for text, _ in line for c in text) == 5


def test_only_the_cells_that_differ_are_sent():
    old, new = (("it 1204 ok", "plain"),), (("it 1205 ok", "plain"),)
    assert changed(old, new, 10) == [(6, 7)]
    assert changed(old, old, 10) == []
    assert changed(old, (("it 1204 ok", "bold"),), 10) == [(0, 10)]


def test_changes_that_lie_apart_are_sent_apart_and_near_ones_together():
    old, new = (("a" * 40, "plain"),), (("ab" + "a" * 8 + "b" + "a" * 28 + "b", "plain"),)
    assert changed(old, new, 40) == [(1, 11), (39, 40)]


@pytest.mark.parametrize(
    ("environment", "unicode"),
    [
        ({}, False), ({"LANG": "C"}, False), ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "C.UTF-8", "LC_ALL": "C"}, False), ({"LC_ALL": "", "LANG": "C.utf8"}, True),
        ({"LC_CTYPE": "POSIX", "LANG": "en_US.UTF-8"}, False),
    ],
)  # fmt: skip
def test_the_locale_decides_about_unicode(environment, unicode):
    assert speaks_unicode(environment) is unicode


def test_every_ascii_glyph_is_ascii_and_one_cell():
    for look in (ASCII, UNICODE):
        for name in look.__slots__:
            glyph = getattr(look, name)
            if name not in ("unicode", "sparks"):
                assert len(glyph) == 1
            if look is ASCII and isinstance(glyph, str):
                assert glyph.isascii()


def test_no_key_means_two_things_on_one_screen():
    for screen in get_args(ScreenName):
        seen = {}
        for action in ACTIONS:
            if action.screens and screen not in action.screens:
                continue
            for key in action.keys:
                assert key not in seen, f"{key} on {screen}: {action.name} and {seen[key]}"
                seen[key] = action.name
    assert set(BY_NAME) == {action.name for action in ACTIONS}


def test_every_screen_names_help_or_back_and_quit():
    for screen in ("monitor", "diagnosis", "events", "table", "runs", "help", "compare"):
        named = [label for _, label in hints(ACTIONS, screen, unicode=True)]
        assert "quit" in named
        assert {"help", "back"} & set(named)

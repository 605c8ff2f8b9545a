"""One iteration from inside: line search, conjugate gradient, returns, fit, parts of the reward."""

from dataclasses import replace

import numpy as np
import pytest
from screen_fakes import run_with
from test_trpo_tui_screen_pilot import on_screen

from runlog import open_run
from trpo_tui.application import _opening
from trpo_tui.playhead import Playhead
from trpo_tui.themes import ASCII, UNICODE
from trpo_tui.widgets.pictures import (
    PICTURES,
    TERMS,
    _conjugate_gradient,
    _line_search,
    _returns,
    _value_fit,
    latest,
    picture_lines,
    pictures,
    term_curves,
)

SEARCH = {
    "line_search_fractions": [1.0, 0.5, 0.25],
    "line_search_kls": [0.04, 0.01, 0.0025],
    "line_search_gains": [-0.1, 0.02, 0.03],
    "expected_improvement": 0.2,
    "cg_residuals": [0.5, 0.1, 1e-9],
    "episode_returns": [1.0, 2.0, 2.0, 9.0],
    "window_value": [1.0, 2.0, 3.0],
    "window_advantage": [0.5, -0.5, 0.0],
}


def test_the_line_search_is_drawn_over_its_fractions_in_units_of_the_trust_region():
    picture = _line_search(run_with(2, **SEARCH), 1)
    quadratic, linear, kl, gain, chosen = picture.curves
    assert kl.positions.tolist() == [0.25, 0.5, 1.0]
    assert kl.series.values.tolist() == pytest.approx([0.25, 1.0, 4.0])
    assert gain.series.values.tolist() == pytest.approx([3.0, 2.0, -10.0])
    assert chosen.series.present.tolist() == [True, False, False]
    assert quadratic.series.values[-1] == 1.0
    assert linear.series.values[-1] == pytest.approx(20.0)
    assert "3 candidates, accepted β=0.25" in picture.title
    refused = _line_search(run_with(2, **{**SEARCH, "line_search_success": False}), 1)
    assert "refused" in refused.title


def test_residuals_start_at_one_and_returns_are_counted():
    run = run_with(2, **SEARCH)
    assert _conjugate_gradient(run, 0).curves[0].series.values.tolist() == [1.0, 0.5, 0.1, 1e-9]
    counted = _returns(run, 0).curves[0]
    assert counted.series.values.sum() == 2 * 4  # each bar has two corners
    assert (counted.positions.min(), counted.positions.max()) == (1.0, 9.0)
    target, value = _value_fit(run, 0).curves
    assert (target.series.values - value.series.values).tolist() == [0.5, -0.5, 0.0]


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("look", [UNICODE, ASCII])
@pytest.mark.parametrize("size", [(39, 10), (80, 3), (12, 20), (140, 40)])
@pytest.mark.parametrize("cells", [
    {}, SEARCH, {name: [float("nan")] * 3 for name in SEARCH if "expected" not in name},
    {name: [1e30] for name in SEARCH if "expected" not in name},
    {"line_search_fractions": [1.0], "line_search_kls": [0.1, 0.2], "line_search_gains": [0.1]},
])  # fmt: skip
def test_every_picture_draws_whatever_the_log_holds(name, look, size, cells):
    run = run_with(3, **cells)
    shown = replace(_opening("", "run"), run=run, playhead=Playhead().grown(3))
    lines = picture_lines(shown, name, *size, look)
    assert 1 <= len(lines) <= size[1]
    text = "".join(text for line in lines for text, _ in line)
    assert look.unicode or text.isascii()


def test_a_row_without_the_list_shows_the_newest_before_it():
    run = run_with(3)
    assert latest(run, ["cg_residuals"], 2) is None
    assert pictures(run) == ()
    walk = open_run("sample_logs/healthy-walk")
    assert latest(walk, ["window_value"], len(walk) - 1) < len(walk) - 1
    assert pictures(walk)[-1] == TERMS


def test_the_parts_of_a_reward_are_curves_of_their_own():
    walk = open_run("sample_logs/healthy-walk")
    curves = term_curves(walk, slice(0, len(walk)))
    assert [c.letter for c in curves] == ["c", "e", "p", "r", "v"]
    total = sum(np.nan_to_num(c.series.values) for c in curves)
    assert total == pytest.approx(walk.column("reward_mean").values, rel=0.2)


def test_a_picture_is_chosen_like_a_column_and_follows_the_playhead():
    async def body(session):
        await session.press("/", *"line", "enter")
        assert session.app.frame.charts[0] == "line search"
        assert "3 candidates" in session.text
        await session.press("z")
        assert "dim: promised" in session.text
        await session.press("home", "left")
        assert session.app.frame.row == 0

    on_screen(body, run_with(40, **SEARCH))

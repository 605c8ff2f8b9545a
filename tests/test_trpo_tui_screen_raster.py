"""Curves as dots."""

from dataclasses import replace

import numpy as np
import pytest

from runlog.run import run_of
from trpo_tui.chart_view import GRAIN, LONG, ChartView
from trpo_tui.series import Series, series_of
from trpo_tui.themes import ASCII, UNICODE
from trpo_tui.widgets.plot import GUTTER, Curve, Plot
from trpo_tui.widgets.raster import (
    ascii_cells,
    braille,
    column_of,
    columns,
    dots,
    level,
    nice_range,
    scale,
    spark,
)

VIEW = ChartView()


def _whole(values, present=None):
    """A series of floats, and all its rows."""
    values = np.asarray(values, dtype=np.float64)
    present = np.ones(len(values), dtype=bool) if present is None else np.asarray(present)
    return Series(values, present), (0, len(values))


@pytest.mark.parametrize("n", [1, 2, 7, 59, 60, 61, 500, 10_007])
@pytest.mark.parametrize("width", [1, 2, 3, 60, 61])
def test_every_row_lies_inside_the_chart_and_none_before_its_neighbour(n, width):
    places = [column_of(row, n, width) for row in range(n)]
    assert places[0] == 0
    assert max(places) < width
    assert places == sorted(places)


def test_a_growing_run_keeps_its_place_until_the_scale_halves():
    scales = [scale(n, 60) for n in range(2, 400)]
    assert scales == sorted(scales, reverse=True)
    assert all(2**k == float(2**k) for k in scales)
    assert len(set(scales)) < 10


@pytest.mark.parametrize("spike", [0, 1, 4_999, 9_998, 9_999])
def test_no_spike_is_lost_among_ten_thousand_rows(spike):
    values = np.zeros(10_000)
    values[spike] = 7.0
    curve = columns(*_whole(values), 60)
    assert np.nanmax(curve.high) == 7.0
    assert dots(curve, 0.0, 7.0, 60, 40)[0].any()


@pytest.mark.parametrize("rows", [LONG, LONG + 1, 200_000, 200_003])
def test_a_long_run_is_drawn_from_its_blocks_as_from_its_rows(rows):
    random = np.random.default_rng(rows)
    values = random.normal(size=rows)
    values[random.random(rows) < 0.001] = np.nan
    values[rows // 2 : rows // 2 + 3000] = np.inf
    present = random.random(rows) < 0.9
    present[1000:5000] = False
    series = Series(values, present)
    view = ChartView()
    windows = [(0, rows), (0, rows - 1), (0, rows // 2), *(
        replace(view, zoom=zoom).window(at, rows) for zoom in (1, 2) for at in (0, 99_999, rows - 1)
    )]  # fmt: skip
    for first, last in windows:
        part = slice(first, last)
        for width in (30, 60, 200):
            blocks = columns(series, (first, last), width)
            plain = columns(*_whole(values[part], present[part]), width)
            for one, other in zip(vars_of(blocks), vars_of(plain), strict=True):
                assert np.array_equal(one, other, equal_nan=True)


def vars_of(curve):
    return curve.low, curve.high, curve.not_finite


def test_a_window_of_a_long_run_begins_with_a_block_and_holds_the_playhead():
    for row in (0, 300_001, 999_999):
        for zoom in range(1, 6):
            first, last = replace(ChartView(), zoom=zoom).window(row, 1_000_000)
            assert first <= row < last
            assert last - first < LONG or (first % GRAIN == 0)


def test_a_nan_is_a_gap_and_marked_and_a_null_is_passed_over():
    values = np.array([1.0, np.nan, 1.0, 9.0, 3.0, 9.0])
    present = np.array([True, True, True, False, True, False])
    curve = columns(*_whole(values, present), 6)
    assert np.isfinite(curve.high).tolist() == [True, False, True, True, True, False]
    assert curve.low[3:5].tolist() == [1.0, 2.0]  # each reaches down to the one before it
    assert curve.high[3:5].tolist() == [2.0, 3.0]
    assert curve.not_finite.tolist() == [False, True, False, False, False, False]


def test_a_mean_logged_now_and_then_is_a_line_also_where_rows_share_a_column():
    values = np.arange(6000.0)
    present = np.arange(6000) % 500 == 0
    curve = columns(*_whole(values, present), 60)
    assert np.isfinite(curve.high[: 5500 >> 7]).all()
    assert (np.diff(curve.high[: 5500 >> 7]) > 0).all()


def test_few_rows_are_joined_by_straight_lines():
    curve = columns(*_whole([0.0, 4.0]), 5)
    assert curve.high.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_steep_curve_stays_one_line():
    curve = columns(*_whole([0.0, 10.0, 0.0]), 3)
    grid = dots(curve, 0.0, 10.0, 3, 11)
    assert grid[:, 1].all()


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.0, 1.0), (3.0, 3.0), (0.0, 0.0), (-1e30, 1e30), (0.0, 1e308), (-1.7e308, 1.7e308),
     (1e-320, 2e-320), (5.0, 5.0000001), (1e30, 1e30)],
)  # fmt: skip
def test_a_range_holds_what_it_is_made_for(low, high):
    bottom, top = nice_range(low, high)
    assert np.isfinite([bottom, top]).all()
    assert bottom <= low
    assert high <= top
    assert bottom < top
    places = level(np.array([low, high]), bottom, top, 10)
    assert (places >= 0).all()
    assert (places < 10).all()


def test_braille_puts_each_dot_where_it_belongs():
    grid = np.zeros((4, 4), dtype=bool)
    grid[0, 0] = grid[3, 3] = True
    assert braille(grid) == ["⠁⢀"]


def test_ascii_cells_know_upper_and_lower_half():
    grid = np.array([[True, False, True, False], [False, True, True, False]])
    assert ascii_cells(grid) == ["'.: "]


def test_a_spark_rises_with_its_values_and_leaves_gaps():
    values = np.array([0.0, 1.0, 2.0, 7.0])
    signs = "01234567"
    assert spark(_whole(values)[0], 4, 4, signs) == "0127"
    assert spark(_whole(values, [True, False, True, True])[0], 4, 4, signs) == "0127"
    assert spark(_whole([7.0, np.nan, 1.0, 0.0])[0], 4, 4, signs) == "7 10"
    assert spark(_whole(values)[0], 3, 4, signs) == "037 "
    assert spark(_whole(values)[0], 4, 1, signs) == "0"


def _plot(cells, *, look=UNICODE, name="gradient_norm", height=6, view=VIEW, holds=()):
    rows = [{"iteration": i + 1, name: cell} for i, cell in enumerate(cells)]
    curve = Curve(series=series_of(run_of(rows), name))
    return Plot([curve], width=40, height=height, look=look, view=view, holds=holds)


def _text(plot, **arguments):
    lines = plot.lines(None, (), bar=False)
    return "\n".join("".join(text for text, _ in line) for line in lines)


@pytest.mark.parametrize("look", [UNICODE, ASCII])
@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([None] * 5, "not logged"),
        ([], "no rows yet"),
        ([float("nan")] * 5, "NaN or infinite in every row"),
        ([float("inf"), float("-inf")], "NaN or infinite in every row"),
    ],
)
def test_a_chart_with_nothing_to_draw_says_so(cells, said, look):
    text = _text(_plot(cells, look=look))
    assert said in text
    assert look.unicode or text.isascii()


@pytest.mark.parametrize("cells", [[1e30, -1e30, 0.0], [1e300, -1.7e308], [0.5], [2.0] * 9])
def test_any_finite_value_draws(cells):
    drawn = [c for line in _plot(cells).cells for c, _ in line if c != " "]
    assert drawn


def test_a_nan_among_numbers_is_marked_at_the_bottom():
    text = _text(_plot([1.0, 2.0, float("nan"), 2.0, 1.5]))
    assert UNICODE.not_finite in text.splitlines()[-1]


def test_the_bound_is_drawn_and_inside_the_range():
    plot = _plot([0.002] * 10, name="kl", height=8, holds=(0.01,))
    assert plot.low <= 0.01 <= plot.high
    bounds = ((0.01, "warn"),)
    lines = ["".join(t for t, _ in line) for line in plot.lines(None, bounds, bar=False)]
    assert any(UNICODE.threshold * 5 in line for line in lines)


def test_the_cursor_is_a_bar_when_paused_and_marks_both_ends_when_it_runs():
    plot = _plot([1.0, 2.0, 3.0, 4.0])
    cursor = plot.cursor(2)

    def barred(bar):
        cells = [
            "".join(t for t, _ in line)[GUTTER + cursor] for line in plot.lines(cursor, (), bar=bar)
        ]
        return [cell == UNICODE.bar for cell in cells]

    rows = [line[cursor][0] for line in plot.cells]
    assert barred(True) == [row == " " for row in rows]  # the rest is the curve itself
    assert barred(False) == [True, False, False, False, False, True]

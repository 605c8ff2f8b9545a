"""How charts are looked at, what runs are sorted by, which keys are one's own."""

import csv
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.style import Style
from screen_fakes import finding, run_with
from test_trpo_tui_screen_pilot import on_screen

from runlog.errors import UserError
from runlog.run import State
from trpo_tui.actions import ACTIONS, BY_NAME, action_of, rebound
from trpo_tui.alarms import alarm
from trpo_tui.chart_view import AXES, LEAST_ROWS, SMOOTHING, ChartView, smoothed, spread
from trpo_tui.entries import ORDERS, Entry, chosen_entries, ordered
from trpo_tui.exports import values_text, write_csv
from trpo_tui.frame import Change
from trpo_tui.messages import Looked
from trpo_tui.playhead import row_of
from trpo_tui.series import Series
from trpo_tui.settings_file import read_settings
from trpo_tui.theme_colours import ROLE_COLOURS
from trpo_tui.themes import THEMES, UNICODE
from trpo_tui.widgets.lines import combined
from trpo_tui.widgets.plot import Curve, Plot


def all_finite(n):
    return np.ones(n, dtype=bool)


@pytest.mark.parametrize("weight", SMOOTHING[1:])
def test_the_running_mean_is_exact_on_constants_and_starts_at_the_first_value(weight):
    constant = np.full(1000, 0.1)
    assert (smoothed(constant, all_finite(1000), weight) == 0.1).all()
    values = np.random.default_rng(0).normal(size=700)
    mean = smoothed(values, all_finite(700), weight)
    assert mean[0] == values[0]
    weights = weight ** np.arange(699, -1.0, -1.0)
    assert mean[699] == pytest.approx((values * weights).sum() / weights.sum())


def test_the_running_mean_leaps_over_gaps():
    values = np.array([1.0, np.nan, 3.0])
    mean = smoothed(values, np.isfinite(values), 0.5)
    assert np.isnan(mean).tolist() == [False, True, False]
    assert mean[2] == pytest.approx((0.5 * 1.0 + 3.0) / 1.5)


def test_the_range_without_outliers_leaves_out_a_spike_and_nothing_else():
    values = np.append(np.random.default_rng(0).normal(size=500), 1e6)
    low, high = spread(values)
    assert (low, high) == (values.min(), pytest.approx(4.7, abs=0.6))
    assert spread(np.full(9, 2.0)) == (2.0, 2.0)


@pytest.mark.parametrize("rows", [0, 5, 60, 1000, 1_000_000])
def test_a_window_holds_the_playhead_and_no_more_than_the_run(rows):
    view = ChartView()
    for _ in range(30):
        view = view.zoomed(1, rows)
        for row in (0, rows // 3, rows - 1):
            first, stop = view.window(row, rows)
            assert 0 <= first <= stop <= rows
            assert not rows or first <= max(row, 0) < stop
    assert stop - first <= max(2 * LEAST_ROWS, rows >> view.zoom) or rows < 2 * LEAST_ROWS


def test_a_window_moves_half_a_window_at_a_time_so_that_a_live_curve_holds_still():
    view = ChartView(zoom=3)
    windows = {view.window(row, 800) for row in range(400, 450)}
    assert len(windows) <= 2


def test_a_log_axis_shows_decades_evenly_and_leaves_out_what_is_not_above_zero():
    values = np.array([1e-3, 1e-2, 1e-1, 0.0, 1.0])
    plot = Plot(
        [Curve(series=Series(values, all_finite(5)))],
        width=49, height=7, look=UNICODE, view=ChartView(log=True), holds=(0.01,),
    )  # fmt: skip
    assert plot.low <= -3.0 < 0.0 <= plot.high
    assert plot._row(0.1) == pytest.approx((plot._row(0.01) + plot._row(1.0)) / 2, abs=1)
    nothing = Plot(
        [Curve(series=Series(-values, all_finite(5)))],
        width=49, height=7, look=UNICODE, view=ChartView(log=True),
    )  # fmt: skip
    assert nothing.problem == "nothing above 0 for a log axis"


def test_curves_laid_over_each_other_are_told_apart_by_letters():
    curves = [
        Curve(series=Series(np.full(50, level), all_finite(50)), letter=letter, role=role)
        for level, letter, role in ((0.0, "A", "line"), (1.0, "B", "warn"))
    ]
    plot = Plot(curves, width=69, height=6, look=UNICODE, view=ChartView())
    rows = ["".join(sign for sign, _ in line) for line in plot.cells]
    assert sum("A" in row for row in rows) == 1
    assert sum("B" in row for row in rows) == 1
    assert not any("A" in row and "B" in row for row in rows)


def test_the_keys_of_a_chart_change_every_chart_and_back():
    async def body(session):
        await session.press("plus", "plus", "y", "s", "o", "x")
        view = session.app.frame.view
        assert (view.zoom, view.log, view.smoothing, view.clip, view.axis) == (
            2, True, SMOOTHING[1], True, AXES[1],
        )  # fmt: skip
        assert "zoom x4 log by timesteps smooth 0.6 clipped" in session.text
        await session.press("0")
        assert session.app.frame.view == ChartView()
        await session.press("z")
        assert session.app.frame.view.maximised
        assert "kl" not in session.text.split("episode_return_mean")[1].splitlines()[0]
        await session.press("z")

    on_screen(body, size=(120, 40))


def test_the_palette_lists_every_action_of_the_screen_below_and_does_the_chosen_one():
    async def body(session):
        await session.press(":", *"faster")
        assert [a.name for a in session.app.screen.matching()] == ["faster"]
        await session.press("enter")
        assert session.app.screen.called == "monitor"
        await session.until(lambda: session.app.frame.playhead.speed == 2.0)
        await session.press("ctrl+p")
        assert "previous-change" in session.text
        await session.press("down", "down", "escape")
        assert session.app.screen.called == "monitor"
        assert session.app.frame.playhead.speed == 2.0

    on_screen(body)


def test_metrics_are_filtered_by_letters_and_inverted_by_an_exclamation_mark():
    async def body(session):
        await session.press("/", *"grad", "enter", "down")
        assert session.app.frame.charts[0] == "gradient_norm"
        await session.press("4", "/", *"!a", "enter")
        assert "max_kl" not in session.shown("items")
        assert "entropy" in session.shown("items")

    on_screen(body, size=(120, 40))


def entry(name, *, state="finished", iterations=10, value=1.0, verdict="healthy"):
    return Entry(
        path=f"runs/{name}", name=name, verdict=verdict, iterations=iterations, last_return=value,
        state=None if state is None else State(name=state, last_iteration=1, last_row_time=0.0),
    )  # fmt: skip


ENTRIES = (
    entry("b", iterations=5, value=-2.0, verdict="TRPO101 constant-reward"),
    entry("c", state="running", iterations=7, value=None),
    entry("a", iterations=9, value=7.0, verdict="solved"),
    entry("x", state=None, iterations=0, value=None, verdict=""),
)


@pytest.mark.parametrize(
    ("order", "first"),
    [("name", "abcx"), ("state", "cabx"), ("iterations", "acbx"), ("return", "abcx"),
     ("verdict", "bcax")],
)  # fmt: skip
def test_runs_are_sorted_and_what_is_unknown_stays_last(order, first):
    assert "".join(e.name for e in ordered(ENTRIES, order, backwards=False)) == first
    last = ordered(ENTRIES, order, backwards=True)[-1].name
    assert last == ("a" if order == "name" else "x")
    assert order in ORDERS


def test_runs_are_chosen_by_name_state_and_verdict():
    assert [e.name for e in chosen_entries(ENTRIES, "trpo101")] == ["b"]
    assert [e.name for e in chosen_entries(ENTRIES, "!finished")] == ["c", "x"]
    assert len(chosen_entries(ENTRIES, "")) == len(chosen_entries(ENTRIES, "!")) == 4


def test_keys_of_ones_own_replace_and_displace_the_given_ones(tmp_path):
    place = tmp_path / "config.toml"
    place.write_text('theme = "colour-blind"\n[keys]\nfaster = "f"\nquit = ["Q"]\nevents = "d"\n')
    settings = read_settings(place)
    assert settings.theme == "colour-blind"
    actions = rebound(settings.keys)
    of = {a.name: a.keys for a in actions}
    assert of["faster"] == ("f",)
    assert of["quit"] == ("Q", "ctrl+c")  # ctrl+c always leaves
    assert of["events"] == ("d",)
    assert "d" not in of["diagnosis"]
    assert action_of(actions, "d", "monitor").name == "events"
    assert action_of(actions, "s", "runs").name == "sort"
    assert action_of(actions, "s", "monitor").name == "smooth"
    assert rebound({}) == ACTIONS
    assert read_settings(tmp_path / "none.toml").keys == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [("[keys]\nfly = 'x'", "keys.fly: no such action"), ("theme = 'pink'", "'pink': unknown"),
     ("[keys]\nquit = []", "keys.quit: needs a key"), ("keys = 3", "write a table"),
     ("colour = 1", "colour: unknown"), ("[keys", "cannot be read")],
)  # fmt: skip
def test_a_config_file_that_is_not_understood_is_one_line(text, said, tmp_path):
    place = tmp_path / "config.toml"
    place.write_text(text)
    with pytest.raises(UserError) as raised:
        read_settings(place)
    assert said in str(raised.value)
    assert str(raised.value).startswith(str(place))


def test_a_time_of_day_is_the_last_row_before_it():
    now = time.mktime((2026, 11, 23, 14, 10, 0, 0, 0, -1))
    times = now - 60.0 * np.arange(600, -1, -1)  # a row a minute, from 04:10 on
    numbers = np.arange(1.0, 602.0)
    assert row_of("14:05", numbers, times) == 595
    assert row_of("14:05:30", numbers, times) == 595
    assert row_of("04:10", numbers, times) == 0
    assert row_of("23:59", numbers, times) == 0  # yesterday, before the run began
    with pytest.raises(UserError, match="does not say when"):
        row_of("14:05", numbers, np.full(601, np.nan))
    with pytest.raises(UserError, match="a time"):
        row_of("25:05", numbers, times)


def looked(run, *changes):
    return Looked(reader=1, run=run, diagnosis=None, changes=changes, now=0.0)


def test_a_bell_is_for_a_new_cause_a_crash_and_the_end_alone():
    async def body(session):
        frame = replace(session.app.frame, run=run_with(60, state="running"))
        same = looked(run_with(61, state="running"), *frame.changes)
        assert alarm(frame, same) == ""
        assert "finished" in alarm(frame, looked(run_with(60, state="finished")))
        assert "crashed" in alarm(frame, looked(run_with(60, state="crashed")))
        new = looked(run_with(61, state="running"), Change(row=60, code="TRPO001"))
        assert alarm(frame, new) == "new cause: TRPO001"
        assert alarm(replace(frame, opened=False), new) == ""

    on_screen(body)
    assert finding().code == "TRPO101"


def test_values_and_the_whole_table_are_handed_on(tmp_path):
    async def body(session):
        frame = replace(session.app.frame, path=str(tmp_path / "run-17"))
        text, name = values_text(frame)
        assert name == "values-it60.tsv"
        assert "kl\t0.00" in text
        said = write_csv(frame)
        with Path(said.removeprefix("written: ")).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 60
        assert float(rows[3]["kl"]) == frame.run.column("kl").values[3]

    on_screen(body)
    assert BY_NAME["csv"].keys == ("w",)


def _luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("theme", "ground"), [("textual-light", "#ffffff"), ("colour-blind", "#101418")]
)
def test_every_role_can_be_read_on_its_ground(theme, ground):
    for role, colour in ROLE_COLOURS[theme].items():
        light, dark = sorted((_luminance(colour), _luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, role


def test_the_theme_changes_how_a_role_looks_and_the_terminals_own_is_left_alone():
    bad = {theme: combined(Style(), "bad", theme).color for theme in THEMES}
    assert bad["ansi-dark"].name == bad["textual-dark"].name == "red"
    assert bad["colour-blind"].name == "#d55e00"
    assert bad["textual-light"].name == "#af0000"

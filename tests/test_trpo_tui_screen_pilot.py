"""The screen driven by keys, without a terminal."""

import asyncio
from dataclasses import replace

import pytest
from screen_fakes import CHECKPOINT, FakeAnswers, FakeTail, run_with

from runlog.errors import UserError
from runlog.run import run_of
from trpo_tui.application import WatchApp
from trpo_tui.themes import ASCII, UNICODE
from trpo_tui.widgets.lines import Lines

SIZES = [(60, 20), (80, 23), (80, 24), (120, 40), (200, 60)]


class Session:
    """A screen on a fake run."""

    def __init__(self, pilot, app, tail):
        self.pilot, self.app, self.tail = pilot, app, tail

    async def until(self, true):
        for _ in range(400):
            await self.pilot.pause(0.02)
            if true():
                return
        raise AssertionError(f"never happened; the screen shows\n{self.text}")

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.pilot.pause()

    @property
    def text(self):
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    def shown(self, name):
        return self.app.screen.query_one(f"#{name}", Lines).text

    @property
    def judged(self):
        diagnosis = self.app.frame.diagnosis
        return None if diagnosis is None else diagnosis.row


def on_screen(body, run=None, *, size=(80, 23), look=UNICODE, wait=True):
    """Run `body(session)` on a screen showing the run."""
    tail = FakeTail(run_with(60, events=[CHECKPOINT]) if run is None else run)

    async def go():
        app = WatchApp("somewhere/run-17", opener=lambda path: tail, judging=FakeAnswers, look=look)
        async with app.run_test(size=size) as pilot:
            session = Session(pilot, app, tail)
            if wait:
                await session.until(lambda: session.judged == len(tail.run) - 1)
                await session.until(lambda: len(app.frame.changes) > 1 or len(tail.run) < 20)
            await body(session)
        return session

    return asyncio.run(go())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("look", [UNICODE, ASCII])
def test_a_stranger_reads_cause_evidence_and_both_fixes_without_a_key(size, look):
    async def body(session):
        text = session.text
        for said in ("run-17", "Hopper-v5", "FINISHED", "it 60", "TRPO101", "since it 21",
                     "reward_max", "8.9e-16", "Verify", "min/max", "fix (founded)",
                     f"{look.dead}REWARD", "60/60", "FOLLOW", "help"):  # fmt: skip
            assert said in text, f"{said!r} is missing at {size}:\n{text}"
        assert all(len(line) == size[0] for line in text.splitlines())
        assert look.unicode or text.isascii()

    on_screen(body, size=size, look=look)


def test_the_playhead_moves_and_the_diagnosis_is_the_one_of_its_row():
    async def body(session):
        await session.press("home")
        await session.until(lambda: session.judged == 0)
        assert "No fault found" in session.shown("cause")
        assert "1/60" in session.shown("place")
        assert "PAUSED" in session.shown("place")
        await session.press("right", "right", ")")
        assert session.app.frame.playhead.row == 12
        await session.press("end")
        await session.until(lambda: session.judged == 59)
        assert "TRPO101" in session.shown("cause")
        assert "FOLLOW" in session.shown("place")

    on_screen(body)


def test_the_jump_keys_find_the_change_of_diagnosis_and_the_event():
    async def body(session):
        await session.press("home", "right_square_bracket")
        assert session.app.frame.playhead.row == 20
        await session.press("home", "n")
        assert session.app.frame.playhead.row == 9
        await session.press("n")
        assert "no next event" in session.shown("keys")
        await session.press("left_square_bracket")
        assert "no next event" not in session.text

    on_screen(body)


def test_a_growing_run_is_followed_and_a_moved_playhead_is_left_alone():
    async def body(session):
        assert "LIVE" in session.shown("header")
        session.tail.next.append(run_with(61, state="running"))
        await session.until(lambda: "it 61" in session.shown("header"))
        await session.press("left", "left")
        session.tail.next.append(run_with(70, state="running"))
        await session.until(lambda: session.app._held is not None)
        assert "it 59" in session.shown("header")
        assert "59/61" in session.shown("place")  # what is read holds still until the next key
        await session.press("right")
        assert "60/70" in session.shown("place")
        await session.press("end")
        assert "70/70" in session.shown("place")
        session.tail.next.append(run_with(71, state="running"))
        await session.until(lambda: "it 71" in session.shown("header"))

    on_screen(body, run_with(60, state="running"))


def test_a_killed_writer_is_said_in_the_first_line():
    async def body(session):
        dead = run_with(60, state="running")
        session.tail.next.append(replace(dead, state=replace(dead.state, name="killed")))
        await session.until(lambda: "KILLED" in session.shown("header"))

    on_screen(body, run_with(60, state="running"))


def test_the_end_of_a_run_is_said_also_while_one_looks_back():
    async def body(session):
        await session.press("left")
        dead = run_with(61, state="running")
        session.tail.next.append(replace(dead, state=replace(dead.state, name="killed")))
        await session.until(lambda: "KILLED" in session.shown("header"))
        assert "59/61" in session.shown("place")

    on_screen(body, run_with(60, state="running"))


def test_play_runs_to_the_end_and_follows():
    async def body(session):
        await session.press("home")
        await session.press(*[">"] * 8)
        assert session.app.frame.playhead.speed == 64.0
        assert session.app.frame.playhead.row == 0
        await session.press("space")
        await session.until(lambda: session.app.frame.playhead.follow)
        assert session.app.frame.playhead.row == 59

    on_screen(body)


def test_go_to_asks_and_an_unreadable_answer_is_one_sentence():
    async def body(session):
        await session.press("g")
        await session.until(lambda: "go to iteration" in session.text)
        await session.press("3", "0", "enter")
        await session.until(lambda: session.app.frame.playhead.row == 29)
        await session.press("g")
        await session.press("x", "enter")
        await session.until(lambda: "give an iteration" in session.shown("keys"))

    on_screen(body)


def test_another_metric_is_charted():
    async def body(session):
        before = session.shown("chart0").splitlines()[0]
        await session.press("down")
        assert session.shown("chart0").splitlines()[0] != before
        await session.press("tab", "down")
        assert session.shown("chart1").splitlines()[0].startswith(UNICODE.pointer)

    on_screen(body)


def test_the_cursors_of_all_charts_stand_in_one_column():
    async def body(session):
        await session.press("g", "3", "0", "enter")
        await session.until(lambda: session.app.frame.playhead.row == 29)
        places = {session.shown(f"chart{i}").splitlines()[1].index(UNICODE.bar) for i in (0, 1)}
        assert len(places) == 1

    on_screen(body)


def test_the_diagnosis_lists_every_rule_and_tells_why():
    async def body(session):
        await session.press("d")
        await session.until(lambda: "TRPO106" in session.text)
        assert "CAUSE" in session.text
        assert "Every return is the same" not in session.text
        await session.press("enter")
        assert "Every return is the same" in session.text
        await session.press("down")
        assert "The advantages are zero" in session.text
        await session.press("escape")
        await session.until(lambda: "chart0" in {w.id for w in session.app.screen.query(Lines)})

    on_screen(body)


def test_enter_on_an_event_moves_the_playhead_there():
    async def body(session):
        await session.press("3")
        await session.until(lambda: "checkpoints/10.pt" in session.text)
        assert "the cause is TRPO101" in session.text
        await session.press("enter")
        assert session.app.frame.playhead.row == 9

    on_screen(body)


def test_the_table_shows_every_column_and_filters():
    async def body(session):
        await session.press("4")
        await session.until(lambda: "episode_return_mean" in session.text)
        await session.press("slash", "m", "a", "x", "_", "k", "enter")
        await session.until(lambda: "Trust region" in session.text)
        assert "episode_return_mean" not in session.text

    on_screen(body)


def test_the_help_page_names_every_action_of_the_registry():
    from trpo_tui.actions import ACTIONS

    async def body(session):
        await session.press("question_mark")
        await session.until(lambda: "This page" in session.text)
        for action in ACTIONS:
            assert action.help.split()[0] in session.text, action.name

    on_screen(body, size=(120, 60))


def test_a_run_without_rows_waits_and_no_key_hurts_it():
    async def body(session):
        await session.until(lambda: "waiting for the first iteration" in session.text)
        await session.press("left", "space", "home", "n", "c", "d", "enter", "4", "3", "1")
        session.tail.next.append(run_with(1, state="running"))
        await session.until(lambda: "it 1" in session.shown("header"))

    on_screen(body, run_with(0, state="running"), wait=False)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), 1e30, -1e308])
def test_one_value_everywhere_draws_on_every_screen(value):
    columns = dict.fromkeys(
        ("episode_return_mean", "reward_mean", "kl", "max_kl", "gradient_norm", "entropy",
         "advantage_raw_std", "explained_variance", "step_fraction", "time"), value,
    )  # fmt: skip

    async def body(session):
        await session.press("left", "home", "2", "3", "4", "7", "1")
        assert "TRPO101" in session.text or "No fault" in session.text

    on_screen(body, run_with(60, **columns))


def test_names_with_brackets_and_escapes_are_shown_as_they_are():
    run = replace(run_with(30), metadata={"env_id": "[bold]x[/]\x1b[31m"})

    async def body(session):
        assert "[bold]x[/]?[31m" in session.text

    on_screen(body, run)


def test_nothing_is_repainted_when_nothing_changed():
    async def body(session):
        repainted = []
        for widget in session.app.screen.query(Lines):
            widget.refresh = lambda *regions, w=widget, **_: repainted.append(w.id)
        session.app.show()
        assert repainted == []
        await session.press("left")
        assert "place" in repainted
        assert "keys" not in repainted

    on_screen(body)


def test_a_source_that_cannot_be_read_ends_the_screen_with_its_one_line():
    def refuse(path):
        raise UserError("train.log: holds no iteration of any format known")

    async def go():
        app = WatchApp("train.log", opener=refuse, judging=FakeAnswers)
        async with app.run_test() as pilot:
            for _ in range(200):
                await pilot.pause(0.02)
                if app.failure is not None:
                    break
        return app

    app = asyncio.run(go())
    assert isinstance(app.failure, UserError)
    assert app.return_code == 2


def test_a_bug_in_the_reading_thread_is_not_swallowed():
    class Broken(FakeTail):
        def poll(self):
            raise ZeroDivisionError

    async def go():
        app = WatchApp("x", opener=lambda path: Broken(run_with(3)), judging=FakeAnswers)
        async with app.run_test() as pilot:
            for _ in range(200):
                await pilot.pause(0.02)
                if app.failure is not None:
                    break
        return app

    assert isinstance(asyncio.run(go()).failure, ZeroDivisionError)


def test_leaving_closes_the_source_and_nothing_else():
    async def body(session):
        await session.press("q")

    session = on_screen(body)
    assert session.app.return_code == 0


def test_a_chart_names_the_last_value_where_the_newest_row_has_none():
    run = run_with(60)
    rows = [dict(record) for record in run.chunks[0].records]
    rows[-1]["episode_return_mean"] = None
    rows[-2]["episode_return_mean"] = 7.0

    async def body(session):
        assert session.shown("chart0").splitlines()[0].endswith("episode_return_mean 7 (it 59)")

    on_screen(body, run_of(rows))

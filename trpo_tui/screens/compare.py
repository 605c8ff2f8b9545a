"""Runs one over the other: two metrics along iterations, and what is wrong with each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Event, Thread

import numpy as np
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from runlog.errors import UserError
from runlog.run import Run
from trpo_tui.frame import iterations, metrics
from trpo_tui.judging import Source, judge_run, open_source
from trpo_tui.messages import Compared, Failed
from trpo_tui.places import name_of
from trpo_tui.screens.base import RunScreen
from trpo_tui.series import series_of
from trpo_tui.text import number
from trpo_tui.themes import UNICODE, Line, Look, Role
from trpo_tui.widgets.lines import Lines, View
from trpo_tui.widgets.plot import GUTTER, Curve, Plot

LETTERS = "ABCDEFGH"
MOST = len(LETTERS)
"""Runs that can be told apart in one chart."""
ROLES: tuple[Role, ...] = ("line", "warn", "good", "bad")
AGAIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaid:
    """One of the runs. `verdict`: its cause or verdict as of its last row."""

    name: str
    run: Run
    verdict: str


def overlaid(path: str, run: Run, before: Overlaid | None = None) -> Overlaid:
    """A run judged, or what it was `before` where it is the same."""
    if before is not None and before.run is run:
        return before
    if not len(run):
        return Overlaid(name=name_of(path), run=run, verdict="no rows yet")
    found = judge_run(run).at(len(run) - 1)
    cause = found.cause
    verdict = (
        found.verdict
        if cause is None
        else f"{cause.code} {cause.name} since it {cause.first_bad_iteration}"
    )
    return Overlaid(name=name_of(path), run=run, verdict=verdict)


def keep_reading(paths: Sequence[str], post: Callable[[Message], object], stop: Event) -> None:
    """Read the runs and follow them; only what has changed is judged again."""
    sources: dict[str, Source] = {}
    known: dict[str, Overlaid] = {}
    try:
        while not stop.is_set():
            problem = ""
            for path in paths:
                try:
                    source = sources.get(path) or open_source(path)
                    sources[path] = source
                    run = source.poll() or source.run
                    known[path] = overlaid(path, run, known.get(path))
                except UserError as error:
                    problem = str(error)
                    sources.pop(path, None)
                    known.pop(path, None)
            post(Compared(tuple(known[path] for path in paths if path in known), problem))
            stop.wait(AGAIN_SECONDS)
    except BaseException as error:  # noqa: BLE001  the screen raises it in the main thread
        post(Failed(reader=None, error=error))
    finally:
        for source in sources.values():
            source.close()


class Overlay(Lines):
    """One metric of every run in one chart, along iterations."""

    runs: tuple[Overlaid, ...] = ()
    metric = "episode_return_mean"

    def __init__(self, *, id: str | None = None, look: Look = UNICODE) -> None:  # noqa: A002
        super().__init__(id=id, look=look)
        self._key: tuple[object, ...] = ()
        self._plot: Plot | None = None

    def draw(self, view: View) -> Sequence[Line]:
        title: Line = (
            (self.look.say(self.metric), "title"),
            (f"  {view.frame.view.said}" if view.frame.view.said else "", "dim"),
        )
        if view.height < 3 or view.width < GUTTER + 8:
            return [title]
        key = (self.runs, self.metric, view.width, view.height, view.frame.view)
        if self._plot is None or key != self._key:
            self._key, self._plot = key, self._drawn(view)
        plot = self._plot
        return [title, *plot.lines(None, (), bar=False)]

    def _drawn(self, view: View) -> Plot:
        look_at = view.frame.view
        curves = []
        for k, each in enumerate(self.runs):
            first, stop = look_at.window(len(each.run) - 1, len(each.run))
            axis = each.run.column(look_at.axis)
            along = (
                np.where(axis.present, axis.values.astype(np.float64), np.nan)
                if look_at.axis != "iteration" and axis.present.any()
                else iterations(each.run)
            )
            if look_at.axis == "time" and np.isfinite(along).any():
                along = along - np.nanmin(along)  # since its own start
            curves.append(
                Curve(
                    series=series_of(each.run, self.metric),
                    rows=(first, stop),
                    positions=along[first:stop],
                    role=ROLES[k % len(ROLES)],
                    letter=LETTERS[k],
                )
            )
        return Plot(curves, width=view.width, height=view.height - 1, look=self.look, view=look_at)


class Sides(Lines):
    """A line a run: its letter, name, iterations, last value of the metric, verdict."""

    runs: tuple[Overlaid, ...] = ()
    metric = "episode_return_mean"
    said = "reading the runs"

    def draw(self, view: View) -> Sequence[Line]:  # noqa: ARG002
        if not self.runs:
            return [((self.look.say(self.said), "dim"),)]
        wide = min(30, max(len(each.name) for each in self.runs))
        return [self._line(k, each, wide) for k, each in enumerate(self.runs)]

    def _line(self, k: int, each: Overlaid, wide: int) -> Line:
        column = each.run.column(self.metric)
        known = column.values[column.present]
        last = number(float(known[-1])) if len(known) else "-"
        role = ROLES[k % len(ROLES)]
        sick = each.verdict.startswith("TRPO")
        return (
            (f"{LETTERS[k]} ", role),
            (f"{self.look.say(each.name)[:wide]:{wide}} ", "bold"),
            (f"{each.run.state.name:9} it {len(each.run):<7} {last:>9}  ", "plain"),
            (self.look.say(each.verdict), "bad" if sick else "plain"),
        )


class Compare(RunScreen):
    """Up and down change the metric of the upper chart; the lower one shows KL."""

    called = "compare"

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__()
        self.paths = tuple(paths)[:MOST]
        self.letters = ""
        self._stop = Event()

    def body(self) -> Iterable[Widget]:
        yield Sides(id="sides", look=self.look)
        yield Container(
            Overlay(id="overlay0", look=self.look),
            Overlay(id="overlay1", look=self.look),
            id="overlays",
        )

    def begin(self) -> None:
        self.query_one("#overlay1", Overlay).metric = "kl"
        self.query_one("#sides").styles.height = max(1, len(self.paths))
        if len(self.paths) < 2:
            self.query_one(Sides).said = "mark two runs or more in the list of runs (5): space"
        if not self.paths:
            return
        post = self.app.post_message
        Thread(target=keep_reading, args=(self.paths, post, self._stop), daemon=True).start()

    def on_unmount(self) -> None:
        self._stop.set()

    def found(self, runs: tuple[Overlaid, ...], problem: str) -> None:
        """The runs as just read; nothing is drawn anew where none has changed."""
        sides, overlays = self.query_one(Sides), self.query(Overlay)
        if [(r.run, r.verdict) for r in sides.runs] == [(r.run, r.verdict) for r in runs]:
            runs = sides.runs
        for widget in (sides, *overlays):
            widget.runs = runs
        if problem:
            sides.said = problem
        self.watch_app.show()

    def act(self, name: str) -> bool:
        upper, sides = self.query_one("#overlay0", Overlay), self.query_one(Sides)
        if name in ("up", "down"):
            known = [m for m in _metrics(upper.runs) if self.letters in m]
            if known:
                place = known.index(upper.metric) if upper.metric in known else -1
                upper.metric = known[(place + (1 if name == "down" else -1)) % len(known)]
                sides.metric = upper.metric
                self.watch_app.show()
            return True
        if name == "filter":
            self.watch_app.ask("metrics with (none: all)", "", self._filter)
            return True
        return super().act(name)

    def _filter(self, letters: str) -> None:
        self.letters = letters.strip()
        self.act("down")


def _metrics(runs: Sequence[Overlaid]) -> tuple[str, ...]:
    """What any of the runs can show."""
    return tuple(dict.fromkeys(name for each in runs for name in metrics(each.run)))

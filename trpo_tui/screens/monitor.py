"""The Monitor: the cause with its evidence and fix, the curves, the chain, the timeline."""

from collections.abc import Iterable, Sequence

from textual.containers import Container
from textual.geometry import Region
from textual.widget import Widget

from trpo_tui.frame import Frame, metrics
from trpo_tui.screens.base import RunScreen
from trpo_tui.screens.table import row_line
from trpo_tui.text import chosen
from trpo_tui.themes import Line
from trpo_tui.widgets.cause import Cause
from trpo_tui.widgets.chain import Chain
from trpo_tui.widgets.chart import Chart
from trpo_tui.widgets.lines import Lines, View
from trpo_tui.widgets.pictures import pictures
from trpo_tui.widgets.scrubber import Place, Track
from trpo_tui.widgets.sparks import Sparks


class Values(Lines):
    """The values at the playhead, as many as fit: the third column of a wide screen."""

    parts = ("run", "playhead")

    def draw(self, view: View) -> Sequence[Line]:
        names = metrics(view.frame.run)[: view.height]
        return [row_line(view.frame, name, self.look, meaning=False) for name in names]


class Monitor(RunScreen):
    """What one looks at while a run trains; readable at 80×23 without a key."""

    called = "monitor"

    def body(self) -> Iterable[Widget]:
        look = self.look
        charts = [Chart(place, id=f"chart{place}", look=look) for place in range(4)]
        yield Container(
            Cause(id="cause", look=look),
            Container(Sparks(id="sparks", look=look), Container(*charts, id="charts"), id="plots"),
            Values(id="values", look=look),
            id="body",
        )
        yield Chain(id="chain", look=look)
        yield Container(Track(id="track", look=look), Place(id="place", look=look), id="scrubber")

    letters = ""
    """Only metrics whose names hold these are gone through; a leading ! turns it round."""

    def fill(self, frame: Frame) -> None:
        self.query_one("#body").set_class(frame.view.maximised, "-maximised")
        for chart in self.charts:
            chart.set_class(chart.place == frame.focus, "-marked")

    @property
    def charts(self) -> list[Chart]:
        """All four, shown or not."""
        return [part for part in self.parts if isinstance(part, Chart)]

    @property
    def marked(self) -> Region:
        focus = self.watch_app.frame.focus
        return next((c.region for c in self.charts if c.place == focus), Region())

    def act(self, name: str) -> bool:
        app = self.watch_app
        shown = sum(bool(chart.size.height) for chart in self.charts)
        if name in ("focus", "focus-back") and not app.frame.view.maximised:
            step = 1 if name == "focus" else -1
            app.chart(focus=(app.frame.focus + step) % max(1, shown))
        elif name == "choose":
            app.do("maximise")
        elif name == "filter":
            app.ask("metrics with (none: all)", "", self._filter)
        elif name in ("up", "down"):
            known = self._chosen()
            if known:
                app.chart(
                    name=_next(
                        known, app.frame.charts[app.frame.focus], 1 if name == "down" else -1
                    )
                )
        else:
            return False
        return True

    def _chosen(self) -> list[str]:
        """What the marked chart can show: columns, and pictures of one iteration."""
        run = self.watch_app.frame.run
        return [name for name in (*pictures(run), *metrics(run)) if chosen(name, self.letters)]

    def _filter(self, letters: str) -> None:
        self.letters = letters.strip()
        known = self._chosen()
        if not known:
            self.watch_app.say(f"no metric's name holds {self.letters}")
        elif self.letters:
            self.watch_app.chart(name=known[0])


def _next(known: Sequence[str], name: str, step: int) -> str:
    place = known.index(name) if name in known else -1 if step > 0 else 0
    return known[(place + step) % len(known)]


def with_chart(charts: tuple[str, ...], place: int, name: str) -> tuple[str, ...]:
    """The charts with another column at one place."""
    return (*charts[:place], name, *charts[place + 1 :])

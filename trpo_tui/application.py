"""The Textual application: keeps the playhead, turns keys into actions, shows one frame."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

from rich.console import RenderableType
from textual import events
from textual.app import App
from textual.timer import Timer

from runlog.errors import UserError
from runlog.run import Run
from trpo_tui.actions import action_of, rebound
from trpo_tui.alarms import alarm
from trpo_tui.frame import Frame, default_charts, iterations
from trpo_tui.judging import Judged, Source, judge_run, open_source
from trpo_tui.messages import Compared, Copied, Failed, Looked, RunsFound
from trpo_tui.places import name_of, parent_of
from trpo_tui.playhead import Playhead, neighbour, row_of
from trpo_tui.question import Question
from trpo_tui.reading import Reader
from trpo_tui.screens.base import RunScreen
from trpo_tui.screens.compare import Compare
from trpo_tui.screens.diagnosis import DiagnosisScreen
from trpo_tui.screens.events import Events
from trpo_tui.screens.help import Help
from trpo_tui.screens.monitor import Monitor, with_chart
from trpo_tui.screens.palette import Palette
from trpo_tui.screens.runs import Runs
from trpo_tui.screens.table import Table
from trpo_tui.settings_file import Settings
from trpo_tui.theme_colours import OWN_THEMES
from trpo_tui.themes import THEMES, UNICODE, Look
from trpo_tui.widgets.sending import send

NO_SETTINGS = Settings()
SWITCH_SECONDS = 0.001
"""How long a thread that reads or judges may keep a key waiting."""
COLLECTING = (2000, 20, 1_000_000)
"""Of the garbage collector; what is old it takes up only when it is told to."""
IDLE_SECONDS, PENDING = 5.0, 2
"""Without a key, and younger collections since, before a whole one."""
_MOVING = ("up", "down", "pageup", "pagedown")


class WatchApp(App[int]):
    """Shows the run at `path`, or picks one below `folder`."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        path: str | None,
        *,
        folder: str | None = None,
        name: str = "",
        look: Look = UNICODE,
        opener: Callable[[str], Source] = open_source,
        judging: Callable[[Run], Judged] = judge_run,
        notice: str = "",
        settings: Settings = NO_SETTINGS,
    ) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        super().__init__(ansi_color=True)
        self.actions = rebound(settings.keys)
        for theme in OWN_THEMES:
            self.register_theme(theme)
        self._use_theme(settings.theme or THEMES[0])
        self.look = look
        self.folder = folder
        self.failure: BaseException | None = None
        self._path, self._opener, self._judging = path, opener, judging
        self._reader: Reader | None = None
        self._timer: Timer | None = None
        self._question: Question | None = None
        self._alarms = False
        self._unsent: list[str] | None = None
        self._pressed_at = 0.0
        self._held: Looked | None = None
        self.marked: tuple[str, ...] = ()
        """Paths of the runs that are marked in the list."""
        opening = _opening(path or "", name or (name_of(path) if path else ""))
        self.frame = replace(opening, message=notice or opening.message)

    # reading

    def on_mount(self) -> None:
        gc.set_threshold(*COLLECTING)
        self.set_interval(IDLE_SECONDS, self._collect)
        self.push_screen(Monitor() if self._path is not None else Runs(self.folder or "."))
        if self._path is not None:
            self.call_after_refresh(self._read, self._path)

    def _read(self, path: str) -> None:
        if self._reader is not None:
            self._reader.stop()
        self._reader = Reader(path, self.post_message, opener=self._opener, judging=self._judging)
        self._reader.start()

    def open(self, path: str, name: str) -> None:
        """Watch another run."""
        self._pause()
        self._held = None
        self.frame = _opening(path, name)
        self.switch_screen(Monitor())
        self._path = path
        self._read(path)

    def on_looked(self, message: Looked) -> None:
        """The reading thread has news: one frame, whether the run grew or was only judged."""
        if self._reader is None or message.reader != self._reader.number:
            return
        if self._alarms and (news := alarm(self.frame, message)):
            self.bell()
            self.say(news)
        if self._only_rows(message):
            self._held = message
        else:
            self._take(message)

    def _only_rows(self, message: Looked) -> bool:
        """Whether all that is new are rows behind the one that is looked at: they come with the next
        key, so that what is read holds still and nothing is sent."""
        frame, run = self.frame, message.run
        return (
            frame.paused
            and frame.opened
            and (run.state.name, run.attempt) == (frame.run.state.name, frame.run.attempt)
            and len(run) >= len(frame.run) > 0
            and message.changes == frame.changes
            and message.diagnosis == frame.diagnosis
        )

    def _take(self, message: Looked) -> None:
        self._held = None
        first = not self.frame.opened or not len(self.frame.run)
        charts = default_charts(message.run) if first else self.frame.charts
        self.frame = replace(
            self.frame,
            run=message.run,
            playhead=self.frame.playhead.grown(len(message.run)),
            diagnosis=message.diagnosis or self.frame.diagnosis,
            changes=message.changes,
            charts=charts,
            now=message.now,
            opened=True,
        )
        self.show()

    def on_failed(self, message: Failed) -> None:
        if message.reader is not None and (
            self._reader is None or message.reader != self._reader.number
        ):
            return
        if isinstance(message.error, UserError) and self.folder is not None:
            self.say(str(message.error))
            return
        self.failure = message.error
        self.exit(return_code=2)

    def on_runs_found(self, message: RunsFound) -> None:
        if isinstance(self.screen, Runs):
            self.screen.found(message.entries, whole=message.whole)

    def on_compared(self, message: Compared) -> None:
        if isinstance(self.screen, Compare):
            self.screen.found(message.runs, message.problem)

    # showing

    def show(self) -> None:
        """Show the frame on the screen in front, and on what lies below it."""
        with self.in_one_piece():
            for screen in self.screen_stack:
                if isinstance(screen, RunScreen) and screen.is_mounted:
                    screen.show(self.frame)

    def send(self, text: str) -> None:
        """Write to the terminal: at once, or with the rest of what a key or a message changes."""
        if self._unsent is None:
            send(self, text)
        else:
            self._unsent.append(text)

    @contextmanager
    def in_one_piece(self) -> Iterator[None]:
        """What is sent meanwhile is written at the end, so that no half of it is ever seen."""
        outer, self._unsent = self._unsent, []
        try:
            yield
        finally:
            text, self._unsent = "".join(self._unsent), outer
            if isinstance(self.screen, RunScreen):
                self.cursor_position = self.screen.cursor
            self.send(text)

    def say(self, sentence: str) -> None:
        """Answer the last key in the key line."""
        self.frame = replace(self.frame, message=sentence)
        self.show()

    def mark(self, path: str) -> None:
        """Mark a run for Compare, or no longer."""
        left = tuple(each for each in self.marked if each != path)
        self.marked = left if len(left) < len(self.marked) else (*self.marked, path)
        self.show()

    def ask(
        self,
        text: str,
        typed: str,
        then: Callable[[str], None],
        typing: Callable[[str], None] | None = None,
        given_up: Callable[[], None] = lambda: None,
    ) -> None:
        """Ask for a line in the key line; keys are letters until enter or escape."""
        self._question = Question(
            text=text, typed=typed, then=then, typing=typing, given_up=given_up
        )
        self.say(self._question.line)

    def on_key(self, event: events.Key) -> None:
        """Every key comes by here, in order: a question's letters first, then the registry."""
        self._pressed_at = time.monotonic()
        if self._held is not None:
            self._take(self._held)
        question = self._question
        moving = question is not None and question.typing is not None and event.key in _MOVING
        event.prevent_default()
        event.stop()
        if question is None or moving or event.key == "ctrl+c":
            with self.in_one_piece():
                self._pressed(event)
            return
        if event.key in ("enter", "escape"):
            self._question = None
            self.say("")
            if event.key == "enter":
                question.then(question.typed)
            else:
                question.given_up()
            return
        self._question = question.pressed(event.key, event.character)
        if question.typing is not None:
            question.typing(self._question.typed)
        self.say(self._question.line)

    def _collect(self) -> None:
        """A whole garbage collection takes up to 0.2 s: while no key waits for it."""
        pending = gc.get_count()[2]
        if pending > PENDING and time.monotonic() - self._pressed_at > IDLE_SECONDS:
            gc.collect()

    def _use_theme(self, name: str) -> None:
        self.theme = name
        self.ansi_color = name.startswith("ansi")

    def move(self, playhead: Playhead) -> None:
        """Look at another row; its diagnosis follows from the reading thread."""
        self.frame = replace(self.frame, playhead=playhead)
        if self._reader is not None:
            self._reader.ask(None if playhead.follow else playhead.row)
        if not playhead.playing:
            self._pause()
        self.show()

    def chart(self, *, focus: int | None = None, name: str | None = None) -> None:
        """Mark another chart, or chart another column in the marked one."""
        if focus is not None:
            self.frame = replace(self.frame, focus=focus)
        if name is not None:
            charts = with_chart(self.frame.charts, self.frame.focus, name)
            self.frame = replace(self.frame, charts=charts)
        self.show()

    def _pause(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _play(self, playhead: Playhead) -> None:
        self._pause()
        self.move(playhead)
        if playhead.playing:
            self._timer = self.set_interval(playhead.seconds_per_frame, self._step)

    def _step(self) -> None:
        self.move(self.frame.playhead.played())

    # keys

    def _pressed(self, event: events.Key) -> None:
        """Do what the key does on the screen in front; a sign may be named as it is or in words."""
        called = getattr(self.screen, "called", "")
        for key in dict.fromkeys((event.key, event.character or event.key)):
            action = action_of(self.actions, key, called)
            if action is not None:
                self.do(action.name)
                return

    def do(self, name: str) -> None:
        """Do the action of that name: the screen in front first, then what works everywhere."""
        if self.frame.message:
            self.frame = replace(self.frame, message="")
            self.show()
        screen = self.screen
        if isinstance(screen, RunScreen) and screen.act(name):
            return
        if not (self._playhead_action(name) or self._chart_action(name)):
            self._screen_action(name)

    def _chart_action(self, name: str) -> bool:
        view = self.frame.view.after(name, len(self.frame.run))
        if view is None:
            return False
        self.frame = replace(self.frame, view=view)
        self.show()
        return True

    def _playhead_action(self, name: str) -> bool:
        head = self.frame.playhead
        if not head.length:
            return False
        if (moved := head.after(name)) is not None:
            self.move(moved)
        elif name == "play":
            self._play(head.toggled(live=self.frame.live))
        elif name in ("slower", "faster"):
            self._play(head.faster(1 if name == "faster" else -1))
        elif name.endswith(("-change", "-event")):
            self._jump(name)
        elif name == "goto":
            self.ask("go to iteration (or 50%, or 14:05)", "", self._goto)
        elif name in ("copy", "copy-values", "csv"):
            self._hand_on(name)
        else:
            return False
        return True

    def _jump(self, name: str) -> None:
        direction, _, what = name.partition("-")
        if what == "change":
            rows = [change.row for change in self.frame.changes]
        else:
            rows = sorted({max(0, event.row - 1) for event in self.frame.run.events})
        row = neighbour(rows, self.frame.playhead.row, 1 if direction == "next" else -1)
        if row is None:
            noun = "change of diagnosis" if what == "change" else "event"
            self.say(f"no {direction} {noun}")
        else:
            self.move(self.frame.playhead.at(row))

    def _goto(self, answer: str) -> None:
        if not answer.strip():
            return
        try:
            run = self.frame.run
            row = row_of(answer, iterations(run), run.column("time").values)
            self.move(self.frame.playhead.at(row))
        except UserError as error:
            self.say(str(error))

    def _hand_on(self, what: str) -> None:
        if what == "copy" and self.frame.diagnosis is None:
            self.say("nothing to copy yet: the run is being judged")
            return
        painted = None
        if what == "picture":
            painted = self.screen._compositor.render_update(
                full=True, screen_stack=self._background_screens
            )
        Thread(target=self._handing_on, args=(what, self.frame, painted), daemon=True).start()

    def _handing_on(self, what: str, frame: Frame, painted: RenderableType | None) -> None:
        from trpo_tui.exports import handed_on

        def osc52(text: str) -> None:
            self.call_from_thread(self.copy_to_clipboard, text)

        try:
            sentence = handed_on(what, frame, osc52=osc52, painted=painted, size=self.size)
        except (UserError, OSError) as error:
            sentence = str(error)
        self.post_message(Copied(sentence))

    def on_copied(self, message: Copied) -> None:
        self.say(message.sentence)

    def _screen_action(self, name: str) -> None:
        screens: dict[str, Callable[[], RunScreen]] = {
            "monitor": Monitor,
            "diagnosis": DiagnosisScreen,
            "events": Events,
            "table": Table,
            "help": Help,
            "runs": lambda: Runs(self.folder or parent_of(self.frame.path)),
            "compare": lambda: Compare(self.marked or ((self._path,) if self._path else ())),
        }
        if name == "quit":
            self.exit(0)
        elif name == "suspend":
            self.action_suspend_process()
        elif name == "theme":
            place = THEMES.index(self.theme) if self.theme in THEMES else -1
            self._use_theme(THEMES[(place + 1) % len(THEMES)])
            self.say(f"theme {self.theme}")
        elif name == "picture":
            self._hand_on(name)
        elif name == "bell":
            self._alarms = not self._alarms
            self.say("rings on a new cause, a crash, the end" if self._alarms else "rings no more")
        elif name == "palette":
            self.push_screen(Palette(getattr(self.screen, "called", "monitor")))
            return
        elif name == "back":
            name = "runs" if self._path is None else "monitor"
        if name in screens and getattr(self.screen, "called", "") != name:
            if self._path is None and name not in ("runs", "help", "compare"):
                self.say("open a run first: enter")
                return
            self.switch_screen(screens[name]())


def _opening(path: str, name: str) -> Frame:
    run = Run(chunks=())
    return Frame(
        name=name,
        path=path,
        run=run,
        playhead=Playhead(),
        diagnosis=None,
        changes=(),
        charts=default_charts(run),
        focus=0,
        now=time.time(),
        opened=False,
    )

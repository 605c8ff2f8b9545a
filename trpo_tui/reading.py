"""The thread that reads a run and judges it, so that no key ever waits for either."""

import gc
import threading
import time
from collections.abc import Callable
from itertools import count

from textual.message import Message

from analyzer.diagnosis import Diagnosis
from runlog.run import Run
from trpo_tui.frame import LIVE
from trpo_tui.judging import Judge, Judged, Source, judge_run, open_source
from trpo_tui.messages import Failed, Looked
from trpo_tui.text import age

LIVE_SECONDS = 0.2
ENDED_SECONDS = (1.0, 10.0)
"""Between two looks at an ended run: at first, and at most."""
SLICE_SECONDS = 0.02
"""How long the search for changes may keep a request waiting."""

JUDGING_SHARE, ASKING_SHARE = 0.004, 0.03
"""Of a processor, at most, for the judging of new rows and for diagnoses of rows one moves to: the
trainer needs it more. What comes sooner is shown at once and judged a little later."""
ASKING_SECONDS = 0.25
"""Longest wait for the diagnosis of another row."""
REST_SECONDS = 5.0
"""Longest wait for a judgement, unless judging itself takes a second and more."""

_numbers = count(1)


class Reader:
    """Follows one source in a daemon thread and posts what it sees."""

    def __init__(
        self,
        path: str,
        post: Callable[[Message], object],
        *,
        opener: Callable[[str], Source] = open_source,
        judging: Callable[[Run], Judged] = judge_run,
    ) -> None:
        self.number = next(_numbers)
        self._path, self._post, self._open, self._judging = path, post, opener, judging
        self._wake = threading.Condition()
        self._wanted: int | None = None  # None: the newest row
        self._asked = False
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask(self, row: int | None) -> None:
        """The row whose diagnosis is wanted; None for the newest, now and from now on."""
        with self._wake:
            if row != self._wanted:
                self._wanted, self._asked = row, True
                self._wake.notify()

    def stop(self) -> None:
        """Let the thread end; nobody waits for it."""
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def _work(self) -> None:
        try:
            source = self._open(self._path)
            try:
                self._follow(source)
            finally:
                source.close()
        except BaseException as error:  # noqa: BLE001  the screen raises it in the main thread
            self._post(Failed(reader=self.number, error=error))

    def _follow(self, source: Source) -> None:
        judge, run = Judge(self._judging), source.run
        self._say(run, None, judge)  # the curves first: judging imports and computes
        fresh: Run | None = run
        unjudged, rested = True, 0.0  # rows nobody judged yet, and until when they wait
        quiet, due = 0, 0.0  # looks without news, and when to look next
        ready = 0.0  # when the next diagnosis may be asked for
        said_age, said_changes = "", judge.changes
        diagnosis: Diagnosis | None = None
        while not self._stopped:
            if fresh is None and time.monotonic() >= due:
                fresh = source.poll()
                quiet = 0 if fresh is not None else quiet + 1
                due = time.monotonic() + _pause(run, quiet)
            if fresh is not None:
                if fresh.attempt != run.attempt or len(fresh) < len(run):
                    diagnosis, rested = None, 0.0
                run, unjudged = fresh, True
            begun = time.monotonic()
            with self._wake:
                wanted, asked = self._wanted, self._asked and begun >= ready
                self._asked = self._asked and not asked
            judging = unjudged and (begun >= rested or run.state.name not in LIVE)
            if judging:
                judge.read(run)
            judge.scan(SLICE_SECONDS)
            found = judge.finished and judge.changes != said_changes
            if judging or asked or found:
                asked_at = time.monotonic()
                diagnosis = judge.at(len(run) - 1 if wanted is None else wanted)
                took = time.monotonic() - asked_at
                ready = asked_at + min(took / ASKING_SHARE, ASKING_SECONDS)
            if judging:
                if not rested:
                    gc.freeze()  # what was imported stays; looking through it again takes 10 ms
                unjudged, rested = False, time.monotonic() + _rest(time.monotonic() - begun)
            shown_age = _age(run)
            if fresh is not None or judging or asked or found or shown_age != said_age:
                said_age, said_changes = shown_age, judge.changes
                self._say(run, diagnosis, judge)
            fresh = None
            if judge.finished:
                self._wait(min(due, rested) if unjudged else due, ready)

    def _wait(self, until: float, ready: float) -> None:
        """Until that moment, or until a diagnosis is asked for and may be."""
        with self._wake:
            while not self._stopped:
                seconds = (min(until, ready) if self._asked else until) - time.monotonic()
                if seconds <= 0:
                    return
                self._wake.wait(seconds)

    def _say(self, run: Run, diagnosis: Diagnosis | None, judge: Judge) -> None:
        self._post(
            Looked(
                reader=self.number,
                run=run,
                diagnosis=diagnosis,
                changes=judge.changes,
                now=time.time(),
            )
        )


def _pause(run: Run, since_news: int) -> float:
    """Seconds to the next look: 5 a second while rows may come, ever fewer after the end."""
    if run.state.name in LIVE:
        return LIVE_SECONDS
    first, most = ENDED_SECONDS
    return min(first * (1 + since_news), most)


def _rest(took: float) -> float:
    """Seconds to the next judging after one that took so long."""
    return min(took / JUDGING_SHARE, max(REST_SECONDS, 5 * took))


def _age(run: Run) -> str:
    moment = run.state.last_row_time
    if moment is None or run.state.name not in LIVE:
        return ""
    return age(max(0.0, time.time() - moment))

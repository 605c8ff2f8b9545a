"""The clock of an iteration: what was measured on it are the only columns that differ between equal
runs."""

import time

from agent.columns import ClockColumns
from agent.learning import Lesson
from agent.process import memory_mb, processor_seconds


class Clock:
    """Started before an iteration, told when it has sampled and learnt, asked for its columns."""

    def __init__(self) -> None:
        self._learnt: float | None = None
        self._row: float | None = None

    def start(self) -> None:
        """An iteration begins; whatever came since the last one had learnt was its logging."""
        self._begun, self._processor = time.perf_counter(), processor_seconds()
        self._logging = None if self._learnt is None else self._begun - self._learnt

    def sampling(self) -> None:
        """Sampling begins."""
        self._sampling = time.perf_counter()

    def sampled(self) -> None:
        """Sampling has ended."""
        self._seconds_sampling = time.perf_counter() - self._sampling

    def learnt(self) -> None:
        """The update has ended; what follows is for the log."""
        self._learnt = time.perf_counter()

    def columns(self, lesson: Lesson) -> ClockColumns:
        """The row is complete."""
        now, before = time.perf_counter(), self._row or self._begun
        self._row = now
        return ClockColumns(
            time=time.time(),
            seconds_sampling=self._seconds_sampling,
            seconds_advantage=lesson.seconds_advantage,
            seconds_policy=lesson.seconds_policy,
            seconds_value=lesson.seconds_value,
            seconds_logging=self._logging,
            # From row to row, so that what the caller does with a row counts too.
            steps_per_second=lesson.rollout.reward.size / (now - before),
            cpu_percent=100 * (processor_seconds() - self._processor) / (now - self._begun),
            memory_mb=memory_mb(),
        )

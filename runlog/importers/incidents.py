"""Warnings, tracebacks and last words between the blocks of a log."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from runlog.run import StateName

_EXCEPTION = re.compile(
    r"(?:^|[\s\]:)|])((?:[A-Za-z_]\w*\.){0,9}[A-Za-z_]\w*(?:Error|Exception|Interrupt|Exit|Iteration)"
    r"(?::.*)?)$"
)
_WARNING = re.compile(r"\b([A-Z]\w{0,40}Warning: .*)|(?:^|[\s\[:])(WARN(?:ING)?\b.*)")
_LONGEST_TRACEBACK = 2000
_LONGEST_TEXT = 500

LAST_WORDS: tuple[tuple[str, StateName, str], ...] = (
    ("DUE TO TIME LIMIT", "killed", "the batch system's time limit"),
    ("DUE TO PREEMPTION", "preempted", "preempted by the batch system"),
    ("DUE TO NODE FAILURE", "killed", "the machine failed"),
    ("CANCELLED AT", "killed", "the job was cancelled"),
    ("oom-kill", "killed", "out of memory"),
    ("oom_kill", "killed", "out of memory"),
    ("Out of memory: Kill", "killed", "out of memory"),
    ("Segmentation fault", "crashed", "segmentation fault"),
    ("Aborted (core dumped)", "crashed", "aborted"),
    ("Bus error", "crashed", "bus error"),
)
"""What a system prints when it ends a process: the words, the state, the reason in short."""
_LONE_WORDS: dict[str, tuple[StateName, str]] = {
    "Killed": ("killed", "killed by a signal"),
    "Terminated": ("killed", "terminated by a signal"),
    "^C": ("stopped", "Ctrl-C"),
}
# How a shell and srun put them: "train.sh: line 3: 4711 Killed python …", "n1: task 0: Killed".
_ENDED_JOB = re.compile(r"(?:: line \d+: \d+|: task [\d,-]+:) (Killed|Terminated)\b")


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing said between the blocks; `ends` is the state it leaves the process in."""

    kind: Literal["warning", "exception", "signal"]
    text: str
    ends: StateName | None

    @property
    def vague(self) -> bool:
        """Whether it says that a process was ended, but not by whom."""
        return (self.ends, self.text) in _LONE_WORDS.values()


class Incidents:
    """Reads lines one by one, remembering only whether a traceback is open."""

    def __init__(self) -> None:
        self._open = 0
        self._seen: set[str] = set()

    @property
    def in_traceback(self) -> bool:
        """True between `Traceback` and the exception's own line."""
        return self._open > 0

    def block(self) -> None:
        """A block's line came: an open traceback was cut off."""
        self._open = 0

    def feed(self, line: str) -> Incident | None:
        """The incident a cleaned line completes, if any."""
        if "Traceback (most recent call last)" in line:
            self._open = 1
            return None
        if self._open:
            self._open += 1
            if self._open > _LONGEST_TRACEBACK:
                self._open = 0
            found = _EXCEPTION.search(line)
            if found is not None and not line.lstrip("[0-9: ]").startswith(("raise ", "except ")):
                self._open = 0
                text = found.group(1)[:_LONGEST_TEXT]
                stopped = text.startswith("KeyboardInterrupt")
                return Incident("exception", text, "stopped" if stopped else "crashed")
            return None
        return self._spoken(line)

    def _spoken(self, line: str) -> Incident | None:
        incident = _said_alone(line)
        if incident is None or incident.kind != "warning":
            return incident
        # a training repeats its warnings; the first of each is enough
        if incident.text in self._seen or len(self._seen) >= 1000:
            return None
        self._seen.add(incident.text)
        return incident


@lru_cache(maxsize=64)
def _said_alone(line: str) -> Incident | None:
    """What a line outside tracebacks says; every format that is still possible asks it."""
    for words, state, reason in LAST_WORDS:
        if words in line:
            return Incident("signal", reason, state)
    ended = _ENDED_JOB.search(line)
    word = line if ended is None else ended.group(1)
    if word in _LONE_WORDS:
        state, reason = _LONE_WORDS[word]
        return Incident("signal", reason, state)
    if "arn" in line or "WARN" in line:
        found = _WARNING.search(line)
        if found is not None:
            return Incident("warning", (found.group(1) or found.group(2))[:_LONGEST_TEXT], None)
    return None

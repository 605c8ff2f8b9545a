"""Runs and diagnoses made by hand for the tests of the screen."""

import math
from dataclasses import replace

from analyzer.diagnosis import (
    LINKS,
    Diagnosis,
    Evidence,
    Finding,
    Fix,
    Guide,
    GuideCheck,
    LinkStatus,
    RuleAnswer,
)
from runlog.run import Event, Run, State, run_of

BROKEN_FROM = 20
"""Row from which the fake analyzer names a cause."""


def rows_of(n, **over):
    return [
        {
            "iteration": i + 1,
            "time": 1_700_000_000.0 + 3 * i,
            "episode_return_mean": 100.0 + 10 * math.sin(i / 5) + i,
            "reward_mean": 1.0,
            "kl": 0.008 + 0.001 * math.sin(i),
            "max_kl": 0.01,
            "gradient_norm": 0.05,
            "advantage_raw_std": 0.7,
            "entropy": 4.2 - i / 1000,
            "explained_variance": 0.5,
            "step_fraction": 1.0,
            "line_search_success": True,
            **over,
        }
        for i in range(n)
    ]


def run_with(n, *, state="finished", events=(), **over) -> Run:
    run = run_of(rows_of(n, **over), metadata={"env_id": "Hopper-v5"})
    last = None if n == 0 else n
    return replace(
        run,
        state=State(name=state, last_iteration=last, last_row_time=1_700_000_000.0 + 3 * n),
        events=tuple(events),
    )


def finding(code="TRPO101", *, first=21) -> Finding:
    return Finding(
        code=code,
        name="constant-reward",
        title="The reward is constant",
        link="reward",
        level="fault",
        answer="yes",
        confidence=0.97,
        first_bad_iteration=first,
        last_bad_iteration=None,
        explained_by=None,
        evidence=(
            Evidence(
                measure="reward_max − reward_min", value=0.0, comparison="≤", bound=8.9e-16,
                unit="reward",
            ),
        ),
        fixes=(
            Fix(text="Verify rewards vary (check min/max rewards)", origin="guide §1", source="guide"),
            Fix(
                text="Return a reward that depends on the state the action led to.",
                origin="founded", source="1506.02438",
            ),
        ),
        why="Every return is the same, so what is left of the advantage is the critic's own error.",
    )  # fmt: skip


def diagnosis_of(run: Run, row: int, cause: Finding | None) -> Diagnosis:
    broken = cause is not None
    answers = tuple(
        RuleAnswer(
            code=code, name=name, title=title, link="reward", level="fault",
            answer="yes" if broken and code == cause.code else "no",
            evidence=finding().evidence, reason="", needs=(),
        )
        for code, name, title in (
            ("TRPO101", "constant-reward", "The reward is constant"),
            ("TRPO106", "zero-advantages", "The advantages are zero"),
        )
    )  # fmt: skip
    links = tuple(
        LinkStatus(
            link=link,
            status="fault" if broken and link == "reward" else "ok",
            code=cause.code if broken and link == "reward" else None,
        )
        for link in LINKS
    )
    check = GuideCheck(
        section=1, title="Advantages", answer="no", measure="advantage_raw_std", value=0.7
    )
    return Diagnosis(
        row=row,
        iteration=row + 1,
        iterations=row + 1,
        verdict="fault" if broken else "healthy",
        headline="TRPO101 constant-reward: the reward is constant" if broken else "No fault found",
        cause=cause,
        guide=Guide(section=None, answer="no", checks=(check,), read_more=None),
        findings=(cause,) if broken else (),
        answers=answers,
        links=links,
        candidates=(),
        log_next=(),
        ignored=(),
    )


class FakeAnswers:
    """Names TRPO101 from one row on."""

    def __init__(self, run: Run, broken_from: int = BROKEN_FROM) -> None:
        self.run, self.broken_from = run, broken_from

    def at(self, row: int) -> Diagnosis:
        return diagnosis_of(self.run, row, finding() if row >= self.broken_from else None)

    def cause(self, row: int) -> str | None:
        return "TRPO101" if row >= self.broken_from else None

    def turns(self) -> list[int]:
        return [0, self.broken_from] if len(self.run) > self.broken_from else [0]

    def extend(self, run: Run) -> "FakeAnswers":
        return FakeAnswers(run, self.broken_from)


class FakeTail:
    """Gives a run, then whatever is put into `next`."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.next: list[Run] = []
        self.closed = False

    def poll(self) -> Run | None:
        if not self.next:
            return None
        self.run = self.next.pop(0)
        return self.run

    def close(self) -> None:
        self.closed = True


CHECKPOINT = Event(row=10, time=1_700_000_030.0, kind="checkpoint", text="checkpoints/10.pt")

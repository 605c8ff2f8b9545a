"""One way of acting in an environment for some steps, and what was seen of it."""

import hashlib
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from agent.envs.batch import Array
from agent.envs.gym import REWARD_TERM
from agent.probe_spaces import Space, limits, misfit, numbers_of

Env = gymnasium.Env[Any, Any]


class RaisedError(Exception):
    """The environment raised. The cause is what it raised; `place` says in which call."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where something was first seen. `part`: "reward", a term's name, or the number's place in the
    flat observation. Step 0 is the reset of the first episode."""

    step: int
    part: str | int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One way of acting, for some steps; an episode that ends is followed by the next.

    `reward` (steps,). `lengths`, `returns`: of the episodes that ended; `running`: steps of the one
    that did not. `terms`: (steps,) each, 0 where not told. `low`, `high` (dim,): of what was
    observed, None where an observation is no list of numbers. `seen`: of the first reset, then of each step, what stands for the
    observation and for the rest: equal where these were.
    `not_finite`, `outside`: the first number that is not finite, and that the observation space
    does not allow. `misfit`: the first observation that has not the declared form.
    """

    actions: Sequence[Any]
    reward: Array
    lengths: Sequence[int]
    returns: Sequence[float]
    terminated: int
    truncated: int
    running: int
    terms: Mapping[str, Array]
    low: Array | None
    high: Array | None
    seen: Sequence[tuple[bytes, bytes]]
    not_finite: Spot | None
    outside: Spot | None
    misfit: str | None
    raised: str | None
    seconds: float

    @property
    def steps(self) -> int:
        return len(self.reward)

    def share(self, term: str) -> float:
        """Mean size of a term of the reward, relative to those of all."""
        sizes = {name: float(np.abs(values).mean()) for name, values in self.terms.items()}
        whole = sum(sizes.values())
        return sizes[term] / whole if whole else 0.0


def walk(env: Env, actions: Iterator[Any], seed: int) -> Walk:
    """Act until there are no more actions, or the environment raises."""
    done: list[Any] = []
    watch = _Watch(env.observation_space)
    raised = None
    start = time.perf_counter()
    try:
        watch.began(_reset(env, seed))
        for action in actions:
            if watch.ended:
                watch.began(_reset(env, None))
            watch.stepped(*_step(env, action, len(done) + 1))
            done.append(action)
    except RaisedError as told:
        raised = _told(told)
    return watch.walk(done, raised, time.perf_counter() - start)


def close(env: Env) -> str | None:
    """End an environment; what that raised."""
    try:
        with _calling("close"):
            env.close()
    except RaisedError as told:
        return _told(told)
    return None


class _Watch:
    """Collects a walk while it goes on; big observations are not kept."""

    def __init__(self, space: Space) -> None:
        self._numbers = numbers_of(space)
        self._space = space
        self._allowed = limits(space)
        self._low: Array | None = None
        self._high: Array | None = None
        self._reward: list[float] = []
        self._terms: dict[str, dict[int, float]] = {}
        self._seen: list[tuple[bytes, bytes]] = []
        self._lengths: list[int] = []
        self._returns: list[float] = []
        self._begun = 0
        self._ends = [0, 0]
        self._not_finite: Spot | None = None
        self._outside: Spot | None = None
        self._misfit: str | None = None
        self.ended = False

    def began(self, observation: Any) -> None:
        """An episode."""
        self.ended = False
        self._begun = len(self._reward)
        digest = self._observed(observation)
        if not self._seen:
            self._seen.append((digest, b""))

    def stepped(
        self, observation: Any, reward: float, terminated: bool, truncated: bool, terms: Any
    ) -> None:
        """A step."""
        self._reward.append(reward)
        step = len(self._reward)
        digest = self._observed(observation)
        for name, value in {"reward": reward, **terms}.items():
            if not np.isfinite(value) and self._not_finite is None:
                self._not_finite = Spot(step=step, part=name, value=value)
        for name, value in terms.items():
            self._terms.setdefault(name, {})[step - 1] = value
        rest = np.array([reward, terminated, truncated]) + 0.0  # no negative zero
        self._seen.append((digest, rest.tobytes()))
        self.ended = terminated or truncated
        if self.ended:
            self._lengths.append(step - self._begun)
            self._returns.append(float(np.sum(self._reward[self._begun :])))
            self._ends[0 if terminated else 1] += 1

    def _observed(self, observation: Any) -> bytes:
        """Take an observation's numbers into account; the digest that stands for it."""
        if self._numbers is None:
            return _digest(repr(observation).encode())
        wrong = misfit(self._space, observation)
        if wrong is not None:
            self._misfit = self._misfit or wrong
            return _digest(repr(observation).encode())
        numbers = self._numbers(observation) + 0.0  # no negative zero
        step = len(self._reward)
        if self._low is None or self._high is None:
            self._low, self._high = numbers.copy(), numbers.copy()
        np.fmin(self._low, numbers, out=self._low)
        np.fmax(self._high, numbers, out=self._high)
        if self._not_finite is None and not np.isfinite(numbers).all():
            at = int(np.argmin(np.isfinite(numbers)))
            self._not_finite = Spot(step=step, part=at, value=float(numbers[at]))
        if self._outside is None and self._allowed is not None:
            beyond = (numbers < self._allowed[0]) | (numbers > self._allowed[1])
            if beyond.any():
                at = int(np.argmax(beyond))
                self._outside = Spot(step=step, part=at, value=float(numbers[at]))
        return _digest(numbers.tobytes())

    def walk(self, actions: Sequence[Any], raised: str | None, seconds: float) -> Walk:
        """What was collected."""
        steps = len(self._reward)
        terms = {name: np.zeros(steps) for name in self._terms}
        for name, values in self._terms.items():
            terms[name][list(values)] = list(values.values())
        return Walk(
            actions=actions,
            reward=np.array(self._reward, dtype=np.float64),
            lengths=tuple(self._lengths),
            returns=tuple(self._returns),
            terminated=self._ends[0],
            truncated=self._ends[1],
            running=0 if self.ended else steps - self._begun,
            terms=terms,
            low=self._low,
            high=self._high,
            seen=tuple(self._seen),
            not_finite=self._not_finite,
            outside=self._outside,
            misfit=self._misfit,
            raised=raised,
            seconds=seconds,
        )


@contextmanager
def _calling(place: str) -> Iterator[None]:
    """Whatever the environment raises comes out as RaisedError."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise RaisedError(place) from error


def _reset(env: Env, seed: int | None) -> Any:
    """The first observation of an episode."""
    with _calling("reset"):
        result = env.reset(seed=seed)
        if not (isinstance(result, tuple) and len(result) == 2):
            what = type(result).__name__
            raise TypeError(f"reset returned one {what}; it must return (observation, info)")
    return result[0]


def _step(env: Env, action: Any, number: int) -> tuple[Any, float, bool, bool, dict[str, float]]:
    """Observation, reward, terminated, truncated, and the terms of the reward."""
    with _calling(f"step {number}"):
        observation, reward, terminated, truncated, info = env.step(action)
        if not isinstance(info, dict):
            raise TypeError(f"info is {info!r}, not a dict")
        terms = {
            name.removeprefix(REWARD_TERM): float(value)
            for name, value in info.items()
            if name.startswith(REWARD_TERM) and np.ndim(value) == 0
        }
        return observation, float(reward), bool(terminated), bool(truncated), terms


def _told(raised: RaisedError) -> str:
    """What was raised, where, in one line; the traceback goes to standard error."""
    error = raised.__cause__ or raised
    traceback.print_exception(error, file=sys.stderr)
    return f"{raised.place} raised {described(error)}"


def described(error: BaseException) -> str:
    """Kind, first line and origin of an exception."""
    lines = str(error).strip().splitlines()
    frames = traceback.extract_tb(error.__traceback__)
    place = ""
    if frames and frames[-1].filename != __file__:
        place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})"
    return f"{type(error).__name__}{': ' + lines[0] if lines else ''}{place}"


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()

"""RunLogCallback: the on-policy trainers of Stable-Baselines3 write a run log."""

import atexit
import os
import time
from types import TracebackType
from typing import Any, Self

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from runlog.errors import UserError
from runlog.sb3_metadata import describe
from runlog.sb3_rollout import Collector
from runlog.sb3_update import Update, parameters
from runlog.writer import RunLog


class RunLogCallback(BaseCallback):
    """`TRPO("MlpPolicy", env).learn(100_000, callback=RunLogCallback("runs/sb3"))`: a row per update.

    Everything is measured from outside, and training is what it would be without, bit for bit. The
    end of `learn` finishes the log. An exception or a Ctrl-C that ends the program ends the log as
    crashed or stopped; where the program goes on (a notebook, several calls of `learn`), say
    `with RunLogCallback(path) as callback:` around it. `every=20` measures and logs every 20th
    update only, for trainers such as A2C whose updates are few steps apart. Further keywords become
    metadata.
    """

    def __init__(self, path: str | os.PathLike[str], *, every: int = 1, **metadata: Any) -> None:
        super().__init__()
        self._path, self._every, self._given = path, every, metadata
        self._log: RunLog | None = None
        self._update: Update | None = None
        self._in_with = self._ended = False
        self._iteration = self._timesteps = self._episodes = 0
        self._logged = 0
        self._seconds_logging: float | None = None

    def __enter__(self) -> Self:
        self._in_with = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._log is not None:
            self._break_off()
            atexit.unregister(self._break_off)
            self._log.__exit__(kind, error, trace)
            self._log, self._ended = None, True

    def _init_callback(self) -> None:
        if not isinstance(self.model, OnPolicyAlgorithm):
            raise UserError(
                f"RunLogCallback logs on-policy trainers (TRPO, PPO, A2C), and "
                f"{type(self.model).__name__} is not one; leave the callback out"
            )

    def _on_training_start(self) -> None:
        if self._ended:
            raise UserError(
                f"{self._path}: this log ended with the first learn(); "
                "put `with RunLogCallback(…) as callback:` around several"
            )
        self._break_off()
        if self._log is None:
            self._open()
        self._collector = Collector(self.model)
        self._row_at = time.perf_counter()

    def _open(self) -> None:
        model: Any = self.model
        self._actor, self._critic = parameters(model)
        told = describe(model, total_timesteps=model._total_timesteps)
        config = told["config"] | self._given.get("config", {})
        told |= self._given | {"config": config, "parameter_names": list(self._actor) or None}
        self._log = RunLog(self._path, **told)
        atexit.register(self._break_off)  # after the log's own, so that it is called before it
        self._timesteps = model.num_timesteps
        self._batch_size = model.n_steps * model.n_envs
        self._iteration = self._logged = model.num_timesteps // self._batch_size

    def _on_rollout_start(self) -> None:
        self._finish_row()
        self._collector.start()
        self._begun = time.perf_counter()

    def _on_step(self) -> bool:
        self._collector.step(self.locals["rewards"], self.locals["dones"], self.locals["infos"])
        return True

    def _on_rollout_end(self) -> None:
        sampled = time.perf_counter()
        self._iteration += 1
        self._timesteps += self._batch_size
        if self._iteration % self._every:
            return
        rollout = self._collector.finish(self.model, self.locals["values"])
        self._update = Update(self.model, rollout, self._actor, self._critic)
        self._update.row["seconds_sampling"] = sampled - self._begun
        self._episodes += len(rollout.episodes)
        self._learning = time.perf_counter()
        self._noting = self._learning - sampled

    def _on_training_end(self) -> None:
        self._finish_row()
        model: Any = self.model
        if self._log is not None and not self._in_with:
            if model.num_timesteps < model._total_timesteps:
                self._log.stop("A callback ended the training.")
            self.__exit__(None, None, None)

    def _finish_row(self) -> None:
        """The trainer has done the update at hand, if there is one: log its row."""
        update, self._update = self._update, None
        if update is None:
            return
        learnt = time.perf_counter()
        row = update.learnt(self._iteration)
        fitting = update.fitting
        row["seconds_policy"] = (fitting or learnt) - self._learning
        row["seconds_value"] = None if fitting is None else learnt - fitting
        row["seconds_logging"] = self._seconds_logging
        self._append(row)
        self._seconds_logging = self._noting + time.perf_counter() - learnt

    def _break_off(self) -> None:
        """Training raised inside an update: what is known of that update is the last row."""
        update, self._update = self._update, None
        if update is not None:
            self._append(update.broken_off())

    def _append(self, row: dict[str, Any]) -> None:
        if self._log is None:
            return
        updates, self._logged = self._iteration - self._logged, self._iteration
        before, self._row_at = self._row_at, time.perf_counter()
        self._log.iteration(
            iteration=self._iteration,
            timesteps=self._timesteps,
            episodes=self._episodes,
            updates=updates,
            steps_per_second=updates * self._batch_size / (self._row_at - before),
            **row,
        )

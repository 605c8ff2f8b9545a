"""Which states of a training are kept on disk: every so many iterations, the last one, and the one
before a suspicious iteration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent import checkpoint, suspicion
from agent.config import Config
from agent.snapshot import plain
from agent.suspicion import Past
from agent.training import Training
from runlog import RunLog


class Keeper:
    """Holds the state between two iterations and writes it when it is worth it.

    A full disk costs the checkpoint and an event, never the training.
    """

    def __init__(
        self, run: Path, log: RunLog, training: Training, config: Config, past: Past
    ) -> None:
        self._run = run
        self._log = log
        self._training = training
        self._config = config
        self._past = past
        self._state = self._snapshot()
        self._saved = -1
        self.save()

    @property
    def iteration(self) -> int:
        """Iterations of the state that is held."""
        return int(self._state["iteration"])

    def after(self, row: Mapping[str, Any]) -> None:
        """Take the state after an iteration whose row has been logged."""
        news, self._past = suspicion.judge(row, self._past)
        for kind, text in news.items():
            self._keep_before(kind, f"iteration {row['iteration']}: {text}")
        self._state = self._snapshot()
        every = self._config.checkpoint_every
        if every and self.iteration % every == 0:
            self.save()

    def save(self) -> None:
        """Write the state that is held, unless it has been."""
        if self._saved == self.iteration:
            return
        try:
            path = checkpoint.save(self._run, self._state)
        except OSError as error:
            self._log.event("warning", f"no checkpoint of iteration {self.iteration}: {error}")
        else:
            self._saved = self.iteration
            self._log.event("checkpoint", f"iteration {self.iteration}: {self._name(path)}")

    def _keep_before(self, kind: str, what: str) -> None:
        if not checkpoint.worth_keeping(self._run, self.iteration, kind):
            return
        try:
            path = checkpoint.save(self._run, self._state, kind)
        except OSError as error:
            self._log.event("warning", f"no checkpoint before {what}: {error}")
        else:
            self._log.event("suspicious", f"{what}; the state before it: {self._name(path)}")

    def _snapshot(self) -> dict[str, Any]:
        # The settings as they were given: what a fault makes of them is put in anew at a resume.
        return self._training.snapshot() | {
            "config": self._config.as_dict(),
            "past": plain(self._past, "past"),
        }

    def _name(self, path: Path) -> str:
        return path.relative_to(self._run).as_posix()

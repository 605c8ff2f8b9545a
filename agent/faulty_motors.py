"""What a fault can make of the way worlds act: deaf to what they are told, or slow."""

import time

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import BatchStep
from agent.faulty_world import Changed
from agent.training import Training


class Deaf(Changed):
    """Worlds that act with 0, whatever they are told."""

    def step(self, action: NDArray[np.float32]) -> BatchStep:
        return super().step(np.zeros_like(action))


def ignored_actions(training: Training, _severity: float) -> None:
    training.batch = Deaf(training.batch)


def slow_worlds(training: Training, severity: float) -> None:
    def late(step: BatchStep) -> BatchStep:
        time.sleep(severity)
        return step

    training.batch = Changed(training.batch, step=late)

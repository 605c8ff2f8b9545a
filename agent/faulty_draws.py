"""Random numbers of the faults, in streams apart from those of the agent."""

import numpy as np

from agent.training import Training

SHUFFLED, NOISE, PUSHED, PARTIAL = 1001, 1002, 1003, 1004


def generator_of(training: Training, stream: int) -> np.random.Generator:
    """The same draws in the same iteration of a run that goes on as in one that was not cut."""
    return np.random.default_rng([training.config.seed, training.iteration, stream])

"""Iteration numbers for rows that have none, from the steps the trainer had taken."""


class Counting:
    """Numbers rows from 1; one whose steps fall back takes the number it had before.

    So a training begun anew counts from 1 again, and one resumed from a checkpoint goes on there.
    """

    def __init__(self) -> None:
        self._steps: list[float] = []

    def number(self, steps: float | None) -> int:
        """The number of the next row. `steps`: environment steps taken by its end, if known."""
        if steps is None:
            steps = self._steps[-1] if self._steps else 0.0
        else:
            while self._steps and self._steps[-1] >= steps:
                self._steps.pop()
        self._steps.append(steps)
        return len(self._steps)

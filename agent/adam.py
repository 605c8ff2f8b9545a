"""Adam on one flat vector (Kingma and Ba 2015, arXiv 1412.6980), in place and without garbage."""

from agent.mlp import Matrix, operations

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """`m` and `v` are the sums Σβ₁ᵏg and Σβ₂ᵏg²: the usual moments before their factors 1 − β.

    The factors enter one number per step instead of two passes over the vectors.
    """

    def __init__(self, theta: Matrix) -> None:
        xp = operations(theta)
        self.m, self.v = xp.zeros_like(theta), xp.zeros_like(theta)
        self.steps = 0
        self._change = xp.zeros_like(theta)

    def step(self, theta: Matrix, gradient: Matrix, rate: float) -> None:
        """Move θ against the gradient, whose memory is used up."""
        xp, m, v, change = operations(theta), self.m, self.v, self._change
        self.steps += 1
        xp.multiply(m, BETA_1, out=m)
        xp.add(m, gradient, out=m)
        xp.multiply(gradient, gradient, out=gradient)
        xp.multiply(v, BETA_2, out=v)
        xp.add(v, gradient, out=v)
        first = (1 - BETA_1) / (1 - BETA_1**self.steps)
        second = ((1 - BETA_2) / (1 - BETA_2**self.steps)) ** 0.5
        xp.sqrt(v, out=change)
        xp.add(change, EPSILON / second, out=change)
        xp.divide(m, change, out=change)
        xp.multiply(change, rate * first / second, out=change)
        xp.subtract(theta, change, out=theta)

"""What sb3-contrib's TRPO computes and does not print, seen by watching its own `train` at work.

Nothing of the algorithm is done again: the calls it makes of its buffer, its policy and its
conjugate gradient are passed on and noted, and one product more is asked of its own Fisher matrix.
sb3-contrib averages KL over the action dimensions d. Everything here is in the units of the sum, as
the log's columns are: with A = F/d + λI and Ax = g as it solves them, dA = F + dλI, and x/d solves
(dA)(x/d) = g. The full step is the same in both.
"""

import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from runlog import sb3_policy as policies
from runlog.sb3_policy import Factors


class Watch:
    """Watches one call of `train`, from `start` to `stop`; then asked for its columns."""

    def __init__(self, model: Any, actor: dict[str, torch.nn.Parameter], theta: Tensor) -> None:
        self._model, self._actor, self._theta_before = model, actor, theta
        self._trpo: Any = import_module("sb3_contrib.trpo.trpo")
        self._samples: Any = None
        self._seen: list[Factors] = []
        self._theta = theta
        self._gradient: Tensor | None = None
        self._direction: Tensor | None = None
        self._product: Tensor | None = None
        self._curvatures: list[float] = []
        self.fitting: float | None = None
        """When the critic's fit began, seconds of time.perf_counter."""

    def start(self) -> None:
        """Put the watchers in front of what `train` calls."""
        model, self._solver = self._model, self._trpo.conjugate_gradient_solver
        self._asked, self._read = model.policy.get_distribution, model.rollout_buffer.get
        model.policy.get_distribution = self._distribution
        model.rollout_buffer.get = self._get
        self._trpo.conjugate_gradient_solver = self._solve

    def stop(self) -> None:
        """Take them away again."""
        self._trpo.conjugate_gradient_solver = self._solver
        del self._model.policy.get_distribution
        del self._model.rollout_buffer.get

    def _get(self, batch_size: int | None = None) -> Iterator[Any]:
        if self._samples is not None and self.fitting is None:
            self.fitting = time.perf_counter()
        for samples in self._read(batch_size):
            if self._samples is None:
                self._samples = samples
            yield samples

    def _distribution(self, observations: Any) -> Any:
        distribution = self._asked(observations)
        self._seen.append(policies.frozen(distribution))
        self._theta = policies.flat(self._actor.values())
        return distribution

    def _solve(self, product: Callable[[Tensor], Tensor], g: Tensor, **settings: Any) -> Tensor:
        def noted(p: Tensor) -> Tensor:
            image = product(p)
            self._curvatures.append(_dot(p, image) / _dot(p, p))
            return image

        self._gradient = g.detach().cpu().double()
        x: Tensor = self._solver(noted, g, **settings)
        self._curvatures = self._curvatures[1:]  # the first product is of the random start
        self._direction, self._product = (t.detach().cpu().double() for t in (x, product(x)))
        return x

    def gradient_columns(self) -> dict[str, Any]:
        """The gradient and the conjugate gradient's answer; nothing where `train` did not get there."""
        g, x, image = self._gradient, self._direction, self._product
        if g is None:
            return {}
        row: dict[str, Any] = {"gradient_norm": float(g.norm())}
        sizes = [p.numel() for p in self._actor.values()]
        if sum(sizes) == len(g):
            row["gradient_norms"] = [float(part.norm()) for part in torch.split(g, sizes)]
        if x is None or image is None:
            return row
        d = policies.averaged_dimensions(self._seen[0])
        curvature = float(x @ image)
        scale = (2.0 * self._model.target_kl / curvature) ** 0.5 if curvature > 0 else float("nan")
        curvatures = [d * c for c in self._curvatures]
        return row | {
            "step_direction_norm": float(x.norm()) / d,
            "cg_iterations": len(curvatures),
            "cg_residual_true": float((image - g).norm() / g.norm()),
            "cg_min_curvature": min(curvatures, default=None),
            "cg_curvatures": curvatures,
            "curvature": curvature / d,
            "gradient_dot_direction": float(g @ x) / d,
            "full_step_norm": scale * float(x.norm()),
            "expected_improvement": scale * float(g @ x),
        }

    def stepped(self, success: bool) -> Tensor:
        """(parameters,) the actor as the search left it, before anything else moved it."""
        return self._theta if success else self._theta_before

    def search_columns(self, success: bool, expected: float | None, end: Tensor) -> dict[str, Any]:
        """The line search. `expected`: of the full step. `end`: the actor once `train` was over."""
        samples, step = self._samples, self._model.sub_sampling_factor
        old, candidates = self._seen[0], self._seen[2:]
        actions = samples.actions[::step].cpu().double()
        stored = samples.old_log_prob[::step].cpu().double()
        advantages = used(self._model, samples.advantages[::step]).cpu().double()

        def surrogate(factors: Factors) -> float:
            ratio = (policies.log_prob(factors, actions) - stored).exp()
            return float((advantages * ratio).mean())

        start = surrogate(old)
        gains = [surrogate(each) - start for each in candidates]
        kls = [float(policies.kl(old, each).mean()) for each in candidates]
        shrink = self._model.line_search_shrinking_factor
        fractions = [shrink**k for k in range(len(candidates))]
        fraction, gain = (fractions[-1], gains[-1]) if success else (0.0, 0.0)
        theta, found = self.stepped(success), self._seen[-1] if success else old
        return {
            "update_outcome": "accepted" if success else "rejected",
            "line_search_success": success,
            "line_search_steps": len(candidates),
            "line_search_fractions": fractions,
            "line_search_gains": gains,
            "line_search_kls": kls,
            "kl_full_step": kls[0] if kls else None,
            "step_fraction": fraction,
            "actual_improvement": gain,
            "improvement_ratio": gain / (fraction * expected) if success and expected else None,
            "step_parameter_delta_norm": float((theta - self._theta_before).norm()),
            "kl_drift": 0.0 if torch.equal(theta, end) else self._drift(found),
        }

    def _drift(self, found: Factors) -> float:
        observations, step = self._samples.observations, self._model.sub_sampling_factor
        if isinstance(observations, dict):
            observations = {name: each[::step] for name, each in observations.items()}
        else:
            observations = observations[::step]
        with torch.no_grad():
            now = policies.frozen(self._model.policy.get_distribution(observations))
        return float(policies.kl(found, now).mean())


def used(model: Any, advantages: Tensor) -> Tensor:
    """The advantages as the gradient uses them: standardised in their own precision, or as they are."""
    if not model.normalize_advantage or len(advantages) < 2:
        return advantages
    return (advantages - advantages.mean()) / (advantages.std() + 1e-8)


def _dot(a: Tensor, b: Tensor) -> float:
    return float(a.double() @ b.double())

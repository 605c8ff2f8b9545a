"""The update written out against autograd's double backpropagation, in float64."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from agent import critics, gaussian, linearised, networks, trust_region
from agent.advantages import Advantages
from agent.config import Config
from agent.critics import TanhCritic
from agent.gaussian import Gaussian
from agent.linearised import ByAutograd, ClosedForm, Linearised, linearise
from agent.networks import GaussianMLP, Policy, flat
from agent.parts import Experience, Parts, Step, policy_gradient
from agent.threads import blas_threads, use_threads
from agent.trpo import update_policy
from agent.value import CriticFit, fit_critic

N, OBSERVATION, ACTION = 48, 5, 3
NETWORKS = pytest.mark.parametrize("hidden", [(), (7,), (8, 6), (9, 4, 6)])
LEARNED = pytest.mark.parametrize("learn_std", [True, False])
CLOSE = 1e-12


class Same(GaussianMLP):
    """The same network, of which nothing is known but its forward pass."""


def _policy(kind: type[GaussianMLP], hidden: tuple[int, ...], learn_std: bool) -> Policy:
    torch.manual_seed(len(hidden))
    module = kind(OBSERVATION, ACTION, hidden, -0.5).double()
    for parameter in module.parameters():
        parameter.data.add_(0.3 * torch.randn(parameter.shape, dtype=torch.float64))
    module.log_std.requires_grad_(learn_std)
    return Policy(module, ACTION)


def _batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Observation, action, log-probability and advantage."""
    torch.manual_seed(3)
    return (
        torch.randn(N, OBSERVATION, dtype=torch.float64),
        torch.randn(N, ACTION, dtype=torch.float64),
        torch.randn(N, dtype=torch.float64) - 3,
        torch.randn(N, dtype=torch.float64),
    )


def _distribution(policy: Policy, tensors: tuple[Tensor, ...], observation: Tensor) -> Gaussian:
    frozen = {n: p.detach() for n, p in policy.module.named_parameters()}
    state = frozen | dict(zip(policy.names, tensors, strict=True))
    mean, log_std = functional_call(policy.module, state, (observation,))
    return Gaussian(mean=mean, log_std=log_std.expand_as(mean))


def _leaves(policy: Policy) -> tuple[Tensor, ...]:
    return tuple(part.clone().requires_grad_() for part in policy.split(policy.theta()))


def _error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def _both(hidden: tuple[int, ...], learn_std: bool) -> tuple[Linearised, Linearised]:
    observation = _batch()[0]
    found = []
    for kind in (GaussianMLP, Same):
        policy = _policy(kind, hidden, learn_std)
        found.append(linearise(policy, policy.theta(), observation))
    assert isinstance(found[0], ClosedForm)
    assert isinstance(found[1], ByAutograd)
    return found[0], found[1]


@NETWORKS
@LEARNED
def test_gradient_is_that_of_autograd(hidden: tuple[int, ...], learn_std: bool) -> None:
    observation, action, old, advantage = _batch()
    for at in _both(hidden, learn_std):
        leaves = _leaves(at.policy)
        log_prob = gaussian.log_prob(_distribution(at.policy, leaves, observation), action)
        gain = ((log_prob - old).exp() * advantage).mean()
        expected = flat(torch.autograd.grad(gain, leaves), at.policy.sizes, observation)
        found = flat(policy_gradient(at, action, old)(advantage), at.policy.sizes, observation)
        assert _error(found, expected) < CLOSE


@NETWORKS
@LEARNED
def test_fisher_product_is_that_of_double_backpropagation(
    hidden: tuple[int, ...], learn_std: bool
) -> None:
    observation = _batch()[0]
    for at in _both(hidden, learn_std):
        leaves = _leaves(at.policy)
        new = _distribution(at.policy, leaves, observation)
        kl = gaussian.kl(new.detach(), new).mean()
        slopes = torch.autograd.grad(kl, leaves, create_graph=True)
        product = trust_region.fisher_product(at, 0.1)
        for _ in range(3):
            v = torch.randn(sum(at.policy.sizes), dtype=torch.float64)
            along = sum((s * p).sum() for s, p in zip(slopes, at.policy.split(v), strict=True))
            twice = torch.autograd.grad(along, leaves, retain_graph=True)
            expected = flat(twice, at.policy.sizes, observation) + 0.1 * v
            assert _error(product(v), expected) < CLOSE


@NETWORKS
def test_push_is_the_transpose_of_pull(hidden: tuple[int, ...]) -> None:
    for at in _both(hidden, learn_std=True):
        v = torch.randn(sum(at.policy.sizes), dtype=torch.float64)
        mean, log_std = torch.randn(2, N, ACTION, dtype=torch.float64)
        pulled = flat(at.pull(mean, log_std), at.policy.sizes, mean)
        moved = at.push(v)
        there = float((moved[0] * mean).sum() + (moved[1] * log_std).sum())
        assert float(v.dot(pulled)) == pytest.approx(there, rel=CLOSE)


def _step(policy: Policy, config: Config) -> Step:
    observation, action, old, advantage = _batch()
    experience = Experience(
        observation=observation, action=action, log_prob=old, half=torch.arange(N) % 2 == 1
    )
    used = advantage.numpy()
    numbers = dict.fromkeys(
        (
            *("return_mean", "return_std", "return_min", "return_max", "advantage_raw_mean"),
            *("advantage_raw_std", "advantage_raw_min", "advantage_raw_max", "advantage_mean"),
        ),
        0.0,
    )
    advantages = Advantages(
        raw=used, used=used, targets=used, finite=True, alive=True, advantage_std=1.0, **numbers
    )
    return update_policy(Parts(), policy, experience, advantages, config, iteration=11)


@NETWORKS
@LEARNED
@pytest.mark.parametrize("fisher_fraction", [1.0, 0.5])
def test_whole_step_is_the_same_in_closed_form_and_by_autograd(
    hidden: tuple[int, ...], learn_std: bool, fisher_fraction: float
) -> None:
    config = Config(fisher_fraction=fisher_fraction)
    closed, other = (
        _step(_policy(kind, hidden, learn_std), config) for kind in (GaussianMLP, Same)
    )
    assert closed.change.update_outcome == other.change.update_outcome == "accepted"
    moved = closed.theta - closed.theta_before
    assert _error(moved, other.theta - other.theta_before) < CLOSE
    assert closed.change.kl == pytest.approx(other.change.kl, rel=1e-10)
    assert closed.saturated_fraction == other.saturated_fraction
    for name in ("gradient_norm", "gradient_cosine", "gradient_cosine_null_mean"):
        value = getattr(closed.gradient, name)
        assert value == pytest.approx(getattr(other.gradient, name), rel=1e-10)
    assert closed.direction.cg_residual_true is not None
    assert closed.direction.cg_residual_true == pytest.approx(
        closed.direction.cg_residual, rel=1e-6
    )


def test_log_std_that_depends_on_the_state_has_its_exact_product() -> None:
    class ByState(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.both = nn.Linear(OBSERVATION, 2 * ACTION)
            self.idle = nn.Parameter(torch.zeros(2))

        def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
            mean, log_std = self.both(observation).chunk(2, -1)
            return mean.tanh(), log_std.tanh()

    torch.manual_seed(0)
    policy = Policy(ByState().double(), ACTION)
    observation = _batch()[0]
    at = linearise(policy, policy.theta(), observation)
    leaves = _leaves(policy)
    new = _distribution(policy, leaves, observation)
    mean_kl = gaussian.kl(new.detach(), new).mean()
    slopes = torch.autograd.grad(mean_kl, leaves, create_graph=True, allow_unused=True)
    v = torch.randn(sum(policy.sizes), dtype=torch.float64)
    parts = policy.split(v)
    along = sum((s * p).sum() for s, p in zip(slopes, parts, strict=True) if s is not None)
    twice = torch.autograd.grad(along, leaves, allow_unused=True)
    expected = flat(twice, policy.sizes, observation) + 0.1 * v
    assert _error(trust_region.fisher_product(at, 0.1)(v), expected) < CLOSE
    pulled = at.pull(*torch.ones(2, N, ACTION, dtype=torch.float64))
    assert [name for name, p in zip(policy.names, pulled, strict=True) if p is None] == ["idle"]


def test_layers_that_are_frozen_are_left_to_autograd_and_stay_as_they_are() -> None:
    policy = _policy(GaussianMLP, (7,), learn_std=True)
    module = policy.module
    assert isinstance(module, GaussianMLP)
    module.body.requires_grad_(requires_grad=False)
    body = [p.clone() for p in module.body.parameters()]
    step = _step(Policy(module, ACTION), Config())
    assert step.change.update_outcome == "accepted"
    assert all(torch.equal(a, b) for a, b in zip(body, module.body.parameters(), strict=True))


def test_products_in_single_precision_keep_the_identities_of_the_conjugate_gradient() -> None:
    torch.manual_seed(0)
    policy = Policy(GaussianMLP(17, 6, (64, 64), 0.0), 6)
    theta, observation = policy.theta(), torch.randn(512, 17)
    at = linearise(policy, theta, observation)
    g = torch.randn(len(theta), dtype=torch.float64)
    product = trust_region.fisher_product(at, 0.1)
    found = trust_region.conjugate_gradient(product, g, 10, 1e-6)
    assert len(found.residuals) == 10
    assert float(g.dot(found.x)) / found.curvature == pytest.approx(1, abs=1e-6)
    true = float((product(found.x) - g).norm() / g.norm())
    assert true == pytest.approx(found.residuals[-1], rel=1e-3)
    assert np.isfinite(found.curvatures).all()


def _fitted() -> tuple[TanhCritic, CriticFit]:
    critic = TanhCritic(OBSERVATION, (8, 6), torch.Generator().manual_seed(0), dtype=torch.float64)
    observation = _batch()[0].float().numpy()
    targets = np.random.default_rng(0).normal(size=N)
    fit = fit_critic(critic, observation, targets, 3, 10, 1e-2, np.random.default_rng(1))
    return critic, fit


def test_fit_tells_how_far_a_critic_in_double_precision_moved() -> None:
    unmoved = TanhCritic(OBSERVATION, (8, 6), torch.Generator().manual_seed(0), dtype=torch.float64)
    critic, fit = _fitted()
    moved = float((critic.theta - unmoved.theta).norm())
    assert fit.value_parameter_delta_norm == moved > 0


def test_tensors_in_place_of_arrays_give_the_same_update_and_the_same_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What runs on a GPU is this: the same lines, with torch in the place of numpy."""
    by_numpy = _step(_policy(GaussianMLP, (8, 6), learn_std=True), Config())
    fitted, _ = _fitted()
    for module in (networks, linearised, critics):
        monkeypatch.setattr(module, "native", lambda tensor: tensor)
    by_torch = _step(_policy(GaussianMLP, (8, 6), learn_std=True), Config())
    moved = by_numpy.theta - by_numpy.theta_before
    assert _error(moved, by_torch.theta - by_torch.theta_before) < CLOSE
    assert by_torch.saturated_fraction == by_numpy.saturated_fraction
    again, _ = _fitted()
    assert isinstance(again._flat, Tensor)
    assert _error(again.theta, fitted.theta) < CLOSE


def test_threads_asked_for_are_those_of_torch_and_of_numpy() -> None:
    for threads in (2, 1):
        use_threads(threads)
        assert torch.get_num_threads() == threads
        assert blas_threads() == threads

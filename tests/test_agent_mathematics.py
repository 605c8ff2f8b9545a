"""The update's pure functions against independent computations."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from agent import gaussian, trust_region
from agent.advantages import Values, generalised_advantages
from agent.critics import TanhCritic
from agent.gaussian import Gaussian
from agent.linearised import linearise
from agent.networks import GaussianMLP, Policy
from agent.normaliser import empty
from agent.parts import policy_gradient
from agent.value import fit_critic
from agent.window import place
from runlog.regression import halves


def _gaussians(n: int, dim: int) -> tuple[Gaussian, Gaussian]:
    torch.manual_seed(0)
    old, new = (
        Gaussian(
            mean=torch.randn(n, dim, dtype=torch.float64),
            log_std=0.3 * torch.randn(n, dim, dtype=torch.float64),
        )
        for _ in range(2)
    )
    return old, new


def test_gaussian_agrees_with_torch() -> None:
    old, new = _gaussians(50, 3)
    p = torch.distributions.Normal(old.mean, old.log_std.exp())
    q = torch.distributions.Normal(new.mean, new.log_std.exp())
    action = p.sample()
    assert torch.allclose(gaussian.log_prob(old, action), p.log_prob(action).sum(-1))
    assert torch.allclose(gaussian.entropy(old), p.entropy().sum(-1))
    expected = torch.distributions.kl_divergence(p, q).sum(-1)
    assert torch.allclose(gaussian.kl(old, new), expected)


def test_kl_of_equal_policies_is_exactly_zero_and_of_close_ones_positive() -> None:
    old, _ = _gaussians(50, 3)
    assert bool((gaussian.kl(old, old) == 0).all())
    for tiny in (1e-4, 1e-6, 1e-8):
        close = Gaussian(mean=old.mean, log_std=old.log_std + tiny)
        # Second order of KL in a change d of log σ is d² for each dimension.
        assert gaussian.kl(old, close).numpy() == pytest.approx(3 * tiny**2, rel=1e-2)


def test_fisher_product_is_the_explicit_fisher_matrix_times_the_vector() -> None:
    torch.manual_seed(1)
    policy = Policy(GaussianMLP(3, 2, (5,), -0.3).double(), 2)
    theta, observation = policy.theta(), torch.randn(40, 3, dtype=torch.float64)
    at = linearise(policy, theta, observation)
    product = trust_region.fisher_product(at, damping=0.1)

    def outputs(theta: torch.Tensor) -> torch.Tensor:
        pi = policy.at(policy.split(theta), observation)
        return torch.stack([pi.mean, pi.log_std])

    jacobian = torch.autograd.functional.jacobian(outputs, theta)  # (2, 40, 2, parameters)
    variance = (2 * policy.at(policy.split(theta), observation).log_std).exp()
    of_mean = torch.einsum("nap,naq->pq", jacobian[0] / variance.unsqueeze(-1), jacobian[0])
    of_log_std = 2 * torch.einsum("nap,naq->pq", jacobian[1], jacobian[1])
    fisher = (of_mean + of_log_std) / 40
    for _ in range(3):
        v = torch.randn(len(theta), dtype=torch.float64)
        assert torch.allclose(product(v), fisher @ v + 0.1 * v, rtol=1e-10, atol=1e-12)


def _matrix(n: int, smallest: float) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    basis, _ = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64))
    values = torch.logspace(np.log10(smallest), 1, n, dtype=torch.float64)
    return basis @ torch.diag(values) @ basis.T, values


def test_conjugate_gradient_solves_and_knows_the_spectrum() -> None:
    F, values = _matrix(12, 1e-2)
    A, g = F + 0.1 * torch.eye(12, dtype=torch.float64), torch.ones(12, dtype=torch.float64)
    found = trust_region.conjugate_gradient(lambda v: A @ v, g, 12, 1e-12)
    assert torch.allclose(A @ found.x, g, atol=1e-9)
    assert found.curvature == pytest.approx(float(found.x @ A @ found.x), rel=1e-9)
    ritz = trust_region.ritz_values(found, 0.1)
    assert ritz is not None
    assert ritz == pytest.approx((float(values[0]), float(values[-1])), rel=1e-6)


def test_conjugate_gradient_keeps_its_identities_with_products_in_single_precision() -> None:
    F, _ = _matrix(200, 1e-5)
    single, g = F.float(), torch.randn(200, dtype=torch.float64)
    found = trust_region.conjugate_gradient(lambda v: (single @ v.float()).double(), g, 60, 1e-12)
    assert float(g @ found.x) / found.curvature == pytest.approx(1, abs=1e-9)


def test_conjugate_gradient_stops_at_negative_curvature() -> None:
    A = torch.diag(torch.tensor([1.0, -2.0], dtype=torch.float64))
    g = torch.tensor([1.0, 0.1], dtype=torch.float64)
    found = trust_region.conjugate_gradient(lambda v: A @ v, g, 10, 1e-6)
    assert found.curvatures[-1] < 0
    assert len(found.curvatures) == 2
    assert bool(torch.isfinite(found.x).all())


def test_full_step_spends_the_trust_region_of_the_quadratic_model() -> None:
    A, _ = _matrix(6, 0.1)
    g = torch.ones(6, dtype=torch.float64)
    found = trust_region.conjugate_gradient(lambda v: A @ v, g, 6, 1e-12)
    s = trust_region.full_step(found, 0.01)
    assert 0.5 * float(s @ A @ s) == pytest.approx(0.01)


def test_line_search_takes_the_first_fraction_that_gains_within_the_trust_region() -> None:
    found = trust_region.line_search(lambda beta: (0.3 - beta, 0.04 * beta**2), 0.01)
    assert found.fraction == 0.25
    assert found.fractions == (1.0, 0.5, 0.25)
    assert found.gains == pytest.approx((-0.7, -0.2, 0.05))


@pytest.mark.parametrize(("gain", "kl"), [(0.0, 0.0), (float("nan"), 0.0), (1.0, float("nan"))])
def test_line_search_accepts_no_zero_gain_and_nothing_that_is_not_a_number(
    gain: float, kl: float
) -> None:
    found = trust_region.line_search(lambda _: (gain, kl), 0.01)
    assert found.fraction is None
    assert len(found.fractions) == 10
    assert found.fractions[-1] == 1 / 512


def test_advantages_bootstrap_on_truncation_and_not_on_termination() -> None:
    """One world: terminated after step 1, truncated after step 3, the batch ends after step 4."""
    reward, value = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    following = np.array([0.2, 9.0, 0.4, 7.0, 6.0])  # 9 and 7: final observations before the reset
    terminated = np.array([False, True, False, False, False])
    truncated = np.array([False, False, False, True, False])
    gamma, lam = 0.9, 0.5
    found = generalised_advantages(
        reward=reward[:, None],
        values=Values(now=value[:, None], next=following[:, None]),
        terminated=terminated[:, None],
        ended=(terminated | truncated)[:, None],
        gamma=gamma,
        lam=lam,
    )[:, 0]
    last = 5 + gamma * 6 - 0.5
    cut = 4 + gamma * 7 - 0.4
    before_cut = 3 + gamma * 0.4 - 0.3 + gamma * lam * cut
    terminal = 2 - 0.2
    first = 1 + gamma * 0.2 - 0.1 + gamma * lam * terminal
    assert found == pytest.approx([first, terminal, before_cut, cut, last])


@pytest.mark.parametrize("hidden", [(), (8,), (8, 6), (7, 6, 5)])
def test_critic_step_is_the_adam_step_of_autograd(hidden: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    critic = TanhCritic(3, hidden, torch.Generator().manual_seed(0), dtype=torch.float64)
    critic.theta.add_(0.1 * torch.randn(critic.theta.shape, dtype=torch.float64))
    linear = [nn.Linear(a, b).double() for a, b in itertools.pairwise((3, *hidden, 1))]
    reference = nn.Sequential(linear[0])
    for layer in linear[1:]:
        reference.append(nn.Tanh()).append(layer)
    nn.utils.vector_to_parameters(critic.theta.clone(), reference.parameters())
    adam = torch.optim.Adam(reference.parameters(), lr=1e-2)
    for rows in (64, 64, 40, 64):
        x, y = torch.randn(rows, 3).double(), torch.randn(rows, 1).double()
        critic.descend(x.numpy(), y.numpy(), 1e-2)
        adam.zero_grad()
        nn.functional.mse_loss(reference(x), y).backward()
        adam.step()
        expected = nn.utils.parameters_to_vector(reference.parameters()).detach()
        assert float((critic.theta - expected).abs().max()) < 1e-12


def test_gradient_of_a_tensor_outside_the_graph_is_none_not_zero() -> None:
    class Detached(GaussianMLP):
        def forward(self, observation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.mean(self.body(observation)), self.log_std.detach()

    policy = Policy(Detached(3, 2, (4,), 0.0), 2)
    observation, action = torch.randn(20, 3), torch.randn(20, 2)
    at = linearise(policy, policy.theta(), observation)
    gradient = policy_gradient(at, action, torch.zeros(20))(torch.randn(20))
    missing = [name for name, part in zip(policy.names, gradient, strict=True) if part is None]
    assert missing == ["log_std"]


def test_normaliser_is_the_mean_and_deviation_of_everything_it_saw() -> None:
    seen = np.random.default_rng(0).normal(3, 2, size=(100, 4))
    normaliser = empty(4)
    for part in np.array_split(seen, 7):
        normaliser = normaliser.updated(part)
    assert normaliser.mean == pytest.approx(seen.mean(axis=0))
    assert normaliser.variance == pytest.approx(seen.var(axis=0))


def test_normaliser_leaves_out_observations_that_are_not_finite() -> None:
    seen = np.random.default_rng(0).normal(size=(10, 2))
    spoilt = np.concatenate([seen, [[np.nan, 1.0], [np.inf, 1.0]]])
    assert empty(2).updated(spoilt).mean == pytest.approx(seen.mean(axis=0))


def test_halves_share_no_trajectory() -> None:
    several = halves(np.zeros((4, 3), dtype=bool))
    assert several.tolist() == [[False, True, False]] * 4
    one = np.zeros((6, 1), dtype=bool)
    one[[1, 3]] = True
    assert halves(one)[:, 0].tolist() == [False, False, True, True, False, False]
    assert halves(np.zeros((4, 1), dtype=bool))[:, 0].tolist() == [False, False, True, True]


def test_window_holds_a_terminated_and_a_truncated_step_when_one_world_has_both() -> None:
    terminated, truncated = np.zeros((200, 3), dtype=bool), np.zeros((200, 3), dtype=bool)
    terminated[[10, 100], [0, 2]] = True
    truncated[150, 2] = True
    world, start = place(terminated, truncated)
    assert world == 2
    assert start <= 100
    assert start + 64 - 1 > 150, "an end on the last step of the stretch could not be checked"


def test_critic_keeps_its_values_when_its_unit_follows_the_targets() -> None:
    critic = TanhCritic(3, (8,), torch.Generator().manual_seed(0))
    x = torch.randn(64, 3)
    for scale in (1.0, 1000.0, 1e-6, 0.0, 5.0):
        targets = scale * np.random.default_rng(1).normal(3, 1, 64)
        before = critic.values(x.numpy())
        critic.adopt(targets)
        assert critic.values(x.numpy()) == pytest.approx(before, rel=1e-4, abs=1e-4)
        seen, scaled = critic.matrices(x.numpy(), targets)
        for _ in range(20):
            critic.descend(seen, scaled, 1e-2)
        assert np.isfinite(critic.values(x.numpy())).all()


def test_critic_that_saw_only_zeros_stays_exactly_zero() -> None:
    critic = TanhCritic(3, (8,), torch.Generator().manual_seed(0))
    x = np.random.default_rng(1).normal(size=(64, 3)).astype(np.float32)
    fit_critic(critic, x, np.zeros(64), 3, 16, 1e-2, np.random.default_rng(0))
    assert not critic.values(x).any()


def test_unit_of_the_critic_is_the_moving_deviation_of_its_targets() -> None:
    rng = np.random.default_rng(0)
    critic = TanhCritic(3, (4,), torch.Generator().manual_seed(0))
    mean, square = 0.0, 0.0
    for k, level in enumerate((0.0, 50.0, -20.0)):
        targets = level + rng.normal(size=400)
        kept = 0.9 if k else 0.0
        mean = kept * mean + (1 - kept) * targets.mean()
        square = kept * square + (1 - kept) * (targets**2).mean()
        critic.adopt(targets)
        assert critic.centre == pytest.approx(mean)
        assert critic.unit == pytest.approx((square - mean**2) ** 0.5)

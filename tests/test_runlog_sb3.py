"""RunLogCallback: what it logs is what the trainer computed, and what the columns say it is."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import RecurrentPPO
from sb3_toy import a2c, distance, failing, logged, ppo, rows_of, toy, trpo
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.callbacks import BaseCallback, CheckpointCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from torch.distributions import kl_divergence

from runlog import open_run
from runlog.errors import UserError
from runlog.sb3 import RunLogCallback
from trpo_tui.analysis import analyze_run

Row = dict[str, Any]


class Witness(BaseCallback):
    """Keeps what the trainer itself records, and policy and batch before and after each update."""

    def __init__(self) -> None:
        super().__init__()
        self.recorded: list[Row] = []
        self.before: list[Any] = []
        self.after: list[Any] = []
        self.batches: list[Row] = []

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.batches:
            self.recorded.append(dict(self.model.logger.name_to_value))
            self.after.append(_copy(self.model.policy))

    def _on_rollout_end(self) -> None:
        buffer = self.model.rollout_buffer
        names = ("observations", "actions", "log_probs", "values", "returns", "advantages")
        self.batches.append({name: getattr(buffer, name).copy() for name in names})
        self.before.append(_copy(self.model.policy))

    def _on_training_end(self) -> None:
        self._on_rollout_start()


def _copy(policy: Any) -> Row:
    return {name: values.clone() for name, values in policy.state_dict().items()}


def witnessed(model: Any, folder: Path, iterations: int = 3) -> tuple[list[Row], Witness, int]:
    witness = Witness()
    run = logged(model, folder, iterations, witness)
    rows = rows_of(run)
    assert len(rows) == iterations == len(witness.recorded)
    return rows, witness, int(run.metadata["action_dim"] or 1)


TRAINERS: dict[str, Callable[[], Any]] = {
    "one environment": lambda: trpo(1),
    "four environments": lambda: trpo(4, seed=1),
    "choices": lambda: trpo(2, toy={"action_space": spaces.Discrete(3)}),
}


Trained = tuple[Any, list[Row], Witness, int]


@pytest.fixture(scope="module", params=TRAINERS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    model = TRAINERS[request.param]()
    return model, *witnessed(model, tmp_path_factory.mktemp("sb3"))


def test_a_trpo_row_says_what_the_trainer_prints(trained: Trained) -> None:
    _, rows, witness, d = trained
    for i, (row, told) in enumerate(zip(rows, witness.recorded, strict=True)):
        assert row["explained_variance"] == pytest.approx(
            told["train/explained_variance"], abs=1e-5
        )
        assert -row["policy_loss"] == pytest.approx(told["train/policy_objective"], abs=2e-6)
        assert row["line_search_success"] == told["train/is_line_search_success"] == 1.0
        # Theirs is KL(new‖old), which differs in the third order of the step.
        assert row["kl"] == pytest.approx(d * told["train/kl_divergence_loss"], rel=0.1)
        assert 0 < row["kl"] < 1.1 * row["max_kl"] == pytest.approx(1.1 * d * 0.01)
        if "train/std" in told and i + 1 < len(rows):
            following = [rows[i + 1][f"log_std_{end}"] for end in ("min", "max")]
            assert np.mean(np.exp(following)) == pytest.approx(told["train/std"], rel=1e-6)
    assert [row["timesteps"] for row in rows] == [128, 256, 384]
    assert [row["iteration"] for row in rows] == [1, 2, 3]


def test_the_joint_kl_is_that_of_the_policies_before_and_after(trained: Trained) -> None:
    model, rows, witness, _ = trained
    seen = zip(rows, witness.before, witness.after, witness.batches, strict=True)
    for row, before, after, batch in seen:
        observations = torch.as_tensor(batch["observations"].reshape(-1, 3))
        with torch.no_grad():
            model.policy.load_state_dict(before)
            old = model.policy.get_distribution(observations).distribution
            model.policy.load_state_dict(after)
            new = model.policy.get_distribution(observations).distribution
            kl = kl_divergence(old, new).reshape(len(observations), -1).sum(dim=1).mean()
            entropy = old.entropy().reshape(len(observations), -1).sum(dim=1).mean()
        assert row["kl"] == pytest.approx(float(kl), rel=1e-3)
        assert row["entropy"] == pytest.approx(float(entropy), rel=1e-5)
        assert row["kl_drift"] == 0.0


def test_the_trpo_step_obeys_the_identities(trained: Trained) -> None:
    _, rows, _, _ = trained
    for row in rows:
        step, fraction = row["full_step_norm"], row["step_fraction"]
        assert row["step_parameter_delta_norm"] == pytest.approx(step * fraction, rel=1e-4)
        assert row["parameter_delta_norm"] == row["step_parameter_delta_norm"]
        expected = row["expected_improvement"]
        # The units: the step for d·F + dλI, the trust region d·δ, d the action dimensions.
        assert expected * step / row["step_direction_norm"] == pytest.approx(
            2 * row["max_kl"], rel=0.02
        )
        assert 0 < expected <= row["gradient_norm"] * step
        quadratic = row["max_kl"] - 0.5 * row["damping"] * step**2
        assert row["kl_full_step"] == pytest.approx(quadratic, rel=0.25)
        assert row["improvement_ratio"] == pytest.approx(1.0, abs=0.3)
        assert row["advantage_log_ratio_mean"] == pytest.approx(expected * fraction, rel=0.3)
        assert row["gradient_norm"] == pytest.approx(np.linalg.norm(row["gradient_norms"]))
        assert row["line_search_steps"] == len(row["line_search_kls"])
        assert row["cg_min_curvature"] == min(row["cg_curvatures"]) >= 0.99 * row["damping"]
        assert row["cg_iterations"] == len(row["cg_curvatures"]) <= row["cg_iters"] == 15
        assert row["ratio_before_mean"] == pytest.approx(1.0, abs=1e-6)
        squares = row["advantage_raw_std"] ** 2 + row["advantage_raw_mean"] ** 2
        assert row["value_loss"] == pytest.approx(squares, rel=1e-6)
        assert row["value_loss_after"] < row["value_loss"]


def test_candidates_are_those_the_search_tried(tmp_path: Path) -> None:
    """A shrinking factor so close to 1 that several are needed, and one search that must fail."""
    model = trpo(2, line_search_shrinking_factor=0.95, target_kl=0.3)
    rows, witness, _ = witnessed(model, tmp_path, 6)
    tried = [row for row in rows if row["line_search_steps"] > 1]
    assert tried
    for row, told in zip(rows, witness.recorded, strict=True):
        count = int(row["line_search_steps"])
        assert row["line_search_fractions"] == pytest.approx(0.95 ** np.arange(count))
        if row["line_search_success"]:
            gain = told["train/policy_objective"] + row["policy_loss_before"]
            assert row["line_search_gains"][-1] == pytest.approx(gain, abs=2e-6)
            assert row["line_search_kls"][-1] == pytest.approx(row["kl"], rel=1e-6)
        else:
            assert count == 10
            assert (row["kl"], row["step_fraction"], row["parameter_delta_norm"]) == (0, 0, 0)
            assert row["update_outcome"] == "rejected"
            assert "window_reward" in row
        assert row["kl_full_step"] == row["line_search_kls"][0]


def test_every_fifth_row_says_how_much_of_the_reward_state_and_action_tell(tmp_path: Path) -> None:
    rows, _, _ = witnessed(trpo(2), tmp_path, 6)
    told = [row.get("reward_r2") for row in rows]
    assert [t is not None for t in told] == [True, False, False, False, False, True]
    assert all(-0.5 < t <= 1.0 for t in told if t is not None)


def test_what_moves_the_policy_after_the_search_is_no_part_of_the_step(tmp_path: Path) -> None:
    model = trpo(2)
    train = model.train

    def learn() -> None:
        train()
        with torch.no_grad():
            model.policy.action_net.bias.add_(0.5)

    model.train = learn
    rows, _, _ = witnessed(model, tmp_path, 2)
    for row in rows:
        assert row["kl"] == pytest.approx(row["line_search_kls"][-1], rel=1e-6)
        assert row["kl_drift"] > 10 * row["kl"]
        assert row["parameter_delta_norm"] > row["step_parameter_delta_norm"]


def first(model: Any, folder: Path) -> tuple[list[Row], list[Row]]:
    rows, witness, _ = witnessed(model, folder, 1)
    return rows, witness.recorded


def test_a_failed_search_moves_nothing(tmp_path: Path) -> None:
    (row,), (told,) = first(trpo(target_kl=1e-30), tmp_path)
    assert told["train/is_line_search_success"] == 0.0
    assert (row["update_outcome"], row["line_search_success"]) == ("rejected", 0.0)
    assert row["kl"] == row["step_fraction"] == row["step_parameter_delta_norm"] == 0.0
    assert row["policy_loss"] == row["policy_loss_before"]
    assert "improvement_ratio" not in row


def test_ppo_in_one_pass_over_the_batch_prints_the_same(tmp_path: Path) -> None:
    (row,), (told,) = first(ppo(), tmp_path)
    assert row["value_loss"] == pytest.approx(told["train/value_loss"], rel=1e-5)
    assert row["entropy"] == pytest.approx(-told["train/entropy_loss"], rel=1e-6)
    assert row["approx_kl"] == told["train/approx_kl"]
    assert row["clip_fraction"] == told["train/clip_fraction"]
    assert row["kl"] > 0
    assert row["gradient_norm"] > 0
    assert "max_kl" not in row
    assert "update_outcome" not in row


def test_a2c_prints_the_same(tmp_path: Path) -> None:
    rows, witness, _ = witnessed(a2c(2), tmp_path)
    for row, told in zip(rows, witness.recorded, strict=True):
        assert row["value_loss"] == pytest.approx(told["train/value_loss"], rel=1e-5)
        assert row["entropy"] == pytest.approx(-told["train/entropy_loss"], rel=1e-6)
        assert row["explained_variance"] == pytest.approx(
            told["train/explained_variance"], abs=1e-5
        )


def test_windows_obey_the_advantage_recursion_through_both_kinds_of_end(tmp_path: Path) -> None:
    model = trpo(2, toy={"edge": 0.8})
    rows, _, _ = witnessed(model, tmp_path, 4)
    ends = 0
    for row in rows:
        end = np.maximum(row["window_terminated"], row["window_truncated"])
        delta = row["window_reward"] - row["window_value"]
        delta = delta + 0.99 * (1 - row["window_terminated"]) * row["window_next_value"]
        advantage = row["window_advantage"]
        expected = delta[:-1] + 0.99 * 0.95 * (1 - end[:-1]) * advantage[1:]
        np.testing.assert_allclose(advantage[:-1], expected, atol=1e-4)
        ends += bool(row["window_terminated"][:-1].any() and row["window_truncated"][:-1].any())
        assert len(row["window_log_prob_new"]) == len(advantage) == 64
        moved = row["window_log_prob_new"] - row["window_log_prob_old"]
        assert 0 < np.std(moved) < 1
    assert ends


def test_episodes_are_those_of_the_monitor(tmp_path: Path) -> None:
    model = trpo(4, toy={"edge": 0.8})
    rows, _, _ = witnessed(model, tmp_path)
    returns = np.concatenate([row["episode_returns"] for row in rows])
    assert returns.tolist() == [info["r"] for info in model.ep_info_buffer]
    ended = [row["episodes_terminated"] + row["episodes_truncated"] for row in rows]
    assert np.cumsum(ended).tolist() == [row["episodes"] for row in rows]
    assert ended[-1] == len(rows[-1]["episode_lengths"])
    assert sum(row["episodes_truncated"] for row in rows) > 0


def test_episodes_are_counted_where_there_is_no_monitor(tmp_path: Path) -> None:
    monitored = rows_of(logged(trpo(2), tmp_path / "a"))
    bare = trpo(env=DummyVecEnv([toy(), toy()]), n_steps=64)
    unmonitored = rows_of(logged(bare, tmp_path / "b"))
    for row, twin in zip(monitored, unmonitored, strict=True):
        assert row["episode_returns"] == pytest.approx(twin["episode_returns"], abs=1e-5)
        assert row["episode_lengths"].tolist() == twin["episode_lengths"].tolist()


def test_rewards_of_a_normalised_environment_are_in_both_units(tmp_path: Path) -> None:
    paid: list[float] = []

    def reward(position: np.ndarray, action: float) -> float:
        paid.append(100.0 * distance(position, action))
        return paid[-1]

    env = VecNormalize(make_vec_env(toy(reward=reward), 2), clip_obs=1.0)
    rows, witness, _ = witnessed(trpo(env=env, n_steps=64), tmp_path)
    batches = np.reshape(paid[: 3 * 128], (3, 128))
    for row, batch, mine in zip(rows, batches, witness.batches, strict=True):
        assert row["reward_mean"] == pytest.approx(batch.mean(), rel=1e-5)
        assert row["reward_min"] == pytest.approx(batch.min(), rel=1e-5)
        assert abs(row["reward_train_mean"]) < 0.1 * abs(row["reward_mean"])
        assert row["reward_scale"] > 10
        assert row["return_mean"] == pytest.approx(mine["returns"].mean(), rel=1e-5)
        assert row["observation_clip_fraction"] > 0
        assert row["observation_abs_max"] < 3
        assert row["observation_shift"] > 0
    assert rows[-1]["episode_return_mean"] > 100 * rows[-1]["reward_train_mean"]


@pytest.mark.parametrize("make", [lambda: trpo(2), ppo], ids=["trpo", "ppo"])
def test_training_is_bit_for_bit_what_it_is_without(
    make: Callable[[], Any], tmp_path: Path
) -> None:
    with_log = make()
    logged(with_log, tmp_path)
    without = make()
    without.learn(3 * 128, log_interval=None)
    pairs = zip(with_log.policy.parameters(), without.policy.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_nothing_is_left_behind_and_checkpoints_can_be_saved(tmp_path: Path) -> None:
    from sb3_contrib.trpo import trpo as module

    solver, model = module.conjugate_gradient_solver, trpo()
    logged(model, tmp_path, 2, CheckpointCallback(100, str(tmp_path)))
    assert module.conjugate_gradient_solver is solver
    assert "get_distribution" not in vars(model.policy)
    assert "get" not in vars(model.rollout_buffer)
    assert type(model).load(tmp_path / "rl_model_200_steps").num_timesteps == 200


@pytest.mark.parametrize(
    "space", [spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(3)], ids=["multi", "binary"]
)
def test_other_actions_are_measured_too(space: spaces.Space[Any], tmp_path: Path) -> None:
    rows, witness, _ = witnessed(trpo(toy={"action_space": space}), tmp_path)
    for row, told in zip(rows, witness.recorded, strict=True):
        d = 3 if isinstance(space, spaces.MultiBinary) else 1
        assert row["kl"] == pytest.approx(d * told["train/kl_divergence_loss"], rel=0.1)
        assert -row["policy_loss"] == pytest.approx(told["train/policy_objective"], abs=2e-6)
        assert "log_std_mean" not in row


def test_a_policy_with_a_memory_is_logged_from_its_buffer_alone(tmp_path: Path) -> None:
    env = make_vec_env(toy(), 2)
    model = RecurrentPPO("MlpLstmPolicy", env, n_steps=64, batch_size=64, n_epochs=1)
    for row in rows_of(logged(model, tmp_path, 2)):
        assert row["value_loss"] > 0
        assert row["approx_kl"] == pytest.approx(0.0, abs=0.1)
        assert row.keys().isdisjoint({"kl", "gradient_norm", "update_outcome"})


def test_the_metadata_say_what_was_trained_and_how(tmp_path: Path) -> None:
    model = trpo(2, seed=7, cg_damping=0.2)
    callback = RunLogCallback(tmp_path / "run", config={"note": "mine"}, env_id="Toy-v0")
    model.learn(128, callback=callback)
    told = open_run(tmp_path / "run").metadata
    assert (told["algorithm"], told["seed"], told["env_id"]) == ("trpo", 7, "Toy-v0")
    assert told["config"]["cg_damping"] == 0.2
    assert told["config"]["note"] == "mine"
    assert told["config"]["total_timesteps"] == 128
    assert told["action_dim"] == 2
    assert told["action_high"] == [2.0, 2.0]
    assert (told["steps_per_iteration"], told["environments"]) == (128, 2)
    assert (told["kl_reduction"], told["cg_start"]) == ("sum", "random")
    assert told["parameter_names"][0] == "log_std"
    (row,) = rows_of(open_run(tmp_path / "run"))
    assert (row["damping"], row["max_kl"]) == (0.4, 0.02)
    assert len(told["parameter_names"]) == len(row["gradient_norms"])


@pytest.mark.parametrize("off_policy", [SAC, DQN])
def test_a_trainer_without_rollouts_is_refused_in_one_line(off_policy: Any, tmp_path: Path) -> None:
    space = spaces.Discrete(2) if off_policy is DQN else None
    env = make_vec_env(toy(**({"action_space": space} if space else {})), 1)
    with pytest.raises(UserError, match=f"on-policy.*{off_policy.__name__}"):
        off_policy("MlpPolicy", env).learn(10, callback=RunLogCallback(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (
            RuntimeError("the simulator fell over"),
            "crashed",
            "RuntimeError: the simulator fell over",
        ),
        (KeyboardInterrupt(), "stopped", "Ctrl-C"),
    ],
    ids=["exception", "ctrl-c"],
)
def test_an_exception_ends_the_log_and_the_run_can_go_on(
    error: BaseException, state: str, reason: str, tmp_path: Path
) -> None:
    model = trpo(toy={"reward": failing(200, error)})
    with (
        pytest.raises(type(error)),
        RunLogCallback(tmp_path / "run") as callback,
    ):
        model.learn(1000, callback=callback)
    run = open_run(tmp_path / "run")
    assert (run.state.name, run.state.reason, len(run)) == (state, reason, 1)
    model.num_timesteps = 128
    with RunLogCallback(tmp_path / "run") as callback:
        model.learn(256, callback=callback, reset_num_timesteps=False)
    run = open_run(tmp_path / "run")
    assert run.column("iteration").values.tolist() == [1, 2, 3]
    assert (run.attempts, run.state.name) == (1, "finished")


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from sb3_toy import failing, trpo
from runlog.sb3 import RunLogCallback
trpo(toy={"reward": failing(200, ZeroDivisionError("oops"))}).learn(
    1000, callback=RunLogCallback(sys.argv[2]))
"""


def test_an_exception_nobody_caught_ends_the_log_as_crashed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith("ZeroDivisionError: oops")
    run = open_run(tmp_path / "run")
    assert (run.state.name, run.state.reason) == ("crashed", "ZeroDivisionError: oops")
    assert len(run) == 1


def test_several_calls_of_learn_make_one_log_inside_with(tmp_path: Path) -> None:
    model = trpo()
    with RunLogCallback(tmp_path / "run") as callback:
        for _ in range(3):
            model.learn(128, callback=callback)
        assert open_run(tmp_path / "run").state.name == "running"
    run = open_run(tmp_path / "run")
    assert run.column("timesteps").values.tolist() == [128, 256, 384]
    assert run.state.name == "finished"
    alone = RunLogCallback(tmp_path / "alone")
    model.learn(128, callback=alone)
    with pytest.raises(UserError, match="put `with RunLogCallback"):
        model.learn(128, callback=alone)


def test_only_every_so_manyth_update_is_logged_where_asked(tmp_path: Path) -> None:
    model = a2c()
    model.learn(6 * 128, callback=RunLogCallback(tmp_path, every=3), log_interval=None)
    rows = rows_of(open_run(tmp_path))
    assert [row["iteration"] for row in rows] == [3, 6]
    assert [row["updates"] for row in rows] == [3, 3]
    assert [row["timesteps"] for row in rows] == [384, 768]
    returns = np.concatenate([row["episode_returns"] for row in rows])
    assert returns.tolist() == [info["r"] for info in model.ep_info_buffer]


def test_a_callback_that_ends_the_training_stops_the_log(tmp_path: Path) -> None:
    class Enough(BaseCallback):
        def _on_step(self) -> bool:
            return self.n_calls < 150

    run = logged(trpo(), tmp_path, 4, Enough())
    assert (run.state.name, run.state.reason) == ("stopped", "A callback ended the training.")
    assert len(run) == 1


def test_a_healthy_run_has_no_finding(tmp_path: Path) -> None:
    logged(trpo(2, n_steps=128), tmp_path, 12)
    diagnosis = analyze_run(str(tmp_path / "run")).diagnosis
    assert diagnosis is not None
    assert diagnosis.verdict == "healthy"
    assert [f.code for f in diagnosis.findings if f.answer == "yes"] == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"toy": {"reward": lambda p, a: 1.0, "edge": 1e9}}, "TRPO101"),
        ({"target_kl": 1e-13}, "TRPO402"),
    ],
    ids=["constant reward", "tiny target_kl"],
)
def test_a_broken_run_is_diagnosed(settings: Row, code: str, tmp_path: Path) -> None:
    logged(trpo(**settings), tmp_path, 6)
    diagnosis = analyze_run(str(tmp_path / "run")).diagnosis
    assert diagnosis is not None
    assert diagnosis.cause is not None
    assert diagnosis.cause.code == code


def test_a_nan_reward_is_named_although_the_trainer_raises(tmp_path: Path) -> None:
    broken = {"reward": lambda p, a: float("nan"), "edge": 1e9}
    with (
        pytest.raises(ValueError, match="Expected parameter"),
        RunLogCallback(tmp_path) as callback,
    ):
        trpo(toy=broken).learn(1000, callback=callback)
    run = open_run(tmp_path)
    assert run.state.name == "crashed"
    diagnosis = analyze_run(str(tmp_path)).diagnosis
    assert diagnosis is not None
    assert diagnosis.cause is not None
    assert diagnosis.cause.code == "TRPO001"
    assert diagnosis.cause.evidence[0].measure == "reward_mean"
    assert np.isnan(run.column("gradient_norm").values[0])


def test_an_update_that_leaves_nan_behind_is_logged(tmp_path: Path) -> None:
    (row,) = rows_of(logged(ppo(toy={"reward": lambda p, a: float("nan")}), tmp_path, 1))
    assert np.isnan([row["reward_mean"], row["gradient_norm"], row["parameter_delta_norm"]]).all()
    assert "kl" not in row

"""`trpo-tui probe-env`: what is wrong with an environment is found, what is healthy is let through."""

import json
import re
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, Tuple

from agent.__main__ import COMMANDS, main
from agent.probe_spaces import component, measured, misfit, still
from analyzer.rules import BY_CODE
from trpo_tui.commands import motions, probe_env, render, train

Cli = Callable[..., subprocess.CompletedProcess[str]]
ODD = "Odd-v0"


class Odd(gymnasium.Env[Any, Any]):
    """A point that is pushed, paid for being near 0; `how` says what is odd about it."""

    chance = np.random.default_rng(0)

    def __init__(self, how: str = "") -> None:
        self.how = how
        self.action_space = Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space: Any = Box(-50.0, 50.0, (2,), np.float64)
        if how == "dict":
            self.observation_space = Dict({"goal": Box(-1, 1, (2,)), "arm": Box(-9, 9, (2, 2))})
        if how == "empty":
            self.observation_space = Box(-1, 1, (0,))
        if how == "positive actions":
            self.action_space = Box(0.5, 1.0, (2,), np.float32)
        if how == "constructor":
            raise ZeroDivisionError("no such robot\nsecond line")

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = self.np_random.uniform(-1.0, 1.0, 2)
        if self.how == "unseeded":
            self.place = Odd.chance.uniform(-1.0, 1.0, 2)
        self.steps = 0
        if self.how == "prints":
            print("hello from the environment")
        if self.how == "old reset":
            return self.place.copy()
        if self.how == "raises in reset":
            raise KeyError("robot.xml")
        return self.seen(), {}

    def seen(self) -> Any:
        if self.how == "dict":
            arm = np.zeros((2, 2), np.float32)
            if self.steps == 7:
                arm[1, 0] = np.nan
            return {"goal": np.clip(self.place, -1, 1).astype(np.float32), "arm": arm}
        if self.how == "none":
            return None
        if self.how == "empty":
            return np.zeros(0)
        if self.how == "blind":
            return np.ones(2)
        if self.how == "shape" and self.steps == 3:
            return np.zeros(3)
        if self.how == "outside" and self.steps == 3:
            return np.array([0.0, 51.0])
        return self.place.copy()

    def close(self) -> None:
        if self.how == "close":
            raise OSError("port in use")

    def step(self, action: Any) -> Any:
        self.steps += 1
        assert self.action_space.contains(action)
        push = 0.0 if self.how == "deaf" else 0.1 * np.asarray(action, np.float64)
        self.place = np.clip(self.place + push, -3.0, 3.0)
        reward: Any = 1.0 / (1.0 + float(self.place @ self.place))
        ended = self.how in ("survival", "punished") and abs(self.place[0]) > 1.05
        terms = {"reward_near": reward, "reward_nothing": 0.0, "reward_list": [1.0]}
        if self.how in ("constant", "survival"):
            reward = 1.0
        elif self.how in ("never", "punished"):
            reward = 0.0 if self.how == "never" else -1.0
        elif self.how == "tiny":
            reward *= 1e-4
        elif self.how == "small":
            reward *= 0.1
        elif self.how == "sparse":
            reward = float(self.steps % 50 == 0)
        elif self.how == "clock":
            reward = 1.0 + self.steps % 7
        elif self.how == "instant":
            ended = True
        elif self.how == "not finite" and self.steps == 17:
            reward = float("-inf")
        elif self.how == "term" and self.steps == 5:
            terms["reward_near"] = float("nan")
        elif self.how == "raises" and self.steps == 5:
            raise RuntimeError("the motor burnt out\nsecond line")
        elif self.how == "list":
            reward = [1.0, 2.0]
        elif self.how == "noise":
            reward = 1.0 + Odd.chance.normal(0.0, 0.01)
        elif self.how == "noisy":
            reward += Odd.chance.normal(0.0, 0.01)
        elif self.how == "huge":
            reward = 1e308 * self.steps
        elif self.how == "exits":
            raise SystemExit(3)
        elif self.how == "no info":
            return self.seen(), reward, ended, False, None
        elif self.how == "old step":
            return self.seen(), reward, ended, {}
        return self.seen(), reward, ended, False, terms


@pytest.fixture(autouse=True)
def _odd() -> Iterator[None]:
    Odd.chance = np.random.default_rng(0)
    gymnasium.register(ODD, Odd, max_episode_steps=100)
    gymnasium.register("Unmade-v0", Odd, kwargs={"how": "constructor"})
    gymnasium.register("Words-v0", lambda: Words(), max_episode_steps=20)
    yield
    for name in (ODD, "Unmade-v0", "Words-v0"):
        del gymnasium.registry[name]


Said = dict[str, Any]


def probed(
    capsys: pytest.CaptureFixture[str], env: str = ODD, *arguments: str, how: str = ""
) -> tuple[int, Said]:
    """Exit code, and what --json says."""
    args = [f"--env-arg=how={how}"] if how else []
    code = main(["probe-env", env, "--json", "--steps=200", *args, *arguments])
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    return code, json.loads(line, parse_constant=lambda name: pytest.fail(name))


def found(said: Said, level: str) -> list[Said]:
    return [finding for finding in said["findings"] if finding["level"] == level]


WRONG = {
    "constant": ("exactly 1 in all 400 steps, and no episode ended early", "TRPO101"),
    "survival": ("exactly 1 in all 400 steps (the guide's Quick Fix 1)", "TRPO108"),
    "punished": ("exactly -1 in all 400 steps", None),
    "never": ("exactly 0 in all 400 steps", "TRPO101"),
    "tiny": ("100.0% of the steps pay less than 0.01", "TRPO102"),
    "deaf": ("200 random and 200 zero-action steps", None),
    "clock": ("The reward does not depend on the actions", None),
    "instant": ("Every one of the 200 random episodes ends in its first step", None),
    "blind": ("The observation never changes (all 2 numbers)", None),
    "not finite": ("the reward is -inf in step 17", "TRPO001"),
    "term": ("the reward's term near is nan in step 5", "TRPO001"),
    "dict": ("observation['arm'][1, 0] is nan in step 7", "TRPO001"),
    "shape": ("observation has the shape (3,), its space declares (2,)", None),
    "raises": ("step 5 raised RuntimeError: the motor burnt out (test_agent_probe.py:", None),
    "raises in reset": ("reset raised KeyError: 'robot.xml'", None),
    "old step": ("expected 5, got 4", None),
    "old reset": ("reset returned one ndarray; it must return (observation, info)", None),
    "list": ("step 1 raised TypeError", None),
    "noise": ("of the rewards' variance is noise", None),
    "no info": ("step 1 raised TypeError: info is None, not a dict.", None),
    "none": ("observation is None", None),
    "empty": ("The observation is empty", None),
    "exits": ("step 1 raised SystemExit: 3", None),
    "close": ("At the end close raised OSError: port in use", None),
    "huge": ("the reward is inf in step 2", "TRPO001"),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_is_wrong_is_named_with_its_numbers(
    how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence, code = WRONG[how]

    exit_code, said = probed(capsys, how=how)

    wrong = found(said, "wrong")
    assert (exit_code, said["verdict"]) == (1, "wrong")
    assert any(sentence in each["text"] and each["code"] == code for each in wrong), wrong
    assert all(each["do"] for each in wrong)


@pytest.mark.parametrize(
    "how", ["", "sparse", "outside", "unseeded", "noisy", "positive actions", "small"]
)
def test_what_is_merely_unusual_is_a_remark(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    remarks = {
        "": "Always 0: the reward's term nothing",
        "sparse": "98.0% of the steps pay exactly 0: a sparse reward",
        "outside": "observation[1] is 51 in step 3, outside the declared observation_space",
        "unseeded": "The same seed and actions gave another result from step 0 on",
        "noisy": "The same states and actions were paid differently a second time",
        "positive actions": "The action 0 is outside the action space",
        "small": "The reward is small",
    }

    code, said = probed(capsys, how=how)

    assert (code, said["verdict"], found(said, "wrong")) == (0, "fine", [])
    assert any(remarks[how] in each["text"] for each in found(said, "remark")), said["findings"]


HEALTHY = (
    "DPEnv",
    "Reacher-v5",
    "HalfCheetah-v5",
    "Humanoid-v5",
    "InvertedPendulum-v5",
    "Swimmer-v5",
    "Pendulum-v1",
    "MountainCarContinuous-v0",
    "CartPole-v1",
    "MountainCar-v0",
    "Blackjack-v1",
)


@pytest.mark.parametrize("env", HEALTHY)
def test_healthy_environments_are_let_through(env: str, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, said = probed(capsys, env, "--steps=400")

    assert (code, found(said, "wrong")) == (0, [])
    assert said["actions_matter"] is True
    assert said["deterministic"] is True


@pytest.mark.parametrize(
    ("reward", "level", "code"),
    [
        ("constant", "wrong", "TRPO108"),
        ("steep", "wrong", "TRPO102"),
        ("config_raw", "remark", "TRPO102"),
    ],
)
def test_dpenvs_broken_rewards_are_found(
    reward: str, level: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code, said = probed(capsys, "DPEnv", f"--env-arg=reward={reward}")

    assert exit_code == int(level == "wrong")
    assert code in [each["code"] for each in found(said, level)]


def test_noise_added_to_a_constant_reward_does_not_hide_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    noise = "--env-arg=reward_noise=0.01"

    code, said = probed(capsys, "DPEnv", "--env-arg=reward=constant", noise)

    assert code == 1
    assert "The reward does not depend on the actions" in found(said, "wrong")[0]["text"]


def test_constant_rewards_that_are_meant_so_are_a_remark(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, balancing = probed(capsys, "CartPole-v1")
    _, climbing = probed(capsys, "MountainCar-v0")

    texts = [each["text"] for each in balancing["findings"] + climbing["findings"]]
    assert any("solved is a return of 475, episodes as long as 475 steps" in t for t in texts)
    assert any("solved is an episode of 110 steps" in t for t in texts)


def test_the_numbers_are_those_of_a_plain_loop(capsys: pytest.CaptureFixture[str]) -> None:
    env = gymnasium.make("Hopper-v5")
    env.action_space.seed(3)
    env.reset(seed=3)
    rewards, lengths, since = [], [], 0
    forward = []
    for _ in range(300):
        _, reward, terminated, truncated, info = env.step(env.action_space.sample())
        rewards.append(float(reward))
        forward.append(info["reward_forward"])
        since += 1
        if terminated or truncated:
            lengths.append(since)
            since = 0
            env.reset()

    _, said = probed(capsys, "Hopper-v5", "--steps=300", "--seed=3")

    random = said["random"]
    told = [random["reward"][name] for name in ("min", "mean", "max", "std")]
    assert told == [np.min(rewards), np.mean(rewards), np.max(rewards), np.std(rewards)]
    assert random["episodes"]["lengths"] == lengths
    assert random["episodes"]["terminated"] == len(lengths)
    assert random["episodes"]["running_steps"] == since
    assert random["terms"]["forward"]["mean"] == np.mean(forward)


def test_rewards_that_are_not_finite_spoil_no_other_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, said = probed(capsys, how="not finite")

    reward = said["random"]["reward"]
    assert reward["not_finite"] == 2  # of two episodes
    assert 0 < reward["min"] < reward["max"] <= 1
    assert said["random"]["episodes"]["returns"] == ["-Infinity", "-Infinity"]


def test_a_simulation_that_mujoco_finds_unstable_is_a_remark(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    slide = "<joint type='slide'/><geom size='1' mass='1'/>"
    model = mujoco.MjModel.from_xml_string(
        f"<mujoco><worldbody><body>{slide}</body></worldbody></mujoco>"
    )
    data = mujoco.MjData(model)
    step = Odd.step

    def unstable(self: Odd, action: Any) -> Any:
        data.qvel[0] = np.nan
        mujoco.mj_step(model, data)
        return step(self, action)

    monkeypatch.setattr(Odd, "step", unstable)

    code, said = probed(capsys)

    assert code == 0
    [warning] = said["mujoco_warnings"]
    assert any(warning in each["text"] for each in found(said, "remark"))
    assert list(tmp_path.iterdir()) == []


def test_an_environment_that_can_be_made_only_once_is_probed_without_the_repetition(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Odd] = []
    build = Odd.__init__

    def once(self: Odd, how: str = "") -> None:
        if made:
            raise OSError("port in use")
        made.append(self)
        build(self, how)

    monkeypatch.setattr(Odd, "__init__", once)

    code, said = probed(capsys)

    assert (code, said["deterministic"], said["actions_matter"]) == (0, None, None)


def test_where_chance_plays_nobody_knows_whether_actions_matter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, said = probed(capsys, how="unseeded")

    assert (said["deterministic"], said["actions_matter"]) == (False, None)


def test_an_environment_that_raises_shows_its_traceback_beside_the_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["probe-env", ODD, "--env-arg=how=raises"]) == 1

    out, err = capsys.readouterr()
    assert "Traceback" not in out
    assert err.count("RuntimeError: the motor burnt out") == 2  # with random and zero actions
    assert "2 things wrong." in out


def test_what_an_environment_prints_is_kept_out_of_the_results(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["probe-env", ODD, "--env-arg=how=prints", "--json"]) == 0

    out, err = capsys.readouterr()
    assert json.loads(out)["verdict"] == "fine"
    assert "hello from the environment" in err


@pytest.mark.parametrize("env", [ODD, "DPEnv", "CartPole-v1", "Blackjack-v1", "Hopper-v5"])
def test_the_report_fits_80_columns_and_ends_with_the_verdict(
    env: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["probe-env", env, "--steps=100"])

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "Nothing wrong."
    for label in ("random actions", "zero action", "  mean ", "terminated", "observation", "speed"):
        assert any(label in line for line in lines)


@pytest.mark.parametrize("how", WRONG)
def test_every_wrong_environment_has_a_report_in_text(
    how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe-env", ODD, f"--env-arg=how={how}", "--steps=60"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("WRONG") for line in lines) == int(lines[-1].split()[0])


class Words(Odd):
    """Observations that are no list of numbers, actions that are no array."""

    def __init__(self) -> None:
        super().__init__()
        self.pushes = self.action_space
        self.action_space = Tuple((Discrete(3), self.pushes))
        self.observation_space = gymnasium.spaces.Sequence(Box(-50, 50, (2,), np.float64))

    def seen(self) -> Any:
        return (self.place.copy(),)

    def step(self, action: Any) -> Any:
        whole, self.action_space = self.action_space, self.pushes
        result = super().step(action[1])
        self.action_space = whole
        return result


def test_spaces_without_numbers_are_probed_as_far_as_that_goes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, said = probed(capsys, "Words-v0")

    assert (code, said["observation_low"]) == (0, None)
    assert (said["deterministic"], said["actions_matter"]) == (True, True)
    assert any("are no list of numbers" in each["text"] for each in found(said, "remark"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: ID"),
        (["NoSuch-v0"], "no environment 'NoSuch-v0'"),
        (["Pendulm-v1"], "did you mean Pendulum-v1"),
        (["no_such_module:X-v0"], "no environment 'no_such_module:X-v0'"),
        (["Unmade-v0"], "cannot be made: ZeroDivisionError: no such robot (test_agent_probe.py:"),
        ([ODD, "--env-arg=how=constructor"], "does not take --env-arg: no such robot"),
        ([ODD, "--env-arg=speed=1"], "does not take --env-arg"),
        ([ODD, "--env-arg", "how"], "write NAME=VALUE"),
        ([ODD, "--steps=9"], "must be a whole number from 10"),
        ([ODD, "--steps=many"], "must be a whole number from 10"),
        ([ODD, "--seed=-1"], "must be a whole number from 0"),
        ([ODD, "--stps=5"], "did you mean --steps?"),
        (["DPEnv", "--env-arg=reward=none"], "reward is 'none'"),
    ],
)
def test_what_cannot_be_probed_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe-env", *arguments]) == 2

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("trpo-tui probe-env: ")
    assert message in err


def test_a_module_of_ones_own_in_the_current_folder_is_probed(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import gymnasium\n"
        "from gymnasium.envs.classic_control import PendulumEnv\n"
        "class Mine(PendulumEnv):\n"
        "    def step(self, action):\n"
        "        seen, _, *rest = super().step(action)\n"
        "        return seen, 0.0001, *rest\n"
        "gymnasium.register('Mine-v0', Mine, max_episode_steps=50)\n"
    )

    done = cli("probe-env", "mine:Mine-v0", "--steps", "50")

    assert (done.returncode, done.stderr) == (1, "")
    assert "The reward is exactly 0.0001 in all 100 steps" in " ".join(done.stdout.split())
    assert "trpo-tui explain TRPO101" in " ".join(done.stdout.split())


def test_the_readme_shows_the_verdict_as_it_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```console\n(WRONG .*?)```", readme, re.DOTALL)

    main(["probe-env", "DPEnv", "--env-arg", "reward=steep"])

    assert capsys.readouterr().out.endswith(f"\n\n{shown}")


def test_every_code_it_names_is_one_the_analyzer_explains() -> None:
    sources = Path(main.__code__.co_filename).parent.glob("probe*.py")
    named = {code for path in sources for code in re.findall(r"TRPO\d{3}", path.read_text("utf-8"))}

    assert named
    assert named <= set(BY_CODE)


def test_the_command_line_and_the_agent_have_the_same_commands() -> None:
    handed_on = {module.command.name for module in (train, probe_env, motions, render)}

    assert handed_on == set(COMMANDS)


def test_the_action_0_is_found_in_every_space() -> None:
    space = Dict(
        {
            "box": Box(0.5, 1.0, (2,), np.float32),
            "pair": Tuple((Discrete(3, start=-5), gymnasium.spaces.MultiDiscrete([2, 3]))),
            "bits": gymnasium.spaces.MultiBinary(3),
        }
    )

    action = still(space)

    assert space.contains(action)
    assert action["box"].tolist() == [0.5, 0.5]
    assert action["pair"][0] == -5
    assert not action["pair"][1].any()
    assert not action["bits"].any()


def test_every_number_of_an_observation_has_its_name() -> None:
    space = Dict(
        {
            "arm": Box(-1, 1, (2, 2)),
            "all": Tuple((Discrete(2, start=4), Box(-1, 1, ()))),
        }
    )

    names = [component(space, i) for i in range(len(measured(space)))]

    assert set(names) == {
        "observation['arm'][0, 0]",
        "observation['arm'][0, 1]",
        "observation['arm'][1, 0]",
        "observation['arm'][1, 1]",
        "observation['all'][0] == 4",
        "observation['all'][0] == 5",
        "observation['all'][1]",
    }
    flags = [name for name, box in zip(names, measured(space), strict=True) if not box]
    assert flags == ["observation['all'][0] == 4", "observation['all'][0] == 5"]


@pytest.mark.parametrize(
    ("observation", "fault"),
    [
        ({"a": np.zeros(2), "b": (1, 0.5)}, None),
        ([1, 2], "observation is a list, its space declares a dict"),
        ({"a": np.zeros(2)}, "observation has no 'b'"),
        ({"a": np.zeros(3), "b": (1, 0.5)}, "observation['a'] has the shape (3,)"),
        ({"a": "far", "b": (1, 0.5)}, "observation['a'] is a str"),
        ({"a": np.zeros(2), "b": (1,)}, "observation['b'] is no tuple of 2"),
        ({"a": np.zeros(2), "b": (9, 0.5)}, "observation['b'][0] is 9, not in Discrete(2)"),
    ],
)
def test_an_observation_of_another_form_is_told_apart(observation: Any, fault: str | None) -> None:
    space = Dict({"a": Box(-1, 1, (2,)), "b": Tuple((Discrete(2), Box(0, 1, ())))})

    told = misfit(space, observation)

    assert told is None if fault is None else told is not None and told.startswith(fault)

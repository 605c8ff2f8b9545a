"""DPEnv: the motion-imitation humanoid, its clips, its reward, and its batches."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import agent.envs
from agent.envs import motion
from agent.envs.batch import first_limits
from agent.envs.dp_env import DPEnv
from agent.envs.gym import GymBatch, make_batch
from agent.envs.humanoid import (
    CONTROL_RATE,
    FEET,
    JOINTS,
    PARTS,
    STANDING_HEIGHT,
    SUBSTEPS,
    humanoid,
)
from agent.envs.imitation_reward import MOST, REWARDS, angles, heading
from agent.envs.motion import NUMBERS, clip, names
from agent.envs.mujoco_batch import MujocoBatch
from agent.envs.reference import HORIZON, reference, sampled
from runlog.errors import UserError

assert agent.envs  # registers DPEnv

CLIPS = [
    "backflip",
    "cartwheel",
    "crawl",
    "dance_a",
    "dance_b",
    "getup_facedown",
    "getup_faceup",
    "jump",
    "kick",
    "punch",
    "roll",
    "run",
    "spin",
    "spinkick",
    "walk",
]
OLD_PYTHON = sys.version_info < (3, 12)
MOTIONS = ("gait", *CLIPS) if OLD_PYTHON else ("gait",)
FALLS_BY_DEEPMIMIC = {
    "cartwheel": set(range(15)) - {5, 8, 11, 14},
    "crawl": {0, 1, 2},
    "getup_facedown": set[int](),
    "getup_faceup": set[int](),
    "roll": set[int](),
}
"""Bodies whose touch ends an episode there, by number (github.com/xbpeng/DeepMimic, args/)."""


def make(**arguments: Any) -> DPEnv:
    env = gymnasium.make("DPEnv-v0", **arguments).unwrapped
    assert isinstance(env, DPEnv)
    return env


def row_of(env: DPEnv) -> int:
    return round(env.data.time * CONTROL_RATE)


def test_the_clips_of_the_extra_are_there_or_one_line_tells_how_to_get_them() -> None:
    if OLD_PYTHON:
        assert set(names()) == set(MOTIONS)
    else:
        with pytest.raises(UserError, match=r"no wheel for Python 3\.12.*motion=FILE"):
            clip("walk")


@pytest.mark.parametrize("name", MOTIONS)
def test_playing_the_clip_pays_ten_at_every_frame_and_at_every_control_step(name: str) -> None:
    env = make(motion=name)
    of = clip(name)
    for rows in (env.task.reference, sampled(of, of.time, len(of.time))):
        env.task.reference = rows
        for row in range(rows.rows):
            mujoco.mj_resetData(env.model, env.data)
            env.data.qpos[:] = rows.fields["qpos"][row]
            env.data.qvel[:] = rows.fields["qvel"][row]
            mujoco.mj_step1(env.model, env.data)
            now = {field: getattr(env.data, field)[None] for field in env.task.derived}
            now |= {"qpos": env.data.qpos[None], "qvel": env.data.qvel[None]}
            env.task.row = lambda now, rows=None, row=row: np.array([row])  # type: ignore[method-assign, misc]
            pay = env.task.pay(now, np.zeros((1, 2)), np.zeros((1, 28), np.float32))
            assert abs(pay.reward[0] - MOST) < 1e-6
            assert not pay.terminated[0]
            assert sum(term[0] for term in pay.terms.values()) == pytest.approx(MOST, abs=1e-6)


def test_the_frames_are_played_at_their_own_times() -> None:
    of = clip("gait")
    rows = reference("gait")
    assert rows.starts == round(of.duration * CONTROL_RATE) == 36
    np.testing.assert_allclose(rows.fields["qpos"][:36, 2], of.qpos[:36, 2], atol=1e-12)
    # The root goes on from cycle to cycle.
    np.testing.assert_allclose(rows.fields["qpos"][72, :2], 2 * of.stride, atol=1e-9)
    assert of.stride[0] > 0.3
    assert rows.phase[36 + 9] == pytest.approx(0.25)


@pytest.mark.parametrize("name", MOTIONS)
def test_velocities_carry_each_pose_to_the_next(name: str) -> None:
    model, rows = humanoid(), reference(name)
    goes_on = rows.phase[1:] > rows.phase[:-1]  # not where a loop's ends fail to meet
    steps, velocities = [], []
    for row in np.flatnonzero(goes_on[: rows.starts - 1]):
        step = np.zeros(model.nv)
        now, then = rows.fields["qpos"][row], rows.fields["qpos"][row + 1]
        mujoco.mj_differentiatePos(model, step, 1 / CONTROL_RATE, now, then)
        steps.append(step)
        velocities.append((rows.fields["qvel"][row] + rows.fields["qvel"][row + 1]) / 2)
    assert np.corrcoef(np.ravel(steps), np.ravel(velocities))[0, 1] > 0.95


def test_the_gait_neither_slips_nor_sinks() -> None:
    rows = reference("gait")
    model = humanoid()
    soles = [model.geom(foot).id for foot in FEET]
    bottom = rows.fields["geom_xpos"][:, soles, 2] - model.geom_size[soles, 2]
    lowest = bottom.argmin(axis=1)
    assert np.abs(bottom.min(axis=1)).max() < 2e-3
    place = rows.fields["geom_xpos"][:, soles, 0]
    each = np.arange(len(place) - 1)
    still = lowest[:-1] == lowest[1:]
    slip = np.abs(place[each, lowest[:-1]] - place[each + 1, lowest[:-1]])[still]
    assert slip.max() < 5e-3


def test_model_has_the_masses_and_joints_of_deepmimics_humanoid() -> None:
    model = humanoid()
    assert (model.nq, model.nv, model.nu) == (43, 34, 28)
    assert model.body_mass.sum() == pytest.approx(45)
    assert sum({"ball": 4, "hinge": 1}[part.joint] for part in JOINTS) + 8 == NUMBERS == 44
    assert 1 / model.opt.timestep == pytest.approx(CONTROL_RATE * SUBSTEPS)
    data = mujoco.MjData(model)
    data.qpos[2] = STANDING_HEIGHT
    mujoco.mj_forward(model, data)
    assert np.abs(data.contact.dist).max() < 1e-9  # soles flat on the ground


@pytest.mark.parametrize("joint", [part.name for part in JOINTS])
def test_every_servo_pulls_its_joint_to_the_target(joint: str) -> None:
    model = humanoid()
    data = mujoco.MjData(model)
    model_gravity, model.opt.gravity[:] = model.opt.gravity.copy(), 0
    try:
        data.qpos[2] = 5
        mujoco.mj_forward(model, data)
        actuator = model.actuator(joint).id
        at = slice(
            model.actuator_ctrladr[actuator],
            model.actuator_ctrladr[actuator] + model.actuator_ctrlnum[actuator],
        )
        target = np.zeros(model.nu)
        target[at] = -0.3 if joint.endswith("knee") else 0.3
        data.ctrl[:] = target
        for _ in range(2 * CONTROL_RATE * SUBSTEPS):
            mujoco.mj_step(model, data)
        np.testing.assert_allclose(data.actuator_length, target, atol=1e-3)
    finally:
        model.opt.gravity[:] = model_gravity


def test_gymnasiums_checker_passes() -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*infinity.*")
        check_env(gymnasium.make("DPEnv-v0").unwrapped, skip_render_check=True)


@pytest.mark.system
def test_gymnasiums_checker_passes_without_a_screen_rendering_included() -> None:
    code = (
        "import gymnasium, agent.envs; from gymnasium.utils.env_checker import check_env;"
        "check_env(gymnasium.make('DPEnv-v0').unwrapped)"
    )
    unset = ("MUJOCO_GL", "DISPLAY", "WAYLAND_DISPLAY")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_reset_starts_on_the_reference_anywhere_in_the_cycle() -> None:
    env = make()
    rows = set()
    for seed in range(60):
        env.reset(seed=seed)
        row = row_of(env)
        np.testing.assert_array_equal(env.data.qpos, env.task.reference.fields["qpos"][row])
        np.testing.assert_array_equal(env.data.qvel, env.task.reference.fields["qvel"][row])
        rows.add(row)
    assert len(rows) > 20
    assert max(rows) < env.task.reference.starts


def test_reset_model_init_stands_at_the_phase_most_like_standing() -> None:
    env = make()
    env.reset(seed=0)
    observation = env.reset_model_init()
    assert observation.shape == env.observation_space.shape
    joints = np.delete(env.data.qpos, np.s_[:7]).reshape(-1)
    np.testing.assert_array_equal(joints, humanoid().qpos0[7:])
    assert env.data.qpos[2] == pytest.approx(STANDING_HEIGHT)
    assert not env.data.qvel.any()
    lengths = env.task.reference.fields["actuator_length"][: env.task.reference.starts]
    weights = np.repeat(
        [part.weight for part in JOINTS], [{"ball": 3, "hinge": 1}[p.joint] for p in JOINTS]
    )
    away = (lengths[:, order_of_controls()] ** 2) @ weights
    assert away[row_of(env)] < np.median(away)
    _, reward, terminated, _, _ = env.step(np.zeros(28, np.float32))
    assert reward > 1
    assert not terminated


def test_a_lying_phase_is_not_the_one_most_like_standing(tmp_path: Path) -> None:
    lying, standing = frames(2)
    standing[9] = 0.3  # bent a little, where the lying one is straight
    lying[2], lying[4:8] = 0.1, [np.sqrt(0.5), 0, 0, np.sqrt(0.5)]
    env = make(motion=write(tmp_path / "getup.txt", {"Frames": [lying, standing]}))
    env.reset_model_init()
    assert row_of(env) > env.task.reference.starts / 2


def order_of_controls() -> np.ndarray:
    """Controls in the order of JOINTS."""
    model = humanoid()
    places = []
    for part in JOINTS:
        actuator = model.actuator(part.name).id
        first = model.actuator_ctrladr[actuator]
        places += range(first, first + model.actuator_ctrlnum[actuator])
    return np.array(places)


def test_an_episode_is_truncated_after_600_steps_even_without_a_wrapper() -> None:
    env = DPEnv(motion="gait")
    env.reset(seed=1)
    for step in range(1, HORIZON + 1):
        row = row_of(env)
        start = env.task.start(min(row + 1, env.task.reference.rows - 1))
        _, _, terminated, truncated, _ = env.step(np.zeros(28, np.float32))
        assert (terminated, truncated) == (False, step == HORIZON)
        env.data.qpos[:], env.data.qvel[:] = start.qpos, start.qvel  # carried along
        mujoco.mj_step1(env.model, env.data)
    assert step == HORIZON == 600


def test_a_fall_and_a_stray_end_an_episode() -> None:
    env = make()
    env.reset(seed=3)
    start = env.task.start(row_of(env))
    beside = start.qpos.copy()
    beside[1] += 1.2
    for qpos, ends in ((start.qpos, False), (beside, True)):
        env._begin(start)
        env.data.qpos[:] = qpos
        mujoco.mj_step1(env.model, env.data)
        assert env.step(np.zeros(28, np.float32))[2] is ends
    lying = start.qpos.copy()
    lying[2], lying[3:7] = 0.1, (np.sqrt(0.5), 0, np.sqrt(0.5), 0)
    env._begin(start)
    env.data.qpos[:] = lying
    mujoco.mj_step1(env.model, env.data)
    assert env.task.fallen(env._now())[0]


@pytest.mark.parametrize("name", MOTIONS)
def test_bodies_that_end_an_episode_are_those_deepmimic_names(name: str) -> None:
    numbers = {
        part: number
        for number, part in enumerate(
            [
                "root",
                "chest",
                "neck",
                "right_hip",
                "right_knee",
                "right_ankle",
                "right_shoulder",
                "right_elbow",
                "right_wrist",
                "left_hip",
                "left_knee",
                "left_ankle",
                "left_shoulder",
                "left_elbow",
                "left_wrist",
            ]
        )
    }
    falls = {
        numbers[part.name]
        for part, falls in zip(PARTS, reference(name).falls, strict=True)
        if falls
    }
    assert falls == FALLS_BY_DEEPMIMIC.get(name, set(range(15)) - {5, 11})


@pytest.mark.parametrize("reward", REWARDS)
def test_terms_of_the_reward_are_told_and_add_up(reward: str) -> None:
    env = make(reward=reward)
    env.reset(seed=0)
    rewards = []
    for _ in range(8):
        action = env.np_random.normal(0, 0.5, 28).clip(-1, 1).astype(np.float32)
        _, paid, _, _, info = env.step(action)
        terms = [value for key, value in info.items() if key.startswith("reward_")]
        assert sum(terms) == pytest.approx(paid, abs=1e-12)
        rewards.append(paid)
    if reward == "constant":
        assert set(rewards) == {1.0}
    else:
        assert len(set(rewards)) == len(rewards)
    assert {"deepmimic": 3, "config_scaled": 3, "constant": 1}.get(reward, 0) <= max(rewards)
    assert max(rewards) <= {"steep": 1e-6, "config_raw": 1.0}.get(reward, MOST)


def test_noise_is_added_to_the_reward_and_the_sum_kept_at_0_or_above() -> None:
    plain, noisy = make(reward="steep"), make(reward="steep", reward_noise=0.01)
    for env in (plain, noisy):
        env.reset(seed=0)
    found = []
    for _ in range(40):
        clean = plain.step(np.full(28, 0.1, np.float32))[1]
        _, paid, _, _, info = noisy.step(np.full(28, 0.1, np.float32))
        assert info["reward_noise"] == pytest.approx(paid - clean, abs=1e-15)
        assert info["reward_config"] == clean
        found.append(paid - clean)
    assert min(found) > -1e-6
    assert np.count_nonzero(np.array(found) > 1e-3) > 10
    assert max(found) < 0.05


def test_observation_does_not_depend_on_which_way_the_humanoid_faces() -> None:
    env = make()
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(5):
        env.step(rng.normal(0, 0.3, 28).clip(-1, 1).astype(np.float32))
    before = env._observation()
    turn = 0.7
    half = np.array([np.cos(turn / 2), 0, 0, np.sin(turn / 2)])
    turned = np.zeros(4)
    mujoco.mju_mulQuat(turned, half, env.data.qpos[3:7])
    env.data.qpos[3:7] = turned
    c, s = np.cos(turn), np.sin(turn)
    x, y = env.data.qvel[:2]
    env.data.qvel[:2] = c * x - s * y, s * x + c * y
    mujoco.mj_step1(env.model, env.data)
    after = env._observation()
    towards_reference = [6, 7, 8, 9]  # where the reference is, and how it faces
    kept = np.delete(np.arange(72), towards_reference)
    np.testing.assert_allclose(after[kept], before[kept], atol=1e-12)
    error = np.arctan2(before[9], before[8]) - np.arctan2(after[9], after[8])
    assert error == pytest.approx(turn)


def test_heading_and_angles_hold_at_their_edges() -> None:
    upside_down = np.array([0.0, 1.0, 0.0, 0.0])
    assert heading(upside_down) == (1.0, 0.0)
    one = np.array([1.0, 0, 0, 0])
    assert angles(one, -one) == 0
    assert angles(one, np.array([np.cos(0.5e-4), np.sin(0.5e-4), 0, 0])) == pytest.approx(1e-4)
    assert angles(one, upside_down) == pytest.approx(np.pi)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"motion": "getup_faceup"},
        {"motion": "run", "reward": "config_scaled", "reward_noise": 0.1},
        {"action": "absolute", "reward": "constant"},
    ],
    ids=str,
)
def test_batch_equals_the_single_environment_over_600_steps_with_resets(
    arguments: dict[str, Any],
) -> None:
    if not OLD_PYTHON:
        arguments.pop("motion", None)
    worlds = 3
    batch = make_batch("DPEnv-v0", worlds, arguments)
    assert isinstance(batch, MujocoBatch)
    single = GymBatch([gymnasium.make("DPEnv-v0", **arguments) for _ in range(worlds)], batch.facts)
    assert batch.facts.horizon == HORIZON
    np.testing.assert_allclose(batch.reset(5), single.reset(5), atol=1e-10)
    rng = np.random.default_rng(0)
    ends = 0
    for _ in range(600):
        action = rng.normal(0, 0.3, (worlds, 28)).clip(-1, 1).astype(np.float32)
        mine, theirs = batch.step(action), single.step(action)
        np.testing.assert_allclose(mine.observation, theirs.observation, atol=1e-10)
        np.testing.assert_allclose(mine.reward, theirs.reward, atol=1e-10)
        np.testing.assert_array_equal(mine.terminated, theirs.terminated)
        np.testing.assert_array_equal(mine.truncated, theirs.truncated)
        assert mine.reward_terms.keys() == theirs.reward_terms.keys()
        for name, term in mine.reward_terms.items():
            np.testing.assert_allclose(term, theirs.reward_terms[name], atol=1e-10)
        assert mine.final_observation.keys() == theirs.final_observation.keys()
        for world, reached in mine.final_observation.items():
            np.testing.assert_allclose(reached, theirs.final_observation[world], atol=1e-10)
            ends += 1
    assert ends > 10


@pytest.mark.parametrize("limit", [40, 1000, -1])
def test_a_time_limit_of_ones_own_holds_in_the_batch_as_in_the_single_environment(
    limit: int,
) -> None:
    arguments: dict[str, Any] = {"motion": "gait", "max_episode_steps": limit}
    batch, single = make_batch("DPEnv-v0", 1, arguments), gymnasium.make("DPEnv-v0", **arguments)
    assert isinstance(batch, MujocoBatch)
    batch.reset(0)
    single.reset(seed=0)
    expected = 40 if limit == 40 else HORIZON
    assert batch.facts.horizon == expected
    env = single.unwrapped
    assert isinstance(env, DPEnv)
    ends = []
    for step in range(1, expected + 1):
        both = (env._now(), batch._now)
        row = row_of(env)
        for now in both:  # carried along the reference
            now["qpos"][0] = env.task.reference.fields["qpos"][row]
            now["qvel"][0] = env.task.reference.fields["qvel"][row]
        _, _, terminated, truncated, _ = single.step(np.zeros(28, np.float32))
        mine = batch.step(np.zeros((1, 28), np.float32))
        ends.append(
            (step, terminated, truncated, bool(mine.terminated[0]), bool(mine.truncated[0]))
        )
        if any(ends[-1][1:]):
            break
    assert ends[-1] == (expected, False, True, False, True)


@pytest.mark.parametrize("action", [0.0, np.zeros(27), np.zeros((1, 28)), None], ids=str)
def test_an_action_of_another_shape_is_told(action: Any) -> None:
    env = make()
    env.reset(seed=0)
    with pytest.raises(UserError, match=r"an action of shape .*: DPEnv-v0 takes \(28,\)"):
        env.step(action)


def test_a_restored_batch_goes_on_as_the_one_it_was_taken_from() -> None:
    batches = [make_batch("DPEnv-v0", 3, {"reward_noise": 0.1}) for _ in range(2)]
    rng = np.random.default_rng(0)
    for batch in batches:
        batch.reset(1)
    for _ in range(25):
        batches[0].step(rng.normal(0, 0.3, (3, 28)).clip(-1, 1).astype(np.float32))
    state = batches[0].state()
    assert state is not None
    batches[1].restore(state)
    for _ in range(60):
        action = rng.normal(0, 0.3, (3, 28)).clip(-1, 1).astype(np.float32)
        first, second = (batch.step(action) for batch in batches)
        np.testing.assert_array_equal(first.observation, second.observation)
        np.testing.assert_array_equal(first.reward, second.reward)


def test_a_restored_environment_goes_on_as_the_one_it_was_taken_from() -> None:
    one, other = make(), make()
    one.reset(seed=0)
    other.reset(seed=9)
    action = np.full(28, 0.1, np.float32)
    for _ in range(5):
        one.step(action)
    other.restore_state(one.save_state())
    for _ in range(10):
        np.testing.assert_array_equal(one.step(action)[0], other.step(action)[0])


def test_first_episodes_are_staggered_over_the_horizon() -> None:
    assert first_limits(3, HORIZON).tolist() == [200, 400, 600]


def frames(n: int = 3) -> list[list[float]]:
    """A standing pose, slowly moving forward."""
    joints = [1.0, 0, 0, 0]
    pose = [
        x
        for part in JOINTS
        for x in (joints if part.joint == "ball" else [-0.1 if "knee" in part.name else 0.1])
    ]
    return [[0.5, 0.1 * i, STANDING_HEIGHT, 0.0, *joints, *pose] for i in range(n)]


def write(path: Path, content: Any) -> str:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_a_clip_file_of_ones_own_is_imitated(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.txt", {"Loop": "wrap", "Frames": frames()})
    of = clip(file)
    assert (of.name, of.duration, of.loops) == ("mine", 1.0, True)
    np.testing.assert_allclose(of.stride, [0.2, 0.0])
    env = make(motion=file)
    env.reset(seed=0)
    assert env.step(np.zeros(28, np.float32))[1] > 5


def test_a_clip_that_does_not_loop_is_held_at_its_end(tmp_path: Path) -> None:
    file = write(tmp_path / "once.json", {"Loop": "none", "Frames": frames()})
    rows = reference(file)
    np.testing.assert_array_equal(rows.fields["qpos"][40], rows.fields["qpos"][400])
    assert not rows.fields["qvel"][40].any()
    assert rows.phase[400] == 1
    env = make(motion=file)
    seen = []
    for row in (0, 400):
        env._begin(env.task.start(row))
        seen.append(env._observation()[10:12])
    np.testing.assert_allclose(seen, [[1, 0], [-1, 0]], atol=1e-12)  # the phase tells them apart


def test_a_clip_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text(json.dumps({"Frames": frames()}), encoding="utf-8-sig")
    assert clip(str(file)).duration == 1.0


def test_a_clip_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    for length in (3, 5):
        file = write(tmp_path / "mine.txt", {"Frames": frames(length)})
        assert make(motion=file).task.reference.clip.duration == (length - 1) / 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("{", "not readable as JSON"),
        ([1, 2], 'no list "Frames"'),
        ({"Frames": frames(), "Loop": "maybe"}, "\"Loop\" is 'maybe'"),
        ({"Frames": frames(1)}, "1 of the two frames a motion has at least"),
        ({"Frames": [*frames(2), [0.1, 2]]}, "frame 3 of 3: 2 numbers instead of 44"),
        ({"Frames": [frames()[0], "x"]}, "frame 2 of 2: not a list of numbers"),
        ({"Frames": [[0.0, *frames()[0][1:]], *frames(2)]}, "frame 1 of 3: a duration of 0 s"),
        ({"Frames": [[3e4, *frame[1:]] for frame in frames()]}, "it lasts 60000 s, not 0.033 to"),
        ({"Frames": [[1e-9, *frame[1:]] for frame in frames()]}, "it lasts 2e-09 s"),
        (
            {"Frames": [[0.1, float("nan"), *frames()[0][2:]], *frames(2)]},
            "frame 1 of 3: a number is not finite",
        ),
        (
            {"Frames": [*frames(2), [*frames()[0][:8], 0.0, 0.0, 0.0, 0.0, *frames()[0][12:]]]},
            "frame 3 of 3: the quaternion of chest is not of length 1",
        ),
    ],
)
def test_a_malformed_clip_is_told_in_one_line_with_the_frame(
    tmp_path: Path, change: Any, told: str
) -> None:
    file = write(tmp_path / "bad.txt", change)
    with pytest.raises(UserError) as error:
        make(motion=file)
    assert told in str(error.value)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"motion": "wlak"}, "no motion 'wlak'"),
        ({"motion": "no/such/file.txt"}, "there is no such file"),
        ({"motion": 3}, "motion is 3: name a clip or a file"),
        ({"motion": "humanoid3d_Gate"}, "did you mean gait?"),
        ({"motion": "x" * 5000}, "File name too long"),
        ({"reward": "best"}, "reward is 'best': it is one of deepmimic, config_scaled"),
        ({"reward": ["deepmimic"]}, "reward is ['deepmimic']: it is one of deepmimic"),
        ({"reward_noise": -1}, "reward_noise is -1: it must be a number of at least 0"),
        ({"action": "torque"}, "action is 'torque': it is one of residual, absolute"),
        ({"action_scale": "big"}, "action_scale is 'big'"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as error:
        make(**arguments)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_without_the_extra_a_clips_name_tells_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(motion, "files", dict)
    with pytest.raises(
        UserError, match=r"no motion 'walk'; only gait needs no file: .*motion=FILE"
    ):
        clip("walk")


def test_a_mistyped_motion_is_answered_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion, "files", lambda: {"walk": Path("walk.txt")})
    with pytest.raises(UserError, match="did you mean walk"):
        clip("wlak")

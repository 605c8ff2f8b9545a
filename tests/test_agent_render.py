"""`trpo-tui render`: films of trained policies and of environments, and what is said where none can be."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box
from PIL import Image

from agent import checkpoint, render_gl
from agent.__main__ import main
from agent.config import Config
from agent.envs.dp_env import DPEnv
from agent.render_files import write
from agent.render_film import PAUSE, Film, acted, evenly, film, in_time, played
from agent.trained import trained
from agent.training import Training
from runlog.errors import UserError
from runlog.writer import RunLog

Cli = Callable[..., subprocess.CompletedProcess[str]]
PAINTED, BLIND = "Painted-v0", "Blind-v0"


class Painted(gymnasium.Env[Any, Any]):
    """A bar that grows by the action; an episode ends after `length` steps. 10 steps a second."""

    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, render_mode: str | None = None, length: int = 7, dim: int = 2) -> None:
        self.render_mode, self.length = render_mode, length
        self.observation_space = Box(-9, 9, (dim,), np.float64)
        self.action_space = Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place, self.age = self.np_random.uniform(1.0, 2.0), 0
        return self.seen(), {}

    def seen(self) -> Any:
        return np.full(self.observation_space.shape or (), self.place)

    def step(self, action: Any) -> Any:
        print("hello from the environment")
        self.place += float(action[0])
        self.age += 1
        return self.seen(), 1.5, self.age == self.length, False, {}

    def render(self) -> Any:
        picture = np.zeros((60, 100, 3), np.uint8)
        picture[:, : int(abs(10 * self.place)) % 100] = (0, 120, 255)
        picture[self.age] = 255
        return picture


class Blind(Painted):
    metadata: ClassVar = {"render_modes": ["human"]}


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    gymnasium.register(PAINTED, Painted)
    gymnasium.register(BLIND, Blind)
    yield
    del gymnasium.registry[PAINTED], gymnasium.registry[BLIND]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two iterations with a checkpoint of each, and of the start."""
    config = Config(env=PAINTED, iterations=2, steps_per_iteration=64, environments=2)
    training, folder = Training.from_config(config), tmp_path / "trained"
    with RunLog(folder, **training.metadata) as log:
        checkpoint.save(folder, training.snapshot())
        for row in training:
            log.iteration(**row)
            checkpoint.save(folder, training.snapshot())
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("MUJOCO_GL", os.environ.get("MUJOCO_GL", ""))  # set, and put back
    return tmp_path


def refused(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a refused command says."""
    capsys.readouterr()
    assert main(["render", *map(str, arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    line = said.err.removeprefix("trpo-tui render: ")
    assert line != said.err
    assert line.count("\n") == 1
    return line


def frames_of(path: Path) -> list[tuple[Any, int]]:
    """Pictures of a GIF and the ms that each stands."""
    with Image.open(path) as image:
        found = []
        for k in range(getattr(image, "n_frames", 1)):
            image.seek(k)
            found.append((np.array(image.convert("RGB")), int(image.info["duration"])))
        return found


def test_a_gif_keeps_the_environments_time(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", PAINTED, "--seconds", "0.6", "-o", "bar.gif"]) == 0

    frames = frames_of(here / "bar.gif")

    assert [stands for _, stands in frames] == [100] * 6
    assert frames[0][0].shape == (60, 100, 3)
    assert "hello" not in capsys.readouterr().out


def test_the_line_tells_what_was_written_and_what_it_returned(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", PAINTED, "--seconds", "1"]) == 0

    size = (here / "Painted-v0.gif").stat().st_size
    assert capsys.readouterr().out == (
        f"Painted-v0.gif: {size / 1000:.0f} kB, 10 pictures of 100x60, 1.0 s;"
        " zero actions: return 10.5 in 7 steps; 1.5 in 1 steps (goes on)\n"
    )


def test_a_file_that_is_there_is_not_replaced_silently(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["render", PAINTED, "--seconds", "0.2"]
    main(arguments)
    main(arguments)

    first, second = capsys.readouterr().out.splitlines()

    assert "replaced" not in first
    assert second.startswith("Painted-v0.gif (replaced): ")


def test_a_png_has_the_pictures_side_by_side(here: Path) -> None:
    assert main(["render", PAINTED, "--seconds", "0.7", "--frames", "3", "-o", "bar.png"]) == 0

    with Image.open(here / "bar.png") as strip:
        pixels = np.array(strip)

    assert pixels.shape == (60, 3 * 100 + 2 * 2, 3)
    ages = [int(np.argmax((pixels[:, at + 99] == 255).all(axis=1))) for at in (0, 102, 204)]
    assert ages == [0, 3, 6]


def test_pictures_larger_than_the_size_keep_their_proportions(here: Path) -> None:
    assert main(["render", PAINTED, "--seconds", "0.2", "--size", "50x50", "-o", "bar.gif"]) == 0

    assert frames_of(here / "bar.gif")[0][0].shape == (30, 50, 3)


def test_random_actions_are_those_of_the_seed(here: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        main(["render", PAINTED, "--random", "--seconds", "1", "--seed", seed, "-o", f"{name}.gif"])

    a, b, c = ((here / f"{name}.gif").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_run_is_shown_with_its_policys_mean_action_and_its_normaliser(
    run: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", str(run), "--seconds", "0.5", "--seed", "3", "-o", "bar.gif"]) == 0
    capsys.readouterr()
    snapshot, world = checkpoint.latest(run)[0], Painted("rgb_array")
    config = Config(env=PAINTED, environments=1, iterations=2)
    training = Training.from_config(config)
    training.restore(snapshot | {"environments": None})
    assert training.normaliser is not None
    observation, _ = world.reset(seed=3)
    pictures = [world.render()]
    for _ in range(4):
        seen = (observation - training.normaliser.mean) * training.normaliser.factor
        mean, _ = training.policy.actor()(seen[None].astype(np.float32))
        observation, *_ = world.step(np.clip(mean[0], -1, 1))
        pictures.append(world.render())

    shown = [picture for picture, _ in frames_of(here / "bar.gif")]

    assert len(shown) == len(pictures)
    for ours, theirs in zip(shown, pictures, strict=True):
        assert np.abs(ours.astype(int) - theirs).max() <= 8  # as near as the colours of a GIF are


def test_another_checkpoint_is_chosen_by_its_iteration(run: Path) -> None:
    by_iteration = {number: trained(run, number) for number in (0, 1, 2)}
    observation = np.array([1.5, 1.5])

    actions = [policy.act(observation).tolist() for policy in by_iteration.values()]

    assert [policy.iteration for policy in by_iteration.values()] == [0, 1, 2]
    assert trained(run).iteration == 2
    assert len({tuple(action) for action in actions}) == 3
    with pytest.raises(
        UserError, match=r"no checkpoint of iteration 7; there are those of 0, 1, 2"
    ):
        trained(run, 7)


def test_what_cannot_be_filmed_is_said_in_one_line(
    run: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "bare").mkdir()

    def says(*arguments: str | Path) -> str:
        return refused(*arguments, capsys=capsys)

    assert 'no pictures: its render modes are human; a film needs "rgb_array"' in says(BLIND)
    assert "did you mean" in says("Hoper-v5")
    assert "runs/none: there is no run, and no environment" in says("runs/none")
    assert "bare: no run there" in says(here / "bare")
    assert "for an environment, not for a run" in says(run, "--random")
    assert "imitates no motion" in says(PAINTED, "--reference")
    assert "--iteration is for a run" in says(PAINTED, "--iteration", "3")
    assert "observations of 2 numbers; with this --env-arg they have 3" in says(
        run, "--env-arg", "dim=3"
    )
    assert "does not take --env-arg" in says(PAINTED, "--env-arg", "colour=red")
    assert "ends in .gif, or in .png" in says(PAINTED, "-o", "bar.mp4")
    assert "there is no folder" in says(PAINTED, "-o", "no/bar.gif")
    assert "--frames is for a row of pictures" in says(PAINTED, "--frames", "3")
    assert "did you mean --random" in says(PAINTED, "--randm")
    assert "WIDTHxHEIGHT" in says(PAINTED, "--size", "big")
    assert "must be from 1 to 50" in says(PAINTED, "--fps", "51")
    assert [path.name for path in here.iterdir() if path.suffix in (".gif", ".png")] == []


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    picture = np.zeros((20, 20, 3), np.uint8)
    (tmp_path / "taken.gif").mkdir()
    with pytest.raises(UserError, match=r"taken\.gif: "):
        write(
            Film(pictures=(picture,), seconds=(1.0,), episodes=()), tmp_path / "taken.gif", (9, 9)
        )

    assert [path.name for path in tmp_path.iterdir()] == ["taken.gif"]


def test_fewer_pictures_than_steps_are_spread_evenly_in_time() -> None:
    assert in_time(10, rate=125, fps=25) == [0, 5]
    assert in_time(6, rate=30, fps=20) == [0, 2, 3, 5]
    assert in_time(4, rate=20, fps=50) == [0, 1, 2, 3]
    assert evenly(101, 5) == [0, 25, 50, 75, 100]
    assert evenly(3, 6) == [0, 1, 2]


def test_the_last_picture_of_an_episode_stands_longer() -> None:
    world = Painted("rgb_array", length=2)

    filmed = film(world, acted(world, lambda _: np.zeros(1), 0), 4, [0, 1, 2, 3])

    assert np.allclose(filmed.seconds, [0.1, 0.1, 0.1 + PAUSE, 0.1])
    assert [(each.total, each.length, each.over) for each in filmed.episodes] == [
        (3.0, 2, True),
        (0.0, 0, False),
    ]


def test_a_played_motion_pays_ten_a_step() -> None:
    moments = list(islice(played(DPEnv()), 40))

    assert np.allclose([moment.reward for moment in moments], 10.0, atol=1e-6)
    assert not any(moment.over for moment in moments)


def test_egl_is_chosen_where_nobody_chose_and_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(render_gl, "_loads", lambda library: True)
    monkeypatch.setenv("MUJOCO_GL", "")
    render_gl.choose()
    assert os.environ["MUJOCO_GL"] == "egl"

    monkeypatch.setenv("MUJOCO_GL", "glfw")
    render_gl.choose()
    assert os.environ["MUJOCO_GL"] == "glfw"


def test_a_missing_library_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(render_gl, "_loads", lambda library: False)
    monkeypatch.setattr(render_gl, "find_library", lambda name: None)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MUJOCO_GL", "")
    render_gl.choose()
    with pytest.raises(UserError, match=r"apt-get install libegl1 .*MUJOCO_GL=osmesa"):
        render_gl.require()
    for chosen, missing in (("egl", "libEGL"), ("osmesa", "libOSMesa"), ("vulkan", "one of glfw")):
        monkeypatch.setenv("MUJOCO_GL", chosen)
        with pytest.raises(UserError, match=missing):
            render_gl.choose()


@pytest.mark.system
def test_the_humanoid_and_its_reference_are_drawn_without_a_screen(
    cli: Cli, tmp_path: Path
) -> None:
    unset = {"MUJOCO_GL": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""}

    film = cli("render", "DPEnv", "--seconds", "0.5", "-o", "both.gif", **unset)
    alone = cli("render", "DPEnv", "--seconds", "0.5", "--reference", "-o", "one.gif", **unset)

    assert (film.returncode, film.stderr) == (0, "")
    assert "15 pictures of 320x240, 0.5 s; zero actions: return" in film.stdout
    assert "the motion gait: return 150.0 in 15 steps" in alone.stdout
    both, one = (frames_of(tmp_path / f"{name}.gif")[0][0].astype(int) for name in ("both", "one"))
    for picture, sandy in ((both, True), (one, False)):
        red, _, blue = np.moveaxis(picture, -1, 0)
        assert ((blue - red) > 60).sum() > 1000  # the humanoid is blue
        assert (((red - blue) > 30).sum() > 1000) == sandy  # the reference is the colour of sand
        edge = np.concatenate((picture[:, :2].reshape(-1, 3), picture[-2:].reshape(-1, 3)))
        assert np.ptp(edge, axis=1).max() < 30  # nobody is cut off


@pytest.mark.system
def test_gymnasiums_own_tasks_are_drawn_in_the_size_asked_for(cli: Cli, tmp_path: Path) -> None:
    done = cli("render", "Hopper-v5", "--size", "96x72", "--seconds", "0.2", "-o", "hop.png")

    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "hop.png") as strip:
        assert strip.size == (6 * 96 + 5 * 2, 72)

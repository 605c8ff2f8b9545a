"""`trpo-tui motions`: the clips there are, and what is wrong with a file of one's own."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent import motions
from agent.__main__ import main
from agent.envs import motion
from agent.envs.humanoid import JOINTS
from agent.envs.motion import NUMBERS, WIDTHS, clip, names

STANDING = [0.05, 0.0, 0.9, 0.0]
Content = dict[str, Any]


def content(frames: int = 5, **others: Any) -> Content:
    """Somebody who glides forward at 1 m/s, in DeepMimic's form."""
    pose = [1.0, 0.0, 0.0, 0.0]
    for part in JOINTS:
        pose += [1.0, 0.0, 0.0, 0.0] if WIDTHS[part.joint] == 4 else [0.0]
    rows = [[0.05, 0.05 * i, *STANDING[2:], *pose] for i in range(frames)]
    assert len(rows[0]) == NUMBERS
    return {"Loop": "wrap", "Frames": rows} | others


def written(folder: Path, what: Mapping[str, Any] | str, name: str = "mine.txt") -> str:
    path = folder / name
    path.write_text(what if isinstance(what, str) else json.dumps(what), encoding="utf-8")
    return str(path)


def rows(text: str) -> dict[str, list[str]]:
    """The table's words by name."""
    lines = text.splitlines()
    table = lines[1 : lines.index("")] if "" in lines else lines[1:]
    return {line.split()[0]: line.split()[1:] for line in table}


def test_every_motion_there_is_is_listed_with_its_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["motions"]) == 0

    lines = capsys.readouterr().out
    listed = rows(lines)
    assert list(listed) == list(names())
    assert max(map(len, lines.splitlines())) <= 80
    for name, (frames, length, _, loop, speed, _, *origin) in listed.items():
        of = clip(name)
        assert (int(frames), loop) == (len(of.qpos), "yes" if of.loops else "no")
        assert float(length) == pytest.approx(of.duration, abs=0.005)
        assert float(speed) == pytest.approx(np.hypot(*of.stride) / of.duration, abs=0.005)
        assert " ".join(origin) == ("built in" if name == "gait" else "DeepMimic (pybullet)")


def test_without_the_extra_one_line_tells_how_to_get_the_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (motion, motions):
        monkeypatch.setattr(module, "files", dict)

    assert main(["motions"]) == 0

    out = capsys.readouterr().out
    assert list(rows(out)) == ["gait"]
    how = "no wheel for Python 3.12" if sys.version_info >= (3, 12) else "trpo-tui[mocap]"
    assert how in out.splitlines()[-1]
    assert "motion=FILE" in out.splitlines()[-1]


def test_a_file_of_ones_own_is_listed_by_its_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, content())

    assert main(["motions", path]) == 0

    captured = capsys.readouterr()
    assert rows(captured.out) == {
        path: ["5", "0.20", "s", "yes", "1.00", "m/s", "a", "file"],
    }
    assert captured.err == ""


def broken(change: Callable[[list[list[Any]]], Any]) -> Content:
    whole = content()
    change(whole["Frames"])
    return whole


WRONG = {
    "no json": ("walk", "not readable as JSON"),
    "deep": ("[" * 200_000, "not readable as JSON"),
    "list": ("[1, 2]", 'no list "Frames" in it'),
    "loop": (content(Loop="often"), "\"Loop\" is 'often'"),
    "single": (content(frames=1), "1 of the two frames"),
    "short": (broken(lambda f: f[2].pop()), f"frame 3 of 5: {NUMBERS - 1} numbers instead of"),
    "text": (broken(lambda f: f[1].__setitem__(9, "left")), "frame 2 of 5: not a list of numbers"),
    "nan": (broken(lambda f: f[3].__setitem__(9, float("nan"))), "frame 4 of 5: a number is not"),
    "huge": (broken(lambda f: f[3].__setitem__(9, 10**400)), "frame 4 of 5: a number is not"),
    "still": (broken(lambda f: f[0].__setitem__(0, 0)), "frame 1 of 5: a duration of 0 s"),
    "zeros": (broken(lambda f: f[4].__setitem__(4, 0)), "frame 5 of 5: the quaternion of root"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_cannot_be_imitated_is_one_line_that_names_the_frame(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, message = WRONG[what]
    path = written(tmp_path, made)

    assert main(["motions", path]) == 2

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"trpo-tui motions: motion {path}: ")
    assert message in err


def test_a_broken_file_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = written(tmp_path, content(), "good.txt")
    bad = written(tmp_path, "{}", "bad.txt")

    assert main(["motions", bad, good, str(tmp_path / "missing.txt"), "gait"]) == 2

    out, err = capsys.readouterr()
    assert list(rows(out)) == [good, "gait"]
    assert [line.split(": ")[2] for line in err.splitlines()] == [
        'no list "Frames" in it',
        "there is no such file",
    ]


def test_what_looks_odd_in_a_file_is_told_with_its_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = NUMBERS - 1  # the left elbow
    jumps = written(tmp_path, broken(lambda f: f[4].__setitem__(at, 1.2)), "jumps.txt")
    sinks = written(tmp_path, broken(lambda f: f[2].__setitem__(2, 0.5)), "sinks.txt")

    assert main(["motions", jumps, sinks]) == 0

    out = capsys.readouterr().out
    assert f"{jumps}: the loop jumps by 1.2 rad" in out
    assert f"{sinks}: frame 3: a body is 0.3" in out


def test_a_motion_high_above_the_ground_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    high = content()
    for row in high["Frames"]:
        row[2] *= 100  # in cm
    file = written(tmp_path, high)

    assert main(["motions", file]) == 0

    assert f"{file}: it never comes nearer to the ground than 89.15 m" in capsys.readouterr().out


def test_a_misspelt_name_is_answered_with_what_there_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["motions", "gaitt"]) == 2

    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no motion 'gaitt'" in err
    assert "gait" in err.replace("gaitt", "")

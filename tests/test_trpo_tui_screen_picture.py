"""The picture of the Monitor."""

import subprocess
import sys

from runlog.writer import RunLog


def _draw(*arguments, zone):
    command = [sys.executable, "-m", "trpo_tui.picture", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={"TZ": zone}, check=False)


def test_the_picture_of_a_run_is_the_same_everywhere(tmp_path):
    with RunLog(tmp_path / "run-17", env_id="Hopper-v5") as log:
        for i in range(12):
            log.iteration(episode_return_mean=float(i), kl=0.009, max_kl=0.01, time=1.7e9 + i)
    pictures = []
    for zone in ("UTC", "Asia/Tokyo"):
        out = tmp_path / f"{zone.replace('/', '-')}.svg"
        done = _draw(tmp_path / "run-17", out, "80x24", zone=zone)
        assert done.returncode == 0, done.stderr
        pictures.append(out.read_text(encoding="utf-8"))
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith("<svg")
    for said in ("run-17", "Hopper-v5", "episode_return_mean", "2023-11-14"):
        assert said in pictures[0]


def test_a_picture_of_nothing_is_one_clear_line(tmp_path):
    done = _draw(tmp_path / "nothing", tmp_path / "out.svg", zone="UTC")
    assert done.returncode == 2
    assert "no such file" in done.stderr
    assert "Traceback" not in done.stderr

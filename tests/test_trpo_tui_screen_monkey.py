"""Random keys and resizes over real runs, one of them growing: no crash, no long hang.

TRPO_TUI_MONKEY=10000 presses as many keys as the screen is judged by.
"""

import asyncio
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

from trpo_tui.actions import ACTIONS
from trpo_tui.application import WatchApp
from trpo_tui.terminal import clip

PRESSES = int(os.environ.get("TRPO_TUI_MONKEY", "700"))
JUDGED = PRESSES >= 10_000
HANG = 0.2 if JUDGED else 3.0
"""Seconds the screen may be deaf; in a test beside others on a busy machine, not to hang at all."""
SAMPLES = Path(__file__).parent.parent / "sample_logs"
KEYS = sorted({key for action in ACTIONS for key in action.keys} - {"q", "ctrl+c"})
TYPED = [*"0123456789%:!xkl", "backspace", "enter", "escape", "ctrl+u", "f5", "delete"]
BEAT, PACE = 0.01, 0.02
"""Seconds between two beats of the heart, and between two keys: faster than a key repeats."""


GROW = """
import random, sys, time
from runlog import RunLog
chance = random.Random(1)
odd = [float("nan"), float("inf"), -1e30, 1e30, 1e-320, None, 0.0]
with RunLog(sys.argv[1], env_id="Hopper-v5") as log:
    for number in range(1, 1_000_000):
        value = chance.choice(odd) if chance.random() < 0.3 else chance.gauss(0, 1)
        log.iteration(
            iteration=number, kl=value, max_kl=0.01, episode_return_mean=value,
            gradient_norm=chance.random(), line_search_fractions=[1.0, 0.5],
            line_search_kls=[0.1, value], line_search_gains=[value, 0.1],
            cg_residuals=[1.0, 1e-3], episode_returns=[value, 1.0, 2.0],
        )
        time.sleep(0.05)
"""
"""A run with NaN, huge numbers, nulls and every list, until it is ended."""


async def beats(late):
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(BEAT)
        late.append(time.perf_counter() - begun - BEAT)


def test_random_keys_and_resizes_break_nothing_and_never_deafen_the_screen(tmp_path, monkeypatch):
    for name in ("TRPO501-line-search-failure", "healthy-walk"):
        shutil.copytree(SAMPLES / name, tmp_path / name)
    monkeypatch.setattr("trpo_tui.exports.clip", lambda text, **how: "copied")
    assert callable(clip)
    monkeypatch.setattr("trpo_tui.exports.beside", lambda path, name: tmp_path / "out")
    writer = subprocess.Popen([sys.executable, "-c", GROW, str(tmp_path / "growing")])
    while not (tmp_path / "growing" / "run.json").exists():
        assert writer.poll() is None
        time.sleep(0.1)
    chance, late = random.Random(2026), []

    async def go():
        app = WatchApp(str(tmp_path / "growing"), folder=str(tmp_path))
        async with app.run_test(size=(80, 24)) as pilot:
            heart = asyncio.create_task(beats(late))
            for step in range(PRESSES):
                key = chance.choice(KEYS if chance.random() < 0.8 else TYPED)
                app.post_message(_key(key))
                await asyncio.sleep(PACE)
                if step % 25 == 24:
                    size = chance.randint(10, 200), chance.randint(3, 60)
                    await pilot.resize_terminal(*size)
                if step % 50 == 49:
                    await pilot.pause()
            await pilot.pause()
            heart.cancel()
            assert app.failure is None
            assert app.is_running
        return app

    try:
        asyncio.run(go())
    finally:
        writer.kill()
        writer.wait()
    late.sort()
    print(
        f"{PRESSES} keys, {len(late)} beats, the latest {[round(1e3 * beat) for beat in late[-6:]]} ms late"
    )
    assert late[-1] <= HANG


def _key(name):
    from textual.events import Key

    spelt = {"space": " ", "plus": "+", "minus": "-", "comma": ",", "full_stop": "."}
    return Key(name, spelt.get(name, name if len(name) == 1 else None))

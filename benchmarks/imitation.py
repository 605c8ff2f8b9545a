"""How well the humanoid learns to imitate, and how fast it is stepped.

    python benchmarks/imitation.py speed             closed loop beside bare physics, in turns
    python benchmarks/imitation.py train --steps 20000000 --hours 3      walk and run, resumable
    python benchmarks/imitation.py report            evaluate what is there, print the table
    python benchmarks/imitation.py speed --record    also write into RESULTS.md (report too)

Runs lie in benchmarks/out/imitation/MOTION; a second `train` goes on where the first stopped. The
table is of the last checkpoints: deterministic actions, frozen normaliser, episodes that start
anywhere on the reference, beside what zero and random actions get on the same starts.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import beside  # noqa: F401
import gymnasium
import numpy as np
from evaluation import FIRST_EPISODE, evaluate
from results import replace_section

import agent.envs  # noqa: F401 registers DPEnv
from agent.envs.gym import make_batch
from agent.envs.reference import HORIZON
from agent.networks import GaussianMLP, Policy
from agent.sampling import normalised
from runlog import open_run

HERE = Path(__file__).resolve().parent
OUT = HERE / "out" / "imitation"
ENV_ID, MOST = "DPEnv-v0", 10.0 * HORIZON
MOTIONS = ("walk", "run")
DEEPMIMIC = {"walk": 0.985, "run": 0.951}
"""Normalised returns of its humanoid (arXiv 1804.02717, table 3), after 60 million steps or more."""
NOTES = """\
Returns of whole episodes, 6,000 at most; "training" is with the noise of the policy, the mean of ten \
iterations; "evaluated" without, of 20 episodes; "normalised" is that over 6,000. DeepMimic's numbers \
are context, not the same measure: its end effectors pay exp(-10·Σ) in its latest code where these pay \
exp(-40·Σ) as the paper writes it, its reference follows the humanoid at each new cycle where this one \
keeps to its own way, and it trained for three times as many steps or more. The preset was tuned on \
walk, with the seed of these runs."""
EPISODES = 20
BASELINE_EPISODES = 200
WORLDS, STEPS, ROUNDS = 32, 150, 7


def control_steps_a_second() -> dict[str, list[float]]:
    """Control steps a second, by round: bare physics, environment alone, closed loop."""
    import torch

    torch.set_num_threads(1)
    # Any: its physics is stepped alone too
    batch: Any = make_batch(ENV_ID, WORLDS, {"motion": "walk"})
    facts = batch.facts
    module = GaussianMLP(facts.observation_dim, facts.action_dim, (128, 128), log_std=-2.0)
    act = Policy(module, facts.action_dim).actor()
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((STEPS, WORLDS, facts.action_dim)).astype(np.float32) * 0.135

    def environment(*, closed: bool) -> None:
        observation = batch.reset(0)
        for k in range(STEPS):
            mean = act(normalised(observation, None))[0] if closed else 0.0
            action = np.clip(mean + noise[k], -1, 1).astype(np.float32)
            observation = batch.step(action).observation

    def physics() -> None:
        for k in range(STEPS):
            if k % 20 == 0:
                batch.reset(0)  # standing, as the loops above are: lying bodies touch more
            batch._physics.step(nstep=batch._skip, stage=batch._after)

    kinds: dict[str, Callable[[], None]] = {
        "physics": physics,
        "environment": lambda: environment(closed=False),
        "closed loop": lambda: environment(closed=True),
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for turn in range(ROUNDS + 1):
        for name, run in kinds.items():
            begun = time.perf_counter()
            run()
            if turn:  # the first is for warming up
                found[name].append(WORLDS * STEPS / (time.perf_counter() - begun))
    return found


def speed_table(found: dict[str, list[float]]) -> str:
    """Medians of the rounds, and the median of the rounds' ratios, as Markdown."""
    physics = np.array(found["physics"])
    lines = ["| | control steps/s | of bare physics |", "|---|---|---|"]
    for name, rates in found.items():
        ratio = np.array(rates) / physics
        lines.append(
            f"| {name} | {np.median(rates):,.0f} ({min(rates):,.0f} … {max(rates):,.0f})"
            f" | {np.median(ratio):.2f} ({ratio.min():.2f} … {ratio.max():.2f}) |"
        )
    return "\n".join(lines)


def train(motion: str, steps: int, hours: float) -> None:
    """Train, or go on training, until so many steps are done or the time is up."""
    run = OUT / motion
    command = [sys.executable, "-m", "trpo_tui", "train"]
    if (run / "checkpoints").exists():
        command += ["--resume", str(run)]
    else:
        command += ["--env", ENV_ID, "--env-arg", f"motion={motion}", "--preset", "tuned"]
        command += ["--out", str(run)]
    command += ["--steps", str(steps)]
    output = run.with_suffix(".txt")
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("a") as stream:
        child = subprocess.Popen(
            command, stdout=stream, stderr=stream, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        try:
            child.wait(timeout=hours * 3600)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGTERM)
            child.wait()
    if child.returncode not in (0, 128 + signal.SIGTERM):
        raise SystemExit(f"{motion}: exit {child.returncode}, see {output}")


def untrained(motion: str, *, random: bool) -> tuple[float, float]:
    """Mean return and length of episodes with zero or uniformly random actions."""
    env = gymnasium.make(ENV_ID, motion=motion)
    env.action_space.seed(0)
    returns, lengths = [], []
    for episode in range(BASELINE_EPISODES):
        env.reset(seed=FIRST_EPISODE + episode)
        total, length, over = 0.0, 0, False
        while not over:
            action = env.action_space.sample() if random else np.zeros(28, np.float32)
            _, reward, terminated, truncated, _ = env.step(action)
            total, length, over = total + float(reward), length + 1, terminated or truncated
        returns.append(total)
        lengths.append(length)
    return float(np.mean(returns)), float(np.mean(lengths))


def reached_within(run: Any, steps: int) -> tuple[float, float]:
    """Mean return and length of the last ten iterations within so many steps of training."""
    rows = np.flatnonzero(run.column("timesteps").values <= steps)[-10:]
    means = (run.column(f"episode_{kind}_mean").values[rows] for kind in ("return", "length"))
    total, length = (float(np.nanmean(each)) for each in means)
    return total, length


def report() -> str:
    """What zero and random actions and the trained policies get, as Markdown."""
    lines = [
        "| motion | zero actions: return / steps | random | training at 2M steps | of the better |"
        " trained for | evaluated return | normalised | DeepMimic |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for motion in MOTIONS:
        if not (OUT / motion / "checkpoints").exists():
            continue
        run = open_run(OUT / motion)
        zero, chance = (untrained(motion, random=random) for random in (False, True))
        early = reached_within(run, 2_000_000)
        times = [early[k] / max(zero[k], chance[k]) for k in range(2)]
        returns = np.array(evaluate(OUT / motion, EPISODES))
        lines.append(
            f"| {motion} | {zero[0]:.0f} / {zero[1]:.0f} | {chance[0]:.0f} / {chance[1]:.0f}"
            f" | {early[0]:.0f} / {early[1]:.0f} | {times[0]:.1f}× / {times[1]:.1f}×"
            f" | {run.column('timesteps').values[-1] / 1e6:.1f}M steps"
            f" | {returns.mean():.0f} ± {returns.std():.0f}"
            f" | {returns.mean() / MOST:.3f} | {DEEPMIMIC[motion]} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("speed", "train", "report"))
    parser.add_argument("--motions", nargs="+", default=MOTIONS)
    parser.add_argument("--steps", type=int, default=20_000_000)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--record", action="store_true", help="write into RESULTS.md")
    options = parser.parse_args()
    if options.part == "train":
        for motion in options.motions:
            train(motion, options.steps, options.hours)
        return
    if options.part == "speed":
        title, text = "Speed of DPEnv", speed_table(control_steps_a_second())
        text += f"\n\n{WORLDS} worlds, {STEPS} control steps a round, {ROUNDS} rounds in turns."
    else:
        title, text = "Imitation", f"{report()}\n\n{NOTES}"
    print(text)
    if options.record:
        replace_section(
            title, f"`python benchmarks/imitation.py {options.part} --record`\n\n{text}"
        )


if __name__ == "__main__":
    main()

"""What this agent and sb3-contrib's TRPO reach in 1M steps on six MuJoCo tasks, same seeds.

    python benchmarks/returns.py                      run what is missing, then table and curves
    python benchmarks/returns.py --agents trpo-tui --seeds 0 1 2 --steps 300000    a part
    python benchmarks/returns.py --table              only table and curves of what is there
    python benchmarks/returns.py --table --record     also replace the section in RESULTS.md

Resumable: benchmarks/returns.jsonl holds one line a finished run, and what has a line is not run
again. Final parameters, deterministic actions, frozen normaliser, 20 episodes whose reset seeds are
the same for all. `make peers` sets up sb3-contrib's environment.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import beside  # noqa: F401
import numpy as np

HERE = Path(__file__).resolve().parent
STORED = HERE / "returns.jsonl"
OUT = HERE / "out" / "returns"
SB3 = HERE / "out" / "sb3" / "bin" / "python"
TASKS = ("HalfCheetah-v5", "Hopper-v5", "Walker2d-v5", "Ant-v5", "Swimmer-v5", "Humanoid-v5")
AGENTS = ("trpo-tui", "sb3-contrib")
SEEDS = (100, 101, 102, 103, 104)
LAST_EPISODES = 100
"""Episodes a point of a learning curve is the mean of, as sb3-contrib prints it."""
POINTS = 100
PUBLISHED = {
    "HalfCheetah-v5": "1803 / 1785",
    "Hopper-v5": "3372 / 3618",
    "Walker2d-v5": "4502 / 4933",
    "Ant-v5": "3554 / 4982",
    "Swimmer-v5": "359 / 366",
    "Humanoid-v5": "–",
}
"""sb3-contrib's documentation / RL Zoo, on the -v3 tasks: context, another task."""


RECORDED = """\
`python benchmarks/returns.py --record`: 1M environment steps, final parameters, deterministic \
actions, frozen normaliser, 20 episodes with the same reset seeds for all. This agent: `--preset \
tuned` (agent/presets.toml; tuned on seeds 0 to 2 only, one to three runs a setting). sb3-contrib \
2.9.2: RL Zoo's TRPO settings for MuJoCo, 2 environments of 1,024 steps a batch, observations and \
rewards normalised. (With 16 of 128 instead, seed 100, it reached 1,544 on HalfCheetah and 3,194 on \
Hopper.) Mean ± standard deviation are over the seeds 100 to 104, of each seed's mean over its \
episodes; the column "seeds" says how many of the five are finished, in the order of their numbers, \
none was left out. Published: sb3-contrib's documentation / RL Zoo on the -v3 tasks, for context \
only."""
CURVES = "![Learning curves](returns.png)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One finished run. `returns`: of the evaluation. `curve`: (environment steps, mean return)."""

    agent: str
    task: str
    seed: int
    steps: int
    returns: list[float]
    seconds: float
    settings: dict[str, Any]
    versions: dict[str, str]
    curve: list[list[float]]

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes a run this run."""
        return self.agent, self.task, self.seed


def stored(path: Path) -> list[Result]:
    """Every finished run, in the order they finished."""
    if not path.exists():
        return []
    return [Result(**json.loads(line)) for line in path.read_text().splitlines()]


def trained_here(task: str, seed: int, steps: int, folder: Path, preset: str) -> Result:
    """Train with this agent as a user would, then evaluate."""
    from runlog import open_run

    command = [sys.executable, "-m", "trpo_tui", "train", "--env", task, "--preset", preset]
    command += ["--seed", str(seed), "--out", str(folder), "--steps", str(steps)]
    if (folder / "checkpoints").exists():
        command = [*command[:4], "--resume", str(folder), *command[-2:]]
    begun = time.perf_counter()
    run_quietly(command, folder.with_suffix(".txt"))
    seconds = time.perf_counter() - begun
    evaluation = subprocess.run(
        [sys.executable, HERE / "evaluation.py", folder], capture_output=True, text=True, check=True
    )
    run = open_run(folder)
    returns, taken = run.lists("episode_returns"), run.column("timesteps").values
    ends = returns.offsets[1:]
    curve = [
        [float(t), float(np.mean(returns.values[max(0, end - LAST_EPISODES) : end]))]
        for t, end in zip(taken, ends, strict=True)
        if end
    ]
    config = run.metadata["config"]
    return Result(
        agent="trpo-tui",
        task=task,
        seed=seed,
        steps=int(taken[-1]),
        returns=json.loads(evaluation.stdout.splitlines()[0]),
        seconds=round(seconds, 1),
        settings=config,
        versions={name: version(name) for name in ("torch", "gymnasium", "mujoco", "numpy")},
        curve=thinned(curve),
    )


def trained_by_sb3(python: Path, task: str, seed: int, steps: int, folder: Path) -> Result:
    """Train and evaluate with sb3-contrib, in its own environment."""
    if not (folder / "result.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        script = HERE / "peers" / "sb3_returns.py"
        run_quietly(
            [str(python), str(script), task, str(seed), str(steps), str(folder)],
            folder.with_suffix(".txt"),
        )
    found = json.loads((folder / "result.json").read_text())
    import pandas as pd

    table = pd.read_csv(folder / "progress.csv")
    columns = ["time/total_timesteps", "rollout/ep_rew_mean"]
    curve = table[columns].dropna().to_numpy(dtype=float).tolist()
    return Result(**found, curve=thinned(curve))


def run_quietly(command: list[str], output: Path) -> None:
    """Run a program whose output goes to a file."""
    output.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with output.open("a") as stream:
        subprocess.run(command, stdout=stream, stderr=stream, env=environment, check=True)


def thinned(curve: list[list[float]]) -> list[list[float]]:
    """At most POINTS points of a curve, the last among them."""
    every = max(1, -(-len(curve) // POINTS))
    return [[round(x), round(y, 2)] for x, y in curve[::-1][::every][::-1]]


def interquartile_mean(values: np.ndarray) -> float:
    """Mean of the middle half, the outer quarters (rounded down) left out (arXiv 2108.13264)."""
    cut = len(values) // 4
    return float(np.mean(np.sort(values)[cut : len(values) - cut]))


def bootstrap_interval(values: np.ndarray, draws: int = 10_000) -> tuple[float, float]:
    """95 % percentile interval of the interquartile mean, runs drawn with replacement."""
    drawn = np.random.default_rng(0).choice(values, size=(draws, len(values)))
    means = [interquartile_mean(each) for each in drawn]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def table(results: Iterable[Result]) -> str:
    """Mean ± deviation over seeds, interquartile mean and its interval, by task, as Markdown."""
    results = list(results)
    lines = [
        "| task | agent | seeds | mean ± std | interquartile mean (95 %) | published, -v3 |",
        "|---|---|---|---|---|---|",
    ]
    for task in TASKS:
        for agent in AGENTS:
            runs = [r for r in results if (r.agent, r.task) == (agent, task) and r.seed in SEEDS]
            if not runs:
                continue
            means = np.array([np.mean(run.returns) for run in runs])
            low, high = bootstrap_interval(means)
            lines.append(
                f"| {task} | {agent} | {len(runs)} | {means.mean():.0f} ± {means.std():.0f}"
                f" | {interquartile_mean(means):.0f} ({low:.0f} … {high:.0f})"
                f" | {PUBLISHED[task] if agent == 'sb3-contrib' else ''} |"
            )
    return "\n".join(lines)


def draw(results: Iterable[Result], path: Path) -> None:
    """Learning curves of every run, one panel a task."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    colours = {"trpo-tui": "#0b6e4f", "sb3-contrib": "#b3541e"}
    figure, panels = plt.subplots(2, 3, figsize=(13, 7), constrained_layout=True)
    for task, panel in zip(TASKS, panels.flat, strict=True):
        for agent in AGENTS:
            runs = [r for r in results if (r.agent, r.task) == (agent, task) and r.seed in SEEDS]
            if not runs:
                continue
            end = min(run.curve[-1][0] for run in runs)
            steps = np.linspace(0, end, 200)
            each = np.stack(
                [np.interp(steps, *np.array(r.curve).T, left=np.nan, right=np.nan) for r in runs]
            )
            for curve in each:
                panel.plot(steps / 1e6, curve, color=colours[agent], alpha=0.25, linewidth=0.8)
            label = f"{agent} ({len(runs)} seeds)"
            known = ~np.isnan(each).any(axis=0)  # from the first episode of the last run on
            mean = each[:, known].mean(axis=0)
            panel.plot(steps[known] / 1e6, mean, color=colours[agent], linewidth=2, label=label)
        panel.set_title(task)
        panel.set_xlabel("million steps")
        panel.grid(alpha=0.3)
        if panel.lines:
            panel.legend(fontsize=8)
    panels[0, 0].set_ylabel("return of the last 100 training episodes")
    panels[1, 0].set_ylabel("return of the last 100 training episodes")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Run what is missing; print the table and draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", nargs="+", default=AGENTS, choices=AGENTS)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--preset", default="tuned", help="this agent's settings")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--stored", type=Path, default=STORED, help="file of finished runs")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the runs themselves")
    parser.add_argument("--sb3", type=Path, default=SB3, help="Python that has sb3-contrib")
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--record", action="store_true", help="write into RESULTS.md")
    options = parser.parse_args()

    done = {result.key for result in stored(options.stored)}
    wanted = [(a, t, s) for s in options.seeds for t in options.tasks for a in options.agents]
    missing = [] if options.table else [key for key in wanted if key not in done]

    def run(key: tuple[str, str, int]) -> Result:
        agent, task, seed = key
        folder = options.out / agent / f"{task}-{seed}"
        if agent == "sb3-contrib":
            return trained_by_sb3(options.sb3, task, seed, options.steps, folder)
        return trained_here(task, seed, options.steps, folder, options.preset)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, key) for key in missing]):
            result = future.result()
            with options.stored.open("a") as file:
                file.write(json.dumps(asdict(result)) + "\n")
            reached = f"{np.mean(result.returns):.0f} ± {np.std(result.returns):.0f}"
            print(*result.key, reached, f"{result.seconds:.0f} s", flush=True)
    results = stored(options.stored)
    print(table(results))
    if any(result.seed in SEEDS for result in results):
        draw(results, options.stored.with_suffix(".png"))
    if options.record:
        from results import replace_section

        replace_section("Returns", f"{RECORDED}\n\n{table(results)}\n\n{CURVES}")


if __name__ == "__main__":
    main()

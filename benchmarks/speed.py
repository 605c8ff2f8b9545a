"""This agent against sb3-contrib's and tianshou's TRPO, in alternating pairs, phase by phase.

    python benchmarks/speed.py                       both tasks, 7 pairs
    python benchmarks/speed.py --tasks HalfCheetah-v5 --pairs 3
    python benchmarks/speed.py --record              also replace the section in RESULTS.md

Each pair runs every competitor once, in processes of their own, in an order that rotates. Ratios are
medians of the pairs' ratios: on a machine shared with other work they hold where times do not.
Same batch (2,048), network (64×64 tanh, twice), 10 conjugate-gradient iterations, γ .99, λ .97 and,
for sb3-contrib, value fit (10 epochs of minibatches of 128). This agent runs as its users run it:
`trpo-tui train`, observations normalised, every diagnostic, the log and the checkpoints on disk.
The peers normalise nothing and log nothing. `make peers` sets up their environments.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import beside  # noqa: F401
import numpy as np

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
TASKS = ("HalfCheetah-v5", "Humanoid-v5")
BATCH, WARM_UP = 2048, 3
OURS = "trpo-tui, 16 environments"
SB3_16, SB3_1 = "sb3-contrib, 16 environments", "sb3-contrib, 1 environment"
TIANSHOU = "tianshou, 16 environments"
PHYSICS = "physics alone, 16 worlds"
TARGETS = {
    "HalfCheetah-v5": {SB3_16: 3.5, SB3_1: 10.0},
    "Humanoid-v5": {SB3_16: 2.3, SB3_1: 4.5},
}
LARGEST_UPDATE = 0.30


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Medians over the iterations of one process. `seconds`: by phase of an iteration."""

    steps_per_second: float
    seconds: dict[str, float]


def this_agent(task: str, iterations: int) -> Speed:
    """`trpo-tui train` as a process; its own log is the clock."""
    from runlog import open_run

    with tempfile.TemporaryDirectory() as folder:
        run_path = Path(folder) / "run"
        command = [sys.executable, "-m", "trpo_tui", "train", "--env", task, "--out", str(run_path)]
        started([*command, "--iterations", str(iterations + WARM_UP)])
        run = open_run(run_path)

        def median(column: str) -> float:
            values = run.column(column)
            return float(np.median(values.values[WARM_UP:][values.present[WARM_UP:]]))

        # From row to row: sampling, update, diagnostics, log, checkpoint, progress line.
        each = np.diff(run.column("time").values[WARM_UP - 1 :])
        seconds = {
            "sampling": median("seconds_sampling"),
            "advantages": median("seconds_advantage"),
            "policy": median("seconds_policy"),
            "value fit": median("seconds_value"),
            "logging": median("seconds_logging"),
        }
        seconds["update"] = float(
            np.median(
                (run.column("seconds_policy").values + run.column("seconds_value").values)[WARM_UP:]
            )
        )
        return Speed(steps_per_second=BATCH / float(np.median(each)), seconds=seconds)


def peer(python: Path, script: str, task: str, environments: int, iterations: int) -> Speed:
    """A competitor in its own environment, which prints one line of JSON."""
    command = [str(python), str(PEERS / script), task, str(environments), str(iterations)]
    found = json.loads(started(command).splitlines()[-1])
    return Speed(steps_per_second=found["steps_per_second"], seconds=found["seconds"])


def physics(task: str, iterations: int) -> Speed:
    """Bare stepping of the same worlds under random controls: no policy, no resets, no rewards."""
    program = f"import speed; print(speed.bare_steps_per_second({task!r}, {iterations}))"
    printed = started([sys.executable, "-c", program], HERE)
    return Speed(steps_per_second=float(printed.splitlines()[-1]), seconds={})


def bare_steps_per_second(task: str, iterations: int) -> float:
    """Control steps per second of `mujoco.batch` on Gymnasium's model, 16 worlds, 2 threads."""
    import time

    import gymnasium
    import mujoco
    from mujoco.batch import Batch

    world: Any = gymnasium.make(task).unwrapped
    batch = Batch(world.model, nsim=16, nthread=2, persistent=True)
    control = batch.bind("ctrl")
    low, high = world.model.actuator_ctrlrange.T
    generator = np.random.default_rng(0)
    taken = []
    for _ in range(iterations):
        batch.reset()
        begun = time.perf_counter()
        for _ in range(BATCH // 16):
            control[:] = generator.uniform(low, high, control.shape)
            batch.step(nstep=world.frame_skip, stage=mujoco.mjtStage.mjSTAGE_NONE)
        taken.append(time.perf_counter() - begun)
    return BATCH / float(np.median(taken))


def started(command: list[str], directory: Path | None = None) -> str:
    """Standard output of a program that ran well, on one thread of linear algebra."""
    done = subprocess.run(
        command,
        cwd=directory,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return done.stdout


def report(task: str, pairs: list[dict[str, Speed]]) -> str:
    """Medians and ratios of one task, as Markdown."""

    def median(name: str, phase: str | None = None) -> float:
        return float(
            np.median(
                [p[name].seconds[phase] if phase else p[name].steps_per_second for p in pairs]
            )
        )

    def ratios(name: str, phase: str | None = None) -> np.ndarray:
        if phase:
            return np.array([p[OURS].seconds[phase] / p[name].seconds[phase] for p in pairs])
        return np.array([p[OURS].steps_per_second / p[name].steps_per_second for p in pairs])

    lines = [
        f"### {task}",
        "",
        "| | end to end, steps/s | ours is | target | sampling ms | update ms | of which value fit |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in pairs[0]:
        if name == PHYSICS:
            lines.append(
                f"| {name} | {median(name):,.0f} | | | {1e3 * BATCH / median(name):.0f} | | |"
            )
            continue
        seconds = pairs[0][name].seconds
        ours = name == OURS
        all_ratios = ratios(name)
        ratio = f"{np.median(all_ratios):.2f}× ({all_ratios.min():.2f} … {all_ratios.max():.2f})"
        target = TARGETS.get(task, {}).get(name)
        fit = f"{1e3 * median(name, 'value fit'):.0f}" if "value fit" in seconds else "–"
        lines.append(
            f"| {name} | {median(name):,.0f} | {'' if ours else ratio}"
            f" | {f'≥ {target}×' if target else ''} | {1e3 * median(name, 'sampling'):.0f}"
            f" | {1e3 * median(name, 'update'):.0f} | {fit} |"
        )
    if SB3_16 in pairs[0]:
        update, fit = ratios(SB3_16, "update"), ratios(SB3_16, "value fit")
        lines += [
            "",
            f"Update against {SB3_16}: {np.median(update):.2f}× (target ≤ {LARGEST_UPDATE}),"
            f" value fit {np.median(fit):.2f}×.",
        ]
    if PHYSICS in pairs[0]:
        sampling = [
            BATCH / p[OURS].seconds["sampling"] / p[PHYSICS].steps_per_second for p in pairs
        ]
        lines.append(f"Sampling against bare physics: {np.median(sampling):.2f} (target ≥ 0.65).")
    ours_ms = {name: 1e3 * median(OURS, name) for name in pairs[0][OURS].seconds}
    phases = ", ".join(f"{name} {value:.1f}" for name, value in ours_ms.items() if name != "update")
    lines.append(f"This agent's phases, ms: {phases}.")
    return "\n".join(lines)


def main() -> None:
    """Run the pairs, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--sb3", type=Path, default=HERE / "out" / "sb3" / "bin" / "python")
    parser.add_argument("--tianshou", type=Path, default=HERE / "out/tianshou/bin/python")
    parser.add_argument("--record", action="store_true", help="write into RESULTS.md")
    options = parser.parse_args()
    n = options.iterations
    sections = []
    for task in options.tasks:
        runs = {
            OURS: lambda task=task: this_agent(task, n),
            SB3_16: lambda task=task: peer(options.sb3, "sb3_speed.py", task, 16, n),
            SB3_1: lambda task=task: peer(options.sb3, "sb3_speed.py", task, 1, max(3, n // 3)),
            TIANSHOU: lambda task=task: peer(options.tianshou, "tianshou_speed.py", task, 16, n),
            PHYSICS: lambda task=task: physics(task, n),
        }
        pairs: list[dict[str, Speed]] = []
        for pair in range(options.pairs):
            order = [*runs][pair % len(runs) :] + [*runs][: pair % len(runs)]
            found = {name: runs[name]() for name in order}
            pairs.append({name: found[name] for name in runs})
            shown = {name: round(speed.steps_per_second) for name, speed in found.items()}
            print(task, pair + 1, shown, file=sys.stderr, flush=True)
        sections.append(report(task, pairs))
    text = "\n\n".join(sections)
    print(text)
    if options.record:
        from results import replace_section

        replace_section("Speed", f"{machine()}\n\n{text}")


def machine() -> str:
    """Where, when and with what this was measured."""
    import datetime as dt

    names = ("torch", "mujoco", "gymnasium", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"`python benchmarks/speed.py --record`, {dt.date.today().isoformat()}, {os.cpu_count()} cores,"
        f" one torch thread, {versions}; sb3-contrib 2.9.2, tianshou 2.0.1. {__doc__.split(chr(10) * 2)[2].strip()}"
    )


if __name__ == "__main__":
    main()

"""Broken and healthy TRPO runs, trained for real, and what the analyzer makes of them.

    python benchmarks/fault_bench.py                 train what is missing, judge, print the table
    python benchmarks/fault_bench.py --slice         a few short runs (used by `make test`)
    python benchmarks/fault_bench.py --judge-only    judge the runs that are there
    python benchmarks/fault_bench.py --record        also add the figures to benchmarks/RESULTS.md

Resumable: a run that has its run.parquet is not trained again. Labels were written before the
analyzer was tuned on any of these runs, the places of one fault were changed after a scoring
(RESULTS.md says which); a broken run counts as right when the cause at its last
iteration is in its label, a healthy run when no iteration of it is called a fault.
"""

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import beside  # noqa: F401

HERE = Path(__file__).resolve().parent
SEEDS = (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run: how to train it, and the codes that would be right (empty: healthy)."""

    name: str
    arguments: tuple[str, ...]
    label: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the analyzer said of one run."""

    name: str
    label: tuple[str, ...]
    iterations: int
    verdict: str
    cause: str | None
    alarms: tuple[int, ...]
    """Iterations whose prefix was called a fault."""
    first_right: int | None
    """First iteration whose prefix named a cause of the label."""

    @property
    def right(self) -> bool:
        """Whether the last prefix was judged as labelled and, if healthy, none raised an alarm."""
        return self.cause in self.label if self.label else not self.alarms


CHEETAH = ("--env", "HalfCheetah-v5", "--iterations", "25")
PENDULUM = ("--env", "Pendulum-v1", "--iterations", "25")
INVERTED = ("--env", "InvertedPendulum-v5", "--iterations", "25")
HOPPER = ("--env", "Hopper-v5", "--iterations", "30")

SWIMMER = ("--env", "Swimmer-v5", "--iterations", "20")

# The singular Fisher matrix was on HalfCheetah at first, where its effect fades within three
# iterations; RESULTS.md has that scoring.
FAULTS: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]], ...] = (
    ("constant-reward", ("TRPO101",), (CHEETAH, PENDULUM)),
    ("critic-first", ("TRPO107",), (CHEETAH, HOPPER)),
    ("detached-gradient", ("TRPO201",), (CHEETAH, INVERTED)),
    ("noiseless-sampling", ("TRPO204",), (CHEETAH, HOPPER)),
    ("absolute-cg-tolerance", ("TRPO301",), (CHEETAH, INVERTED)),
    ("singular-fisher", ("TRPO304",), (SWIMMER, HOPPER)),
    ("tiny-max-kl", ("TRPO402",), (CHEETAH, INVERTED)),
    ("flipped-line-search", ("TRPO205",), (CHEETAH, INVERTED)),
    ("self-referential-kl", ("TRPO002",), (CHEETAH, INVERTED)),
    ("stale-old-policy", ("TRPO003",), (CHEETAH, HOPPER)),
    ("parameters-not-applied", ("TRPO004",), (CHEETAH, INVERTED)),
)

HEALTHY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cheetah", ("--env", "HalfCheetah-v5", "--iterations", "60")),
    ("cheetah-lambda-1", ("--env", "HalfCheetah-v5", "--iterations", "30", "--lam", "1.0")),
    ("cheetah-batch-256", ("--env", "HalfCheetah-v5", "--iterations", "60",
                           "--steps-per-iteration", "256")),
    ("hopper", ("--env", "Hopper-v5", "--iterations", "60")),
    ("hopper-lambda-1", ("--env", "Hopper-v5", "--iterations", "40", "--lam", "1.0")),
    ("hopper-batch-256", ("--env", "Hopper-v5", "--iterations", "60",
                          "--steps-per-iteration", "256")),
    ("inverted-solved", ("--env", "InvertedPendulum-v5", "--iterations", "80")),
    ("sparse", ("--env", "sparse_tasks:SparsePendulum-v0", "--iterations", "40")),
    ("cheetah-fixed-sigma", ("--env", "HalfCheetah-v5", "--iterations", "40",
                             "--no-learn-std")),
    ("pendulum-batch-256", ("--env", "Pendulum-v1", "--iterations", "60",
                            "--steps-per-iteration", "256")),
)  # fmt: skip


def cases() -> tuple[Case, ...]:
    """Every fault on two environments and two seeds, and twenty healthy runs."""
    broken = [
        Case(
            name=f"{fault}-{where[1]}-{seed}",
            arguments=(*where, "--fault", fault, "--seed", str(seed)),
            label=label,
        )
        for fault, label, places in FAULTS
        for where in places
        for seed in SEEDS
    ]
    healthy = [
        Case(name=f"healthy-{name}-{seed}", arguments=(*arguments, "--seed", str(seed)))
        for name, arguments in HEALTHY
        for seed in SEEDS
    ]
    return (*healthy, *broken)


def slice_cases() -> tuple[Case, ...]:
    """A few short runs, one per family of faults and two healthy ones."""
    short = ("--env", "InvertedPendulum-v5", "--iterations", "10", "--steps-per-iteration", "1024")
    free = ("--env", "Pendulum-v1", "--iterations", "10", "--steps-per-iteration", "1024")
    wanted = (
        ("constant-reward", "TRPO101", free),
        ("detached-gradient", "TRPO201", short),
        ("absolute-cg-tolerance", "TRPO301", short),
        ("flipped-line-search", "TRPO205", short),
        ("self-referential-kl", "TRPO002", short),
    )
    broken = (
        Case(name=fault, arguments=(*where, "--fault", fault, "--seed", "3"), label=(code,))
        for fault, code, where in wanted
    )
    return (
        Case(name="healthy-inverted", arguments=(*short, "--seed", "3")),
        Case(name="healthy-pendulum", arguments=(*free, "--seed", "3")),
        *broken,
    )


def train(case: Case, folder: Path) -> None:
    """Train one run in a process of its own, unless it is there."""
    run = folder / case.name
    if (run / "run.parquet").exists():
        return
    command = [sys.executable, "-P", "-m", "agent", "train", *case.arguments, "--out", str(run)]
    environment = dict(
        os.environ, OMP_NUM_THREADS="1", PYTHONPATH=f"{HERE.parent}{os.pathsep}{HERE}"
    )
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{case.name}: exit {done.returncode}: {done.stderr.strip()[-300:]}", flush=True)


def judge(case: Case, folder: Path) -> Score | None:
    """Judge every prefix of one run; None where there is no run."""
    from analyzer.answers import answers
    from runlog import open_run

    path = folder / case.name
    if not path.exists():
        return None
    run = open_run(path)
    judged = answers(run)
    diagnoses = [judged.at(i) for i in range(len(run))]
    last = diagnoses[-1]
    right = [d.iteration for d in diagnoses if d.cause is not None and d.cause.code in case.label]
    return Score(
        name=case.name,
        label=case.label,
        iterations=len(run),
        verdict=last.verdict,
        cause=last.cause.code if last.cause else None,
        alarms=tuple(d.iteration or 0 for d in diagnoses if d.verdict == "fault"),
        first_right=right[0] if right else None,
    )


def summary(scores: list[Score]) -> dict[str, object]:
    """The figures of one judging: top-1, false alarms, delays."""
    broken = [s for s in scores if s.label]
    healthy = [s for s in scores if not s.label]
    delays = sorted(s.first_right for s in broken if s.first_right is not None)
    return {
        "broken": len(broken),
        "right": sum(s.right for s in broken),
        "healthy": len(healthy),
        "healthy_prefixes": sum(s.iterations for s in healthy),
        "false_alarms": sum(len(s.alarms) for s in healthy),
        "median_first_right": delays[len(delays) // 2] if delays else None,
        "wrong": [
            {"run": s.name, "label": s.label, "cause": s.cause, "alarms": s.alarms[:3]}
            for s in scores
            if not s.right
        ],
    }


def record(figures: dict[str, object]) -> None:
    """Add one line to RESULTS.md: date, machine, commit, figures, command."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    told = (
        f"| {dt.date.today()} | {commit} | {figures['right']} of {figures['broken']} "
        f"| {figures['false_alarms']} of {figures['healthy_prefixes']} "
        f"({figures['healthy']} runs) | {figures['median_first_right']} "
        f"| {os.cpu_count()} cores, Python {platform.python_version()} |\n"
    )
    with (HERE / "RESULTS.md").open("a", encoding="utf-8") as file:
        file.write(told)


def main() -> int:
    """Train, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out" / "fault_bench")
    parser.add_argument("--slice", action="store_true", help="a few short runs")
    parser.add_argument("--judge-only", action="store_true", help="train nothing")
    parser.add_argument("--only", default="", help="runs whose name holds this")
    parser.add_argument("--record", action="store_true", help="add a line to RESULTS.md")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON only")
    options = parser.parse_args()
    chosen = [c for c in (slice_cases() if options.slice else cases()) if options.only in c.name]
    options.out.mkdir(parents=True, exist_ok=True)
    scores: list[Score] = []
    for case in chosen:
        if not options.judge_only:
            train(case, options.out)
        score = judge(case, options.out)
        if score is None:
            continue
        scores.append(score)
        if not options.json:
            mark = "right" if score.right else "WRONG"
            print(
                f"{mark:6} {score.name:44} {score.verdict:8} {score.cause or '-':8} "
                f"label {','.join(score.label) or 'healthy':8} alarms {len(score.alarms)}",
                flush=True,
            )
    figures = summary(scores)
    print(json.dumps(figures))
    if options.record:
        record(figures)
    return 0 if not figures["wrong"] else 1


if __name__ == "__main__":
    sys.exit(main())

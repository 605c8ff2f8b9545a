"""Public tools that diagnose training runs, asked about the fault bench's runs, beside this analyzer.

    python benchmarks/diagnosis_peers.py --out benchmarks/out/fault_bench [--part held]

Each tool lives in an environment of its own below benchmarks/out/diagnosis and reads the export it
was made for, with every number of the run that it has a name for (EXPORTS). A tool is right when one
of its findings above a note, not only the first, stands for a code of the label; MEANS says generously
what each finding stands for. It raises an alarm on a healthy run when it has any such finding.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import beside  # noqa: F401
import numpy as np
from bench_cases import cases
from fault_bench import independent, work_of

from runlog import open_run
from runlog.run import Run

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE / "out" / "diagnosis"

LOSSES = {
    "step": "iteration",
    "loss": "value_loss",
    "policy_loss": "policy_loss",
    "grad_norm": "gradient_norm",
    "lr": "vf_lr",
    "entropy": "entropy",
    "kl": "kl",
    "reward": "episode_return_mean",
    "explained_variance": "explained_variance",
    "throughput": "steps_per_second",
}
TAGS = {
    "step": "timesteps",
    "train/approx_kl": "kl",
    "train/entropy_loss": "entropy",
    "train/policy_gradient_loss": "policy_loss",
    "rollout/ep_rew_mean": "episode_return_mean",
}
FINE_TUNING = {
    "step": "iteration",
    "reward": "reward_mean",
    "reward_std": "reward_std",
    "reward_min": "reward_min",
    "reward_max": "reward_max",
    "advantages_mean": "advantage_raw_mean",
    "advantages_std": "advantage_raw_std",
    "entropy": "entropy",
    "kl": "kl",
    "grad_norm": "gradient_norm",
    "policy_loss": "policy_loss",
    "explained_variance": "explained_variance",
    "throughput": "steps_per_second",
}
RECORDED = {
    "reward_mean": "reward_mean",
    "reward_std": "reward_std",
    "reward_min": "reward_min",
    "reward_max": "reward_max",
    "kl_mean": "kl",
    "entropy_mean": "entropy",
    "logprob_mean": "action_log_prob_mean",
    "ratio_mean": "ratio_mean",
    "adv_mean": "advantage_raw_mean",
    "adv_std": "advantage_raw_std",
    "value_loss": "value_loss",
    "value_explained_variance": "explained_variance",
    "grad_norm": "gradient_norm",
}
EXPORTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "runmedic": ("csv", LOSSES),
    "trainspotter": ("csv", LOSSES),
    "gradsnitch": ("csv", LOSSES),
    "zen-rl": ("json", TAGS),
    "rldoctor": ("csv", FINE_TUNING),
    "rlprobe": ("json", RECORDED),
}
"""Tool → form of its export, and its names for our columns."""

_NAN = frozenset({"TRPO001"})
_LARGE = frozenset({"TRPO202"})
_SMALL = frozenset({"TRPO201", "TRPO203", "TRPO206", "TRPO803"})
_STEP = frozenset({"TRPO402", "TRPO403", "TRPO404", "TRPO502", "TRPO401", "TRPO008", "TRPO007"})
_SIGMA = frozenset({"TRPO801", "TRPO204"})
_ADVANTAGE = frozenset({"TRPO106", "TRPO107", "TRPO005", "TRPO006", "TRPO101"})
_CRITIC = frozenset({"TRPO701", "TRPO702", "TRPO103", "TRPO102", "TRPO112"})
_REWARD = frozenset({"TRPO101", "TRPO102", "TRPO104", "TRPO106", "TRPO108"})
MEANS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "runmedic": {
        "non_finite": _NAN,
        "anomaly_nan": _NAN,
        "divergence": _CRITIC,
        "loss_spikes": _CRITIC,
        "grad_spikes": _LARGE,
        "no_learning": frozenset({"TRPO701"}),
    },
    "trainspotter": {
        "divergence: Diverged (non-finite values)": _NAN,
        "divergence: Diverged (sustained growth)": _CRITIC,
        "grad_norm: Gradient-norm explosion": _LARGE,
        "spikes: Loss spike": _CRITIC,
    },
    "gradsnitch": {
        "GS001": _NAN,
        "GS002": _NAN | _LARGE,
        "GS003": _LARGE,
        "GS005": frozenset({"TRPO701"}),
        "GS006": _CRITIC,
        "GS007": _SMALL,
        "GS008": _STEP,
        "GS009": _CRITIC,
    },
    "zen-rl": {
        "LR_TOO_HIGH": _STEP,
        "POLICY_COLLAPSE": _SIGMA,
        "ADVANTAGE_NOT_NORMALIZED": frozenset({"TRPO005", "TRPO006"}),
    },
    "rldoctor": {
        "advantage_collapse": _ADVANTAGE,
        "entropy_collapse": _SIGMA,
        "kl_drift": _STEP,
        "gradient_pathology": _NAN | _LARGE | _SMALL,
        "reward_composition": _REWARD,
        "reward_hacking": _REWARD,
    },
    "rlprobe": {
        "KL_BLOWUP": _STEP,
        "ENTROPY_COLLAPSE": _SIGMA,
        "ADV_COLLAPSE": _ADVANTAGE,
        "VALUE_DIVERGENCE": _CRITIC,
        "GRAD_PATHOLOGY": _NAN | _LARGE | _SMALL,
        "REWARD_STD_DEATH": _REWARD,
    },
}
"""What a finding stands for. A plateau or a low return alone names no cause."""


def environment(tool: str) -> Path:
    """The Python of a tool's environment, made if it is not there."""
    folder = ENVIRONMENTS / tool
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pinned = HERE / "peers" / f"{tool}.txt"
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "-r", str(pinned)], check=True
        )
    return python


def rows_of(run: Run, names: Mapping[str, str]) -> list[dict[str, float]]:
    """The run's rows under a tool's names; what is null is left out."""
    known = {theirs: run.column(ours) for theirs, ours in names.items() if ours in run.types}
    return [
        {name: float(c.values[i]) for name, c in known.items() if c.present[i]}
        for i in range(len(run))
    ]


def export(run: Run, tool: str, place: Path) -> Path:
    """Write the run as the tool reads it."""
    form, names = EXPORTS[tool]
    rows = rows_of(run, names)
    if form == "json":
        path = place.with_suffix(".json")
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path
    path = place.with_suffix(".csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(names))
        table.writeheader()
        table.writerows(rows)
    return path


def asked(tool: str, runs: Mapping[str, Path]) -> dict[str, list[str]]:
    """The tool's findings on each run."""
    with tempfile.TemporaryDirectory() as folder:
        files = {
            name: str(export(open_run(path), tool, Path(folder) / str(number)))
            for number, (name, path) in enumerate(runs.items())
        }
        done = subprocess.run(
            [str(environment(tool)), str(HERE / "peers" / "ask.py"), tool],
            input=json.dumps(files),
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict[str, list[str]] = json.loads(done.stdout[done.stdout.index("{") :])
    return found


def scored(
    tool: str, found: Mapping[str, Sequence[str]], labels: Mapping[str, Any]
) -> dict[str, Any]:
    """Macro share of faults named, and alarms on healthy runs. `labels`: run → (fault, label)."""
    means = MEANS[tool]
    kinds: dict[str, list[bool]] = {}
    alarms = healthy = 0
    for run, findings in found.items():
        kind, label = labels[run]
        said = frozenset().union(*(means.get(name, frozenset()) for name in findings))
        if label:
            kinds.setdefault(kind, []).append(bool(said & set(label)))
        else:
            healthy += 1
            alarms += bool(set(findings) - {"refused"})
    return {
        "tool": tool,
        "columns": len(EXPORTS[tool][1]),
        "macro": float(np.mean([np.mean(v) for v in kinds.values()])) if kinds else None,
        "faults_named": sum(np.mean(v) > 0.5 for v in kinds.values()),
        "faults": len(kinds),
        "alarmed": alarms,
        "healthy": healthy,
        "refused": sum("refused" in findings for findings in found.values()),
    }


def table(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The figures as Markdown."""
    yield "| tool | columns it reads | macro, any finding | faults named in most runs | healthy runs with an alarm | refused |"
    yield "|---|---|---|---|---|---|"
    for f in figures:
        macro = "–" if f["macro"] is None else f"{f['macro']:.1%}"
        yield (
            f"| {f['tool']} | {f['columns']} | {macro} | {f['faults_named']} of {f['faults']} "
            f"| {f['alarmed']} of {f['healthy']} | {f['refused']} |"
        )


def main() -> None:
    """Ask every tool, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out" / "fault_bench")
    parser.add_argument("--part", choices=("tune", "held"), default="held")
    parser.add_argument("--only", nargs="*", default=list(EXPORTS), help="tools")
    options = parser.parse_args()
    work = [work_of(case, options.out) for case in cases() if case.part == options.part]
    if options.part == "held":
        work += independent(options.out)
    there = [each for each in work if (each.path / "run.json").exists()]
    labels = {each.name: (each.kind, each.label) for each in there}
    figures = []
    for tool in options.only:
        found = asked(tool, {each.name: each.path for each in there})
        figures.append(scored(tool, found, labels))
        print(json.dumps(figures[-1], default=float), file=sys.stderr, flush=True)
    print("\n".join(table(figures)))


if __name__ == "__main__":
    main()

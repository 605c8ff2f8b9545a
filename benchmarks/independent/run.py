"""Makes the independent trainers' runs, those that are missing.

    python benchmarks/independent/run.py --out DIR [--jobs N] [--only TEXT] [--list]

A run lies at DIR/TRAINER/NAME from the moment it is over, crashed ones included.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))

from bench_case import Case
from independent.cases import cases


def place(out: Path, case: Case) -> Path:
    """Where a run lies."""
    return out / case.trainer / case.name


def make(chosen: Sequence[Case], out: Path, jobs: int) -> None:
    """Train what is missing, in `jobs` processes of low priority."""
    missing = [(case, out) for case in chosen if not place(out, case).exists()]
    if not missing:
        return
    with get_context("spawn").Pool(jobs, _begin) as pool:
        for name, trouble in pool.imap_unordered(train, missing, 1):
            print(f"{name}: {trouble or 'made'}", flush=True)


def _begin() -> None:
    os.nice(19)
    import torch

    torch.set_num_threads(1)


def train(work: tuple[Case, Path]) -> tuple[str, str]:
    """Make one run; its name, and what it broke over if it did."""
    case, out = work
    run = place(out, case)
    made = run.with_name(f"{case.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    trouble = ""
    try:
        (_train_plain if case.trainer == "plain" else _train_sb3)(case, made)
    except Exception as error:  # noqa: BLE001 a trainer that breaks over its fault is a run too, and told
        trouble = f"{type(error).__name__}: {error}"
    if made.exists() and (case.fault or not trouble):
        made.rename(run)
    return case.name, trouble


def _train_plain(case: Case, path: Path) -> None:
    from independent.plain_columns import iterate, metadata
    from independent.plain_faults import FAULTS
    from independent.plain_trpo import Settings, Trainer

    from runlog import RunLog

    trainer = Trainer(Settings(env=case.env, seed=case.seed, **case.settings))
    if case.onset == 1:
        FAULTS[case.fault](trainer)
    with RunLog(path, **metadata(trainer)) as log:
        for number in range(1, case.iterations + 1):
            if number == case.onset > 1:
                FAULTS[case.fault](trainer)
            iterate(trainer, log)
    trainer.vector.close()


def _train_sb3(case: Case, path: Path) -> None:
    from independent.sb3_trpo import FAULTS, Onset, trainer

    from runlog.sb3 import RunLogCallback

    model = trainer(case.env, case.seed, **case.settings)
    total = case.iterations * model.n_steps * model.n_envs
    if case.onset == 1:
        FAULTS[case.fault](model)
    with RunLogCallback(path, env_id=case.env) as log:
        onset = [Onset(FAULTS[case.fault], case.onset)] if case.onset > 1 else []
        model.learn(total, callback=[log, *onset], log_interval=None)
    model.get_env().close()


def main() -> None:
    """Make what is missing and say so, or list the runs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="runs whose TRAINER/NAME holds this")
    parser.add_argument("--list", action="store_true", help="name them and make none")
    options = parser.parse_args()
    chosen = [case for case in cases() if options.only in case.title]
    if options.list:
        for case in chosen:
            there = "made" if place(options.out, case).exists() else "missing"
            print(f"{case.title}\t{','.join(case.label) or 'healthy'}\t{there}")
        return
    make(chosen, options.out, options.jobs)


if __name__ == "__main__":
    main()

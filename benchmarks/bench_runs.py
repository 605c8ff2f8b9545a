"""Makes the fault bench's runs: real trainings, as the command line would log them, in few processes.

A fault that comes up in mid-run leaves the iterations before it as they are without it, to the last
bit, so they are copied from the control of the same seed instead of being trained again.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import beside  # noqa: F401
from bench_case import CONTROL, MIDDLE, Case
from bench_places import PLACES, control_name

STARTS = "starts"
"""Folder of what every fault in mid-run goes on from."""


def place(out: Path, case: Case) -> Path:
    """Where a run lies: the held-out part apart from the other."""
    return out / case.part / case.name


def make(cases: Sequence[Case], out: Path, jobs: int, *, quiet: bool = False) -> None:
    """Train what is missing, in `jobs` processes of low priority."""
    missing = [case for case in cases if not (place(out, case) / "run.parquet").exists()]
    if not missing:
        return
    with get_context("spawn").Pool(jobs, _begin) as pool:
        for name, trouble in pool.imap_unordered(_make, [(case, out) for case in missing], 1):
            if trouble or not quiet:
                print(f"{name}: {trouble or 'made'}", file=sys.stderr, flush=True)


def _begin() -> None:
    os.nice(19)
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.path.append(str(Path(__file__).resolve().parent))


def _make(work: tuple[Case, Path]) -> tuple[str, str]:
    case, out = work
    try:
        _train(case, out)
    except Exception as error:  # noqa: BLE001 the other runs go on, and this one is told and missing
        return case.name, f"{type(error).__name__}: {error}"
    return case.name, ""


def _training(case: Case) -> Any:
    from agent.config import Config
    from agent.training import Training

    faults = (case.fault,) if case.fault else ()
    settings = dict(case.settings)
    return Training.from_config(
        Config(env=case.env, seed=case.seed, iterations=case.iterations, fault=faults, **settings)
    )


def _train(case: Case, out: Path) -> None:
    from agent import faults
    from agent.metadata import run_id
    from runlog import RunLog

    run = place(out, case)
    rows: list[dict[str, Any]] = []
    snapshot = None
    if case.onset == MIDDLE:
        rows, snapshot = _start(case, out)
    training = _training(case)
    if snapshot is not None:
        training.restore(snapshot)
    faults.put_in(training, training.config.fault)
    keeps = case.name == control_name(case.env, case.seed) and case.iterations == CONTROL
    made = run.with_name(f"{case.name}.{os.getpid()}")
    shutil.rmtree(made, ignore_errors=True)
    with (
        closing(training.batch),
        RunLog(made, run_id=run_id(training.config), **training.metadata) as log,
    ):
        for row in rows:
            log.iteration(**row)
        for row in training:
            log.iteration(**row)
            rows.append(row)
            if keeps and training.iteration == MIDDLE - 1:
                _keep(out, case, rows, training.snapshot())
    shutil.rmtree(run, ignore_errors=True)
    made.rename(run)


def _start_file(out: Path, env: str, seed: int) -> Path:
    return out / STARTS / f"{control_name(env, seed)}.pt"


def _keep(out: Path, case: Case, rows: list[dict[str, Any]], snapshot: dict[str, Any]) -> None:
    import torch

    path = _start_file(out, case.env, case.seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    torch.save({"rows": rows, "snapshot": snapshot}, part)
    part.rename(path)


def _start(case: Case, out: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and state of the control just before the fault comes up."""
    import torch

    path = _start_file(out, case.env, case.seed)
    if not path.exists():
        control = Case(
            name=control_name(case.env, case.seed),
            part=case.part,
            env=case.env,
            seed=case.seed,
            iterations=CONTROL,
            settings=PLACES[case.env],
        )
        training = _training(control)
        with closing(training.batch):
            rows = [row for _, row in zip(range(MIDDLE - 1), training, strict=False)]
            _keep(out, control, rows, training.snapshot())
    stored = torch.load(path, weights_only=False)
    return stored["rows"], stored["snapshot"]

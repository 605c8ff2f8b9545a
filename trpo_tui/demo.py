"""The demo: a run that cannot learn, watched and diagnosed, then the same run without the fault."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import click
import numpy as np

from runlog.errors import UserError
from runlog.reader import open_run
from trpo_tui.agent_process import check_packages, check_training, start_agent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runlog.run import Run

ENVIRONMENT = "Reacher-v5"
FAULT = "constant-reward"
SEED = 0
ENDS = 5
"""Iterations at either end that are compared."""
GOODBYE = 10.0
"""Seconds that a training gets to seal its log after Ctrl-C."""
PROGRESS = 4.0
"""Seconds between two lines of progress."""
PATIENCE = 60.0
"""Seconds until the first row has to be there."""


def demo(folder: Path | None, iterations: int, *, lines: bool) -> int:
    """Train, watch and diagnose the broken run, then train the healthy one; returns the exit code.

    `folder`: where both runs go; None makes a new one. `lines`: print instead of a screen.
    """
    from trpo_tui.printing import report

    check_packages()
    check_training()
    folder = folder or Path(mkdtemp(prefix="trpo-tui-demo-"))
    broken, healthy = folder / "constant-reward", folder / "without-the-fault"
    for path in (broken, healthy):
        if path.exists():
            raise UserError(f"{path} is there already: give --keep a folder without it")
    _make_folder(folder)
    say = click.echo
    say(f"Training {ENVIRONMENT} for {iterations} iterations with a reward that is always 1.")
    watch = watch_in_lines if lines else watch_on_screen
    with training(broken, iterations, fault=FAULT) as child:
        watch(broken)
        _wait(child, broken)
    say("\nWhat trpo-tui analyze says of it:\n")
    say(report(str(broken)), nl=False)
    say(f"\nThe same training without the fault ({iterations} iterations, the same seed) …")
    with training(healthy, iterations, fault=None) as child:
        _wait(child, healthy)
    say("\n".join(["", *comparison(open_run(broken), open_run(healthy))]))
    say("\n".join(["", *what_next(folder)]))
    return 0


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"{folder}: a file stands in the way; give --keep a folder") from None
    except OSError as error:
        raise UserError(f"{folder}: cannot be made ({error.strerror or error})") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{folder}: nothing can be written there; give --keep another folder")


@contextmanager
def training(
    path: Path, iterations: int, *, fault: str | None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A training that writes the run `path`; it is asked to end when the block is left early."""
    arguments = ["train", "--env", ENVIRONMENT, "--out", str(path), "--seed", str(SEED)]
    arguments += ["--iterations", str(iterations)]
    arguments += ["--fault", fault] if fault else []
    path.parent.mkdir(parents=True, exist_ok=True)
    with output_of(path).open("wb") as output:
        child = start_agent(arguments, output=output)
        try:
            _first_row(child, path)
            yield child
        except KeyboardInterrupt:
            # The terminal sent it to the training too, which a second signal would cut short.
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=GOODBYE)
            raise
        finally:
            if child.poll() is None:
                child.terminate()
            child.wait()


def output_of(path: Path) -> Path:
    """Where what the training prints goes."""
    return path.with_name(f"{path.name}.txt")


def _first_row(child: "subprocess.Popen[bytes]", path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not (path / "run.json").exists():
        if child.poll() is not None or time.monotonic() > deadline:
            raise UserError(f"the training did not start: {_last_line(output_of(path))}")
        time.sleep(0.05)


def _wait(child: "subprocess.Popen[bytes]", path: Path) -> None:
    """Wait for the training's end, with a line now and then."""
    while True:
        try:
            code = child.wait(timeout=PROGRESS)
        except subprocess.TimeoutExpired:
            run = open_run(path)
            if len(run):
                steps = int(run.metadata.get("horizon") or 1)
                click.echo(
                    f"  iteration {len(run)}, true return {steps * true_reward(run)[-1]:.0f}"
                )
        else:
            break
    if code != 0:
        raise UserError(f"the training failed: {_last_line(output_of(path))}")


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else f"it said nothing; see {path}"


def watch_in_lines(path: Path) -> None:
    """Say what changes until the run has ended."""
    from trpo_tui.plain import watch_plain

    watch_plain(str(path), every=5.0)


def watch_on_screen(path: Path) -> None:
    """Show the run until it has ended, or until the user leaves."""
    from trpo_tui.demo_screen import show_until_the_end

    show_until_the_end(path)


def true_reward(run: "Run") -> "NDArray[np.float64]":
    """(n,) mean reward of a step as the environment pays it, by iteration.

    Where a fault replaces the reward, the agent logs what the environment paid as a term of its own.
    """
    name = "reward_term_true" if "reward_term_true" in run.types else "reward_mean"
    values: NDArray[np.float64] = run.column(name).values
    return values


def comparison(broken: "Run", healthy: "Run") -> list[str]:
    """The two runs side by side: what the training saw, what it achieved, and the KL."""
    runs = (broken, healthy)
    steps = int(healthy.metadata.get("horizon") or 1)
    rows: Sequence[tuple[str, Callable[[Run], str]]] = (
        ("reward of a step, smallest … largest", _range),
        (f"true return of {steps} steps, first {ENDS} iterations", lambda r: _mean(r, steps, 0)),
        (f"true return of {steps} steps, last {ENDS} iterations", lambda r: _mean(r, steps, -1)),
        ("KL divergence, median", lambda r: f"{_median(r, 'kl'):.4f}"),
        ("gradient norm, median", lambda r: f"{_median(r, 'gradient_norm'):.3f}"),
        ("line search accepted", _accepted),
    )
    lines = [f"{'':43}{'constant reward':>17}{'without it':>18}"]
    lines += [f"{name:43}{value(runs[0]):>17}{value(runs[1]):>18}" for name, value in rows]
    max_kl = float(np.nanmedian(healthy.column("max_kl").values))
    return [
        *lines,
        "",
        f"KL stands at the same size below max_kl ({max_kl:g}) in both: the trust region",
        "makes a full step of whatever the gradient is, of noise too. Only the reward",
        "tells them apart.",
    ]


def _range(run: "Run") -> str:
    low = float(np.nanmin(run.column("reward_min").values))
    high = float(np.nanmax(run.column("reward_max").values))
    return f"{low:.3g} … {high:.3g}"


def _mean(run: "Run", steps: int, end: int) -> str:
    rewards = true_reward(run)
    part = rewards[:ENDS] if end == 0 else rewards[-ENDS:]
    return f"{steps * float(np.nanmean(part)):.0f}"


def _median(run: "Run", name: str) -> float:
    return float(np.nanmedian(run.column(name).values))


def _accepted(run: "Run") -> str:
    column = run.column("line_search_success")
    return f"{int(np.nansum(column.values))} of {len(run)}"


def what_next(folder: Path) -> list[str]:
    """Three commands to go on with."""
    program = "trpo-tui" if shutil.which("trpo-tui") else os.path.relpath(sys.argv[0])
    commands = (
        (f"{program} watch {folder}", "both runs again: space plays, ← → move the playhead"),
        (f"{program} explain TRPO101", "what the code means, how it is measured"),
        (f"{program} analyze YOUR.log", "the same for a run of yours"),
    )
    return ["What next:", *(f"  {line}" for pair in commands for line in (f"# {pair[1]}", pair[0]))]

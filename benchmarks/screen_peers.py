"""What other screens for runs in a terminal take, measured as this one is.

terminalboard reads TensorBoard's event files, `wandb leet` W&B's offline runs; both are installed
into an environment of their own below benchmarks/out, the rows are the same.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLACE = Path(__file__).parent / "out" / "screens"
PINNED = ("terminalboard==0.5.3", "plotext==5.3.2", "wandb==0.31.0", "tensorboardX==2.6.4")
ROW = """
def row(i):
    return {"episode_return_mean": float(i % 37), "kl": 0.009 + i % 5 * 1e-4, "max_kl": 0.01,
            "gradient_norm": 0.1 + i % 7 * 1e-2, "explained_variance": 0.5,
            "entropy": 4.0 - i * 1e-4, "advantage_raw_std": 1.0, "step_fraction": 1.0}
"""
WRITERS = {
    "terminalboard": """
import sys, time
from tensorboardX import SummaryWriter
log = SummaryWriter(sys.argv[1], flush_secs=1)
for i in range(int(sys.argv[2])):
    for name, value in row(i).items():
        log.add_scalar(name, value, i)
    if float(sys.argv[3]):
        log.flush()
        print(i, flush=True)
        time.sleep(float(sys.argv[3]))
log.close()
""",
    "wandb leet": """
import os, sys, time
os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true"}
import wandb
run = wandb.init(project="p", dir=sys.argv[1])
for i in range(int(sys.argv[2])):
    run.log(row(i))
    if float(sys.argv[3]):
        print(i, flush=True)
        time.sleep(float(sys.argv[3]))
run.finish()
""",
}


def installed() -> bool:
    """Whether they could be installed here."""
    python = PLACE / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PLACE)], check=True)
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", *PINNED], check=False)
    return done.returncode == 0


def command(name: str, folder: Path) -> list[str]:
    """What shows the run below the folder."""
    if name == "terminalboard":
        return [str(PLACE / "bin" / "terminalboard"), str(folder)]
    latest = next((folder / "wandb").glob("*run-*"))
    return [str(PLACE / "bin" / "wandb"), "leet", "run", str(latest)]


def write(name: str, folder: Path, rows: int, seconds: float = 0.0) -> subprocess.Popen[str]:
    """A process that writes so many rows, one every so many seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    script = ROW + WRITERS[name]
    return subprocess.Popen(
        [str(PLACE / "bin" / "python"), "-c", script, str(folder), str(rows), str(seconds)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
    )  # fmt: skip


@contextmanager
def writing(name: str, folder: Path) -> Iterator[None]:
    """A run that grows by a row a second."""
    writer = write(name, folder, 100_000, 1.0)
    try:
        if writer.stdout is not None:
            writer.stdout.readline()
        time.sleep(3.0)
        yield
    finally:
        writer.terminate()
        writer.wait()

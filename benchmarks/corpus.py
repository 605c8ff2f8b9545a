"""Keep what real sb3-contrib runs printed and wrote, small, for importers and false-alarm tests.

    python benchmarks/corpus.py [FOLDER OF RUNS]

Copies log.txt (the printed tables), progress.csv and, for the first seed of each task, the
TensorBoard file of every finished run into tests/foreign_runs/sb3-contrib, compressed by xz. Left out
is one line of log.txt, which names the folder the run was written to.
"""

import lzma
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEPT = HERE.parent / "tests" / "foreign_runs" / "sb3-contrib"
FIRST_SEED = "100"


def keep(run: Path) -> None:
    """Copy one finished run; what is there already stays."""
    target = KEPT / run.name
    target.mkdir(parents=True, exist_ok=True)
    printed = (run / "log.txt").read_text().splitlines(keepends=True)
    files = {
        "log.txt": "".join(line for line in printed if not line.startswith("Logging to ")).encode(),
        "progress.csv": (run / "progress.csv").read_bytes(),
    }
    if run.name.endswith(f"-{FIRST_SEED}"):
        files["events.out.tfevents"] = next(run.glob("events.out.tfevents.*")).read_bytes()
    for name, content in files.items():
        path = target / f"{name}.xz"
        if not path.exists():
            path.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "out" / "returns" / "sb3-contrib"
    for finished in sorted(folder.glob("*/result.json")):
        keep(finished.parent)
        print(finished.parent.name)

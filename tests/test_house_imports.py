"""The house: what a quick command must not load."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "textual", "pandas", "gymnasium", "mujoco", "agent")
LOADED = """
import sys
from trpo_tui.cli import run
code = run(sys.argv[1:])
sys.stdout.flush()
import json
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def loaded_by(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOADED, *arguments], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("no-such-command",)])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(*arguments)

    assert "click" in loaded
    assert loaded.isdisjoint({*HEAVY, "pyarrow", "numpy", "analyzer"})


@pytest.mark.parametrize(
    "command", ["analyze", "compare", "watch", "explain", "rules", "finalize", "demo"]
)
def test_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    loaded = loaded_by(command, "--help")

    assert loaded.isdisjoint({*HEAVY, "pyarrow", "numpy"})


def test_analyzing_a_run_loads_neither_torch_nor_textual_nor_pandas(tmp_path: Path) -> None:
    from runlog.writer import RunLog

    with RunLog(tmp_path / "run") as log:
        for i in range(1, 4):
            log.iteration(iteration=i, kl=0.01, gradient_norm=1.0)

    loaded = loaded_by("analyze", str(tmp_path / "run"))

    assert {"analyzer", "runlog", "numpy"} <= loaded
    assert loaded.isdisjoint(HEAVY)


def test_analyzing_a_printed_log_loads_neither_torch_nor_textual_nor_pandas(
    tmp_path: Path,
) -> None:
    text = "Iteration 1 | Timesteps 2048\n  Policy loss: -0.01\n  KL divergence: 0.008\n"
    (tmp_path / "train.log").write_text(text * 3)

    loaded = loaded_by("analyze", str(tmp_path / "train.log"))

    assert "analyzer" in loaded
    assert loaded.isdisjoint({*HEAVY, "pyarrow"})

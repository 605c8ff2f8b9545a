"""CleanRL's tags in event files, as each of the usual writers writes them. Values are made up.

python tensorboard_logs.py FOLDER, with torch 2.13.0, tensorboard 2.21.0 and tensorboardX 2.6.5.
"""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

BATCH = 256
_NAME = re.compile(r"(events\.out\.tfevents\.\d+\.)[^.]+(?:\.\d+(\.\d+))?")  # host and process
Add = Callable[[str, float, int], None]


def updates(add: Add, first: int, last: int) -> None:
    """Iterations `first` to `last`: episodes end at steps of their own, losses at the batch's end."""
    for i in range(first, last + 1):
        for step in range((i - 1) * BATCH + 100, i * BATCH, 100):
            add("charts/episodic_return", float(step), step)
            add("charts/episodic_length", 100.0, step)
        add("losses/policy_loss", -0.01 / i, i * BATCH)
        add("losses/value_loss", 1.0 / i, i * BATCH)
        add("losses/entropy", 1.4 - 0.01 * i, i * BATCH)
        add("losses/approx_kl", 0.005 + 0.0001 * i, i * BATCH)
        add("losses/explained_variance", 0.1 * i, i * BATCH)
        add("charts/SPS", 1000 + i, i * BATCH)


def main(folder: Path) -> None:
    """Every writer's files below `folder`."""
    import numpy as np
    import tensorboardX
    import torch
    from tensorboard.summary import Writer
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(folder / "torch") as writer:
        updates(writer.add_scalar, 1, 6)
        writer.add_histogram("weights", np.arange(50.0), 1)
        writer.add_text("hyperparameters", "|param|value|", 0)
    time.sleep(1.1)  # names have whole seconds
    with SummaryWriter(folder / "torch") as writer:  # resumed after iteration 4
        updates(writer.add_scalar, 5, 8)
    with SummaryWriter(folder / "tensors") as writer:
        updates(
            lambda tag, value, step: writer.add_scalar(
                tag,
                torch.tensor(value, dtype=torch.float64),
                step,
                new_style=True,
                double_precision=True,
            ),
            1,
            6,
        )
    with tensorboardX.SummaryWriter(str(folder / "tensorboardX")) as writer:
        updates(writer.add_scalar, 1, 6)
    plugin = Writer(str(folder / "plugin"))
    updates(lambda tag, value, step: plugin.add_scalar(tag, np.float32(value), step), 1, 6)
    plugin.close()
    for path in folder.rglob("events.out.tfevents.*"):
        path.rename(path.with_name(_NAME.sub(r"\1host\2", path.name)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

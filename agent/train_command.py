"""`trpo-tui train`: its flags become one training."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.arguments import config_from, resumed, run_folder
from agent.flags import parser, text


def main(arguments: Sequence[str]) -> int:
    """Train as the arguments behind `train` say. Returns the exit code."""
    given = parser().parse_args(text(arguments))
    config = config_from(given)
    source = resumed(given)
    if ":" in config.env:
        # The module that registers it may lie here; at the end, it stands in nobody's way.
        sys.path.append(str(Path.cwd()))
    from agent import faults
    from agent.train import train

    faults.check(config)
    return train(
        config,
        lambda: run_folder(given, config),
        resume=None if source is None else Path(source),
        like=Path(given.like) if "like" in given else None,
        command=shlex.join(["trpo-tui", "train", *arguments]),
        prepare=lambda training: faults.put_in(training, config.fault),
    )

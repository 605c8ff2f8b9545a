"""`python -m agent train …`: what `trpo-tui train` starts."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.arguments import config_from, resumed, run_folder
from agent.flags import parser, text
from runlog.errors import UserError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, train, and say in one line what a user can mend. Returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
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
            command=shlex.join(["trpo-tui", *arguments]),
            prepare=lambda training: faults.put_in(training, config.fault),
        )
    except UserError as error:
        line = " ".join(str(error).splitlines())
        print(f"trpo-tui train: {line}", file=sys.stderr)  # noqa: T201 the command's own voice
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())

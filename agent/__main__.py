"""`python -m agent COMMAND …`: which commands the agent has, and how a user's mistake is told."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

from runlog.errors import UserError

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "train": ("agent.train_command", "main"),
        "probe-env": ("agent.probe_command", "main"),
        "motions": ("agent.motions", "main"),
        "render": ("agent.render", "main"),
    }
)
"""Module and function of each, imported when called; it takes the arguments behind the command and
returns the exit code."""
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and say in one line what a user can mend. Returns the exit code."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    try:
        if name not in COMMANDS:
            raise UserError(f"no command {name!r}: there are {', '.join(COMMANDS)}")
        module, function = COMMANDS[name]
        return int(getattr(import_module(module), function)(rest))
    except UserError as error:
        line = " ".join(str(error).splitlines())
        who = f"trpo-tui {name}" if name in COMMANDS else "trpo-tui"
        print(f"{who}: {line}", file=sys.stderr)  # noqa: T201 the command's own voice
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())

"""The command line: which commands there are, and how a user's mistake is told."""

import errno
import gc
import io
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

import click

from runlog.errors import UserError
from trpo_tui import __version__

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "Train a broken run, watch it, name the cause, train it without the fault.",
        "train": "Train with the built-in TRPO agent (--help lists its options).",
        "watch": "Show a run in the terminal, live or as a replay.",
        "analyze": "Name the cause: runs, logs, a folder of runs, or - for standard input.",
        "compare": "Say where runs part first, and what differs: settings, causes, ends.",
        "explain": "What a code such as TRPO101 means, how it is measured, what to do.",
        "rules": "Every code in one table.",
        "probe-env": "Say what is wrong with an environment before training in it.",
        "motions": "List the motion clips of DPEnv, or check clip files of your own.",
        "render": "Write a short film of a policy beside what it imitates.",
        "report": "Make a bug report that can be published: the run without what is private.",
        "convert": "Make one Parquet file of another trainer's log, or of any run.",
        "finalize": "Make one run.parquet of a run that was killed or stopped.",
        "doctor": "Say in ten lines what this terminal, clipboard and disk can do.",
        "logger": "Print a one-file logger for trainers that cannot install trpo-tui.",
    }
)
"""One line for each command; `module_of` tells where it lies."""

ALSO = ("motions", "render", "report", "convert", "finalize", "doctor", "logger")
"""Commands that the help of a bare call only names."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What writing raises where there is no more room, or the device fails."""

GARBAGE = 50_000
"""New objects between two searches for garbage: imports make many and leave none."""


class Commands(click.Group):
    """Commands whose modules are imported when they are called, so that help stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = import_module(module_of(cmd_name)).command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()), col_max=10)


def module_of(name: str) -> str:
    """The module that has the command of that name as `command`."""
    return f"trpo_tui.commands.{name.replace('-', '_')}"


@click.group(cls=Commands, invoke_without_command=True, add_help_option=True)
@click.version_option(__version__, prog_name="trpo-tui", message="%(prog)s %(version)s")
@click.pass_context
def trpo_tui(ctx: click.Context) -> int | None:
    """Why does my TRPO policy not update?"""
    if ctx.invoked_subcommand is not None:
        return None
    from trpo_tui.here import say_what_is_here

    click.echo(short_help())
    say_what_is_here()
    return None


def short_help() -> str:
    """The twelve lines that a bare `trpo-tui` prints."""
    shown = {name: line for name, line in COMMANDS.items() if name not in ALSO}
    width = max(map(len, shown)) + 2
    lines = ["trpo-tui COMMAND …    Why does my TRPO policy not update?", ""]
    lines += [f"  {name:{width}}{line}" for name, line in shown.items()]
    lines += ["", f"Also {', '.join(ALSO)}: COMMAND --help."]
    return "\n".join(lines)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; bugs keep their traceback."""
    try:
        with trpo_tui.make_context("trpo-tui", list(arguments)) as ctx:
            code = trpo_tui.invoke(ctx)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as mistake:
        return _refuse(_one_line(mistake))
    except UserError as mistake:
        return _refuse(str(mistake))
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # The reader (head, less) is gone: nothing is left to say, and nothing may be said at exit.
        _write_no_more()
        return 141
    except OSError as error:
        # A full disk under the output. An error that names a file is no error of writing results.
        if error.filename is not None or error.errno not in FULL:
            raise
        _write_no_more()
        return _refuse(f"the output cannot be written ({error.strerror})")
    return int(code or 0)


def _write_no_more() -> None:
    """Send what standard output still holds to nowhere, so that nothing is said at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(mistake: click.ClickException) -> str:
    ctx = getattr(mistake, "ctx", None)
    where = f" (see {ctx.command_path} --help)" if ctx is not None else ""
    return " ".join(mistake.format_message().split()).rstrip(".") + where


def _refuse(line: str) -> int:
    print(f"trpo-tui: {' '.join(line.split())}", file=sys.stderr)  # noqa: T201
    return 2


def main() -> None:
    """The console script. A character that this terminal or a file name cannot spell becomes `?`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    gc.set_threshold(GARBAGE)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

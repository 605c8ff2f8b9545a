"""`trpo-tui logger`: the one-file logger for trainers that cannot install this package."""

from pathlib import Path

import click


@click.command("logger")
def command() -> None:
    """Print a logger in one file: `trpo-tui logger > trpo_log.py` (standard library, Python 3.6)."""
    import runlog

    click.echo((Path(runlog.__file__).parent / "trpo_log.py").read_text("utf-8"), nl=False)

"""`trpo-tui doctor`: what this terminal and this disk can do."""

from pathlib import Path

import click


@click.command("doctor")
@click.argument("folder", type=click.Path(exists=True, file_okay=False), default=".")
def command(folder: str) -> None:
    """Say in ten lines what this terminal, clipboard and the disk of FOLDER can do."""
    from trpo_tui.doctor import report

    for name, found in report(Path(folder)):
        click.echo(f"{name:10} {found}")

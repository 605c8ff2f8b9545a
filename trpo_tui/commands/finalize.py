"""`trpo-tui finalize`: one run.parquet of a run that ended early."""

import click


@click.command("finalize")
@click.argument("run", type=click.Path())
def command(run: str) -> None:
    """Make one run.parquet of RUN, a run folder that was killed, stopped or crashed."""
    from runlog.publish import finalize

    click.echo(f"written: {finalize(run)}")

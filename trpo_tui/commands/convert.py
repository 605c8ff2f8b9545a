"""`trpo-tui convert`: any log as one Parquet file."""

import click


@click.command("convert")
@click.argument("path", metavar="PATH")
@click.option(
    "-o", "--output", metavar="FILE", required=True, help="The file to write: run.parquet."
)
@click.option(
    "--map", "pairs", metavar="THEIRS=OURS", multiple=True, help="Read a key as a column."
)
@click.option("--from", "from_format", metavar="FORMAT", help="Take the log to be of this format.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Take the N-th start.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def command(
    path: str,
    output: str,
    pairs: tuple[str, ...],
    from_format: str | None,
    attempt: int | None,
    force: bool,
) -> None:
    """Write PATH, a log of another trainer or a run, to one Parquet file.

    The file holds every column that was understood, and beside each how precisely it was printed
    (resolution_NAME); analyze, watch, pandas, Polars and DuckDB read it.
    """
    from runlog.convert import convert
    from runlog.reader import open_run
    from trpo_tui.options import asked, say_notes, summary_of

    how = asked(pairs)
    say_notes(how.notes)
    run = open_run(path, attempt=attempt, mapping=how.mapping, from_format=from_format)
    click.echo(f"written: {convert(run, output, force=force)}: {summary_of(run)}")

"""`trpo-tui compare`: runs side by side."""

import click


@click.command("compare")
@click.argument("paths", metavar="A B…", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to write the report.",
)
@click.option("-o", "--output", metavar="FILE", help="Write the report to FILE.")
@click.option(
    "--map", "pairs", metavar="THEIRS=OURS", multiple=True, help="Read a key as a column."
)
@click.option("--from", "from_format", metavar="FORMAT", help="Take the logs to be of this format.")
def command(
    paths: tuple[str, ...],
    form: str,
    output: str | None,
    pairs: tuple[str, ...],
    from_format: str | None,
) -> None:
    """Say what differs between runs: settings, the first link that parts, diagnoses, how they end.

    The first run is what the others are held against. Each is a run folder, a run.parquet, a log,
    or a folder of runs. Exit code: 0, or 2 where something could not be read.
    """
    from trpo_tui import options
    from trpo_tui.comparing import compared

    runs, _ = options.expanded(paths)
    asked = options.asked(pairs)
    options.say_notes(asked.notes)
    told = compared(runs, form, mapping=asked.mapping, from_format=from_format, ignore=asked.ignore)
    options.deliver(told, output)

"""`trpo-tui analyze`: name the cause."""

import click


@click.command("analyze")
@click.argument("paths", metavar="PATH…", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json", "html"]),
    default="text",
    show_default=True,
    help="How to write the report.",
)
@click.option("-o", "--output", metavar="FILE", help="Write the report to FILE.")
@click.option("--why", metavar="CODE", help="Show the numbers behind one code, found or not.")
@click.option("--guide-only", is_flag=True, help="Walk the guide's six checks and nothing else.")
@click.option(
    "--map", "pairs", metavar="THEIRS=OURS", multiple=True, help="Read a key as a column."
)
@click.option("--from", "from_format", metavar="FORMAT", help="Take the log to be of this format.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Look at the N-th start.")
@click.option("--ignore", metavar="CODE[=REASON]", multiple=True, help="Leave a code out.")
@click.option(
    "--fail-on",
    metavar="CODE",
    multiple=True,
    help="Exit 1 only for these: codes, families (TRPO1), states (killed).",
)
@click.option("-v", "--verbose", is_flag=True, help="Say what every rule answered.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Color the text report.",
)
def command(
    paths: tuple[str, ...],
    form: str,
    output: str | None,
    why: str | None,
    guide_only: bool,
    pairs: tuple[str, ...],
    from_format: str | None,
    attempt: int | None,
    ignore: tuple[str, ...],
    fail_on: tuple[str, ...],
    verbose: bool,
    color: str,
) -> int:
    """Name the cause of what is wrong in each PATH.

    A PATH is a run folder, a run.parquet, the zip of a bug report, a log that another trainer printed,
    a folder of runs, or - for standard input. What trpo-tui.toml says is added to the options. Exit code: 0 no fault, 1 a fault, 2 something could not be read.
    """
    from trpo_tui import analysis, options, printing

    asked = options.asked(pairs, ignore, fail_on)
    reading = analysis.Reading(
        attempt=attempt,
        mapping=asked.mapping,
        from_format=from_format,
        ignore=asked.ignore,
        notes=asked.notes,
    )
    style = printing.Style(
        form=form,
        why=options.code_of(why),
        guide_only=guide_only,
        verbose=verbose,
        colour=options.wants_color(color) and output is None,
        plain=options.speaks_plainly(),
        notes=asked.notes,
    )
    runs, several = options.expanded(paths)
    found = analysis.analyze_runs(runs, reading, several=several)
    if why is not None or guide_only:  # these say what they were asked and nothing else
        options.say_notes(asked.notes)
    options.deliver(printing.printed(found, style, several=several), output)
    return analysis.exit_code(found, asked.fail_on)

"""`trpo-tui report`: the bug report."""

import click


@click.command("report")
@click.argument("run", metavar="RUN")
@click.option("-o", "--output", metavar="FILE", required=True, help="The zip to write: bug.zip.")
@click.option(
    "--map", "pairs", metavar="THEIRS=OURS", multiple=True, help="Read a key as a column."
)
@click.option("--from", "from_format", metavar="FORMAT", help="Take the log to be of this format.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Report on the N-th start.")
@click.option("--ignore", metavar="CODE[=REASON]", multiple=True, help="Leave a code out.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def command(
    run: str,
    output: str,
    pairs: tuple[str, ...],
    from_format: str | None,
    attempt: int | None,
    ignore: tuple[str, ...],
    force: bool,
) -> None:
    """Write a zip that can be published: RUN, its reports and versions, without what is private.

    Home folders, names of users and hosts, job ids, passwords, tokens and e-mail addresses are cut
    out of every text; checkpoints stay here. analyze, watch, convert and train --like open the zip.
    """
    from pathlib import Path

    from runlog.reader import open_run
    from trpo_tui.bug_report import bug_report, told, write
    from trpo_tui.options import asked

    how = asked(pairs, ignore)
    found = open_run(run, attempt=attempt, mapping=how.mapping, from_format=from_format)
    report = bug_report(found, Path(output).name, ignore=how.ignore, notes=how.notes)
    click.echo(told(report, write(report, output, force=force), found))

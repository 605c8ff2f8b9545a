"""`trpo-tui watch`: a run in the terminal."""

import click


@click.command("watch")
@click.argument("path", type=click.Path(), default=".")
@click.option("--plain", is_flag=True, help="Print lines instead of opening the screen.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.5),
    default=30.0,
    show_default=True,
    metavar="S",
    help="Seconds after which a line is printed although nothing changed.",
)
@click.option(
    "--map", "pairs", metavar="THEIRS=OURS", multiple=True, help="Read a key as a column."
)
@click.option(
    "--notify-cmd",
    metavar="COMMAND",
    help="With --plain: run this, once for each change of state or cause of a run below PATH; "
    "{run} {path} {state} {code} {text} are filled in. No shell.",
)
@click.option("--from", "from_format", metavar="FORMAT", help="Take the log to be of this format.")
def command(
    path: str,
    plain: bool,
    every: float,
    pairs: tuple[str, ...],
    notify_cmd: str | None,
    from_format: str | None,
) -> int:
    """Show PATH, live or as a replay: a run, a log that may still grow, a folder of runs, or -.

    Without PATH: the runs found here.
    """
    from functools import partial

    from runlog.errors import UserError
    from trpo_tui.app import watch
    from trpo_tui.notifying import command_of
    from trpo_tui.options import asked, wants_lines
    from trpo_tui.plain import watch_plain

    lines = wants_lines(plain)
    show = watch_plain if lines else watch
    if notify_cmd is not None:
        if not lines:
            raise UserError("--notify-cmd: goes with --plain")
        show = partial(watch_plain, command=command_of(notify_cmd))
    how = asked(pairs)
    return show(
        path,
        every=every,
        mapping=how.mapping,
        from_format=from_format,
        ignore=how.ignore,
        notes=how.notes,
    )

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
def command(path: str, plain: bool, every: float) -> int:
    """Show PATH, live or as a replay: a run, a log that may still grow, a folder of runs, or -.

    Without PATH: the runs found here.
    """
    from trpo_tui.options import wants_lines

    if wants_lines(plain):
        from trpo_tui.plain import watch_plain

        return watch_plain(path, every=every)
    from trpo_tui.app import watch

    return watch(path, every=every)

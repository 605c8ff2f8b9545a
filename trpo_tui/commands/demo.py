"""`trpo-tui demo`: a broken run and the same run without the fault."""

import click


@click.command("demo")
@click.option("--keep", metavar="DIR", help="Write both runs below DIR.")
@click.option("--iterations", type=click.IntRange(12), default=30, show_default=True)
@click.option("--plain", is_flag=True, help="Print lines instead of opening the screen.")
def command(keep: str | None, iterations: int, plain: bool) -> int:
    """Train a run whose reward is constant, watch it, name the cause, train it without the fault."""
    from pathlib import Path

    from trpo_tui.demo import demo
    from trpo_tui.options import wants_lines

    return demo(Path(keep) if keep else None, iterations, lines=wants_lines(plain))

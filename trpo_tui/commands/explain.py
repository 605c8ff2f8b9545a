"""`trpo-tui explain`: one code in full."""

import click


@click.command("explain")
@click.argument("code")
def command(code: str) -> None:
    """Say what CODE (TRPO101, or 101) means, how it is measured and what to do."""
    from analyzer.reports.explaining import explain
    from trpo_tui.options import speaks_plainly

    click.echo(explain(code, plain=speaks_plainly()), nl=False)

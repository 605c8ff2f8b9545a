"""`trpo-tui rules`: every code in one table."""

import click


@click.command("rules")
def command() -> None:
    """List every code with its name, level and title."""
    from analyzer.reports.tables import rules_table

    click.echo(rules_table(), nl=False)

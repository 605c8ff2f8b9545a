"""`trpo-tui train`: hand everything to the agent process, unchanged."""

import click


class HandedOn(click.Command):
    """A command that leaves its arguments, --help included, to another program."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.args = args
        return args


@click.command("train", cls=HandedOn, add_help_option=False)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Train with the built-in TRPO agent."""
    from trpo_tui.agent_process import run_agent

    return run_agent(["train", *ctx.args])

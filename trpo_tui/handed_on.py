"""A command of the agent: its arguments go to the agent process, unchanged."""

import click


class HandedOn(click.Command):
    """A command that leaves its arguments, --help included, to another program."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.args = args
        return args


def handed_on(name: str, meaning: str) -> click.Command:
    """The command `name`, which the agent process does."""

    @click.command(name, cls=HandedOn, add_help_option=False, help=meaning)
    @click.pass_context
    def command(ctx: click.Context) -> int:
        from trpo_tui.agent_process import run_agent

        return run_agent([name, *ctx.args])

    return command

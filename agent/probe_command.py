"""`trpo-tui probe-env`: the guide's Quick Fix 1 for any Gymnasium environment."""

import argparse
import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.arguments import env_args
from agent.flags import Parser, text
from runlog.errors import UserError

FEWEST, MOST_SEED = 10, 2**32 - 1


def parser() -> Parser:
    """The command line of `probe-env`."""
    probe = Parser(
        prog="trpo-tui probe-env",
        description="Act at random, and not at all, in a Gymnasium environment, and say what is"
        " wrong with it before anything is trained: the debugging guide's Quick Fix 1."
        " Exit code: 0 nothing is wrong, 1 something is, 2 there is no such environment.",
        allow_abbrev=False,
    )
    probe.add_argument(
        "env",
        metavar="ID",
        help="Gymnasium id, such as Hopper-v5; MODULE:ID imports a module first",
    )
    probe.add_argument(
        "--env-arg",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="argument of the environment; may be given again",
    )
    probe.add_argument(
        "--steps",
        metavar="N",
        type=_number(FEWEST, 10**9),
        default=1000,
        help="random steps, and as many with the action 0 [1000]",
    )
    probe.add_argument(
        "--seed",
        metavar="N",
        type=_number(0, MOST_SEED),
        default=0,
        help="of the environment and the random actions [0]",
    )
    probe.add_argument("--json", action="store_true", help="one object of JSON instead of text")
    return probe


def main(arguments: Sequence[str]) -> int:
    """Probe as the arguments say. Returns the exit code."""
    given = parser().parse_args(text(arguments))
    values = env_args(given.env_arg)
    if ":" in given.env:
        # The module that registers it may lie here; at the end, it stands in nobody's way.
        sys.path.append(str(Path.cwd()))
    import numpy as np

    from agent.envs.gym import versioned
    from agent.probe import probe
    from agent.probe_json import as_json
    from agent.probe_report import as_text
    from agent.probe_verdict import findings
    from agent.results import say

    with contextlib.redirect_stdout(sys.stderr):  # what an environment prints is no result
        name = versioned(given.env)
        probed = probe(lambda: _made(name, values), name, values, given.steps, given.seed)
    with np.errstate(all="ignore"):  # of rewards near the largest number there is
        found = findings(probed)
        said = as_json(probed, found) if given.json else as_text(probed, found)
    say(said)
    return int(any(finding.level == "wrong" for finding in found))


def _made(env_id: str, values: Mapping[str, Any]) -> Any:
    """The environment. UserError in one line, whatever its constructor raises."""
    from agent.envs.gym import make_one
    from agent.probe_walk import described

    try:
        return make_one(env_id, values)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{env_id} cannot be made: {described(error)}") from error


def _number(least: int, most: int) -> Any:
    def parse(given: str) -> int:
        try:
            value = int(given)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"{given}: must be a whole number from {least:,} to {most:,}"
            )
        return value

    return parse

"""What the options of several commands mean: --map, --ignore, --fail-on, --color."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import get_args

from runlog.errors import UserError


def mapping_of(pairs: Sequence[str]) -> Mapping[str, str]:
    """`theirs=ours` pairs as a mapping; ours must be a declared column."""
    from runlog.schema import BY_NAME

    mapping = {}
    for pair in pairs:
        theirs, equals, ours = pair.rpartition("=")
        if not equals or not theirs:
            raise UserError(f"--map {pair}: write theirs=ours, such as --map mean_kl=kl")
        if ours not in BY_NAME:
            raise UserError(f"--map {pair}: there is no column {ours}{_near(ours, BY_NAME)}")
        mapping[theirs] = ours
    return mapping


def code_of(text: str) -> str:
    """`101`, `trpo101` or `TRPO101` as TRPO101; unknown codes are refused."""
    from analyzer.rules import BY_CODE

    code = text.upper()
    code = code if code.startswith("TRPO") else f"TRPO{code}"
    if code not in BY_CODE:
        raise UserError(f"there is no code {text}{_near(code, BY_CODE)}; trpo-tui rules lists them")
    return code


def ignored_of(texts: Sequence[str]) -> Mapping[str, str]:
    """`CODE` or `CODE=reason` as code → reason."""
    parts = [text.partition("=") for text in texts]
    return {code_of(code): reason for code, _, reason in parts}


def fail_on_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Codes, families such as TRPO1, and names of states or verdicts; commas may join them."""
    from analyzer.diagnosis import Verdict
    from analyzer.rules import BY_CODE
    from runlog.run import StateName

    words = (*get_args(StateName), *get_args(Verdict))
    wanted = []
    for name in (name.strip() for text in texts for name in text.split(",")):
        code = f"TRPO{name.upper().removeprefix('TRPO')}"
        if name in words:
            wanted.append(name)
        elif name and any(known.startswith(code) for known in BY_CODE):
            wanted.append(code)
        else:
            raise UserError(
                f"--fail-on {name}: neither a code or family (TRPO101, TRPO1)"
                f" nor one of {', '.join(words)}"
            )
    return tuple(wanted)


def wants_color(choice: str) -> bool:
    """Whether to color standard output: `always`, `never`, or `auto` (a terminal, no NO_COLOR)."""
    if choice != "auto":
        return choice == "always"
    dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))
    return sys.stdout.isatty() and not dumb


def wants_lines(plain: bool) -> bool:
    """Whether to print lines instead of opening the screen."""
    dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("TRPO_TUI_PLAIN"))
    return plain or dumb or not sys.stdout.isatty()


def _near(name: str, known: Mapping[str, object]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""

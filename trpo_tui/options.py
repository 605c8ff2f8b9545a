"""What the options of several commands mean: paths, --map, --ignore, --fail-on, --color, -o."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from runlog.errors import UserError

if TYPE_CHECKING:
    from runlog.run import Run


def mapping_of(pairs: Sequence[str]) -> Mapping[str, str]:
    """`theirs=ours` pairs as a mapping; ours must be a declared column."""
    mapping = {}
    for pair in pairs:
        theirs, equals, ours = pair.rpartition("=")
        if not equals or not theirs:
            raise UserError(f"--map {pair}: write theirs=ours, such as --map mean_kl=kl")
        try:
            mapping[theirs] = column_called(ours)
        except UserError as error:
            raise UserError(f"--map {pair}: {error}") from error
    return mapping


def column_called(name: str) -> str:
    """The name of a declared column; another is refused."""
    from runlog.schema import BY_NAME

    if name not in BY_NAME:
        raise UserError(f"there is no column {name}{_near(name, BY_NAME)}")
    return name


def code_of(text: str | None) -> str | None:
    """`101`, `TRPO101` or `constant-reward` as TRPO101; unknown ones are refused."""
    return None if text is None else code_called(text)


def code_called(text: str) -> str:
    """The same of a text that is there."""
    from analyzer.reports.explaining import rule_called

    return rule_called(text).code


def ignored_of(texts: Sequence[str]) -> Mapping[str, str]:
    """`CODE` or `CODE=reason` as code → reason."""
    parts = [text.partition("=") for text in texts]
    return {code_called(code): reason.strip() for code, _, reason in parts}


def fail_on_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Codes, families such as TRPO1, and names of states or verdicts; commas may join them."""
    names = [name.strip() for text in texts for name in text.split(",")]
    try:
        return tuple(map(failing, names))
    except UserError as error:
        raise UserError(f"--fail-on {error}") from error


def failing(name: str) -> str:
    """A code, a family, a rule's name, a state or a verdict, as it is compared."""
    from analyzer.diagnosis import Verdict
    from analyzer.rules import BY_CODE
    from runlog.run import StateName

    words = (*get_args(StateName), *get_args(Verdict))
    code = f"TRPO{name.upper().removeprefix('TRPO')}"
    called = [rule.code for rule in BY_CODE.values() if rule.name == name.lower()]
    if name in words:
        return name
    if called:
        return called[0]
    if not name or not any(known.startswith(code) for known in BY_CODE):
        raise UserError(
            f"{name}: neither a code, a family or a name (TRPO101, TRPO1, constant-reward)"
            f" nor one of {', '.join(words)}"
        )
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for on the command line and in the project's file together.

    `notes`: what came from the file, to be said in every report.
    """

    mapping: Mapping[str, str]
    ignore: Mapping[str, str]
    fail_on: tuple[str, ...]
    notes: tuple[str, ...]


def asked(
    pairs: Sequence[str] = (), ignore: Sequence[str] = (), fail_on: Sequence[str] = ()
) -> Asked:
    """--map, --ignore and --fail-on added to what trpo-tui.toml says; they win over it."""
    from trpo_tui.project_file import project_file

    mapping, ignored, failing_on = mapping_of(pairs), ignored_of(ignore), fail_on_of(fail_on)
    file = project_file()
    if file is None:
        return Asked(mapping=mapping, ignore=ignored, fail_on=failing_on, notes=())
    return Asked(
        mapping={**file.mapping, **mapping},
        ignore={**file.ignore, **ignored},
        fail_on=tuple(dict.fromkeys((*file.fail_on, *failing_on))),
        notes=file.notes,
    )


def say_notes(notes: Sequence[str]) -> None:
    """Tell beside the results what came from the project's file."""
    for note in notes:
        print(f"trpo-tui: {note}", file=sys.stderr)  # noqa: T201


def wants_color(choice: str) -> bool:
    """Whether to color standard output: `always`, `never`, or `auto` (a terminal, no NO_COLOR)."""
    if choice != "auto":
        return choice == "always"
    dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))
    return sys.stdout.isatty() and not dumb


def _asks_for_lines() -> bool:
    return os.environ.get("TRPO_TUI_PLAIN", "") not in ("", "0")


def speaks_plainly() -> bool:
    """Whether to write numbered sections in ASCII: TRPO_TUI_PLAIN, or output that knows no more."""
    return _asks_for_lines() or not (sys.stdout.encoding or "utf-8").lower().startswith("utf")


def wants_lines(plain: bool) -> bool:
    """Whether to print lines instead of opening the screen."""
    from trpo_tui.terminal import screen_possible

    return plain or _asks_for_lines() or not screen_possible()


def expanded(paths: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """The runs that paths stand for, and whether several were asked for: a folder of runs counts."""
    from trpo_tui.places import runs_below

    found: list[str] = []
    several = len(paths) > 1
    for path in paths:
        if path == "-" or not _folder_of_runs(path, several=several):
            found.append(path)
            continue
        below = runs_below(path)
        if not below:
            raise UserError(f"{path}: no run in this folder; give a run, a log or a folder of runs")
        found += below
        several = True
    return tuple(found), several


def _folder_of_runs(path: str, *, several: bool) -> bool:
    from trpo_tui.places import is_folder_of_runs

    try:
        return is_folder_of_runs(path)
    except UserError:  # a host that cannot be reached
        if not several:
            raise
        return False  # opening it will say so once more, and not stop the others


def summary_of(run: "Run") -> str:
    """`312 rows, 14 columns`; of a log also how many of its keys became columns, and which not."""
    rows = f"{len(run)} row{'' if len(run) == 1 else 's'}"
    if run.source is None:
        return f"{rows}, {len(run.types)} columns"
    unknown = [key if key.isprintable() else ascii(key) for key in run.source.not_understood]
    text = f"{rows}, {len(run.source.understood)} keys understood, {len(unknown)} not"
    if not unknown:
        return text
    return f"{text} ({', '.join(unknown[:6])}{', …' if len(unknown) > 6 else ''})"


def deliver(text: str, output: str | None) -> None:
    """Print the text, or write it to the file `output`."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{output}: cannot be written ({error.strerror or error})") from error


def _near(name: str, known: Mapping[str, object]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""

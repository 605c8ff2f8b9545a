"""Pages written from the code: `python -m trpo_tui.generate` writes them, `--check` says which are stale."""

import sys
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTE = "<!-- Written by `make docs`; change the code it is made from instead. -->\n"


def columns_page() -> str:
    """docs/columns.md from runlog/schema.py."""
    from runlog.schema import COLUMNS, SCHEMA_VERSION

    lines = [
        NOTE,
        "# The columns of a run log",
        "",
        f"One row per TRPO iteration, {len(COLUMNS)} declared columns, schema {SCHEMA_VERSION}."
        " A null means: not measured, or not defined in this iteration. A NaN means: a computation"
        " returned it. Columns with other names are kept as they are.",
        "",
        "*When* says what the number was measured on; ⏱ marks what a clock measured, all else is the"
        " same, bit for bit, in two runs of one seed.",
    ]
    for group, columns in groupby(COLUMNS, key=lambda column: column.group):
        lines += ["", f"## {group.capitalize()}", ""]
        lines += ["| column | type | unit | when | meaning |", "|---|---|---|---|---|"]
        lines += [
            f"| `{c.name}`{' ⏱' if c.clocked else ''} | {_cell(c.type)} | {_cell(c.unit)}"
            f" | {c.when} | {_cell(c.meaning)} |"
            for c in columns
        ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/columns.md": columns_page,
}


def stale(root: Path) -> tuple[str, ...]:
    """Names of the pages that differ from what the code says."""
    return tuple(name for name, page in PAGES.items() if _text(root / name) != page())


def write(root: Path) -> tuple[str, ...]:
    """Write the pages that are stale; returns their names."""
    names = stale(root)
    for name in names:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(PAGES[name](), encoding="utf-8")
    return names


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: list[str]) -> int:
    """`--check`: exit 1 and name what is stale; else write it."""
    if arguments == ["--check"]:
        names = stale(ROOT)
        for name in names:
            print(f"{name} is stale: make docs", file=sys.stderr)  # noqa: T201
        return int(bool(names))
    for name in write(ROOT):
        print(f"written: {name}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Pages written from the code: `python -m trpo_tui.generate` writes them, `--check` says which are stale."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from runlog.errors import UserError

if TYPE_CHECKING:
    from analyzer.diagnosis import Diagnosis
    from runlog.importers.formats.format import Key

ROOT = Path(__file__).resolve().parent.parent
BEGINS = "<!-- diagnosis: written by `make docs` -->"
ENDS = "<!-- end of the diagnosis -->"
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


def rules_page() -> str:
    """docs/rules.md from the rules themselves."""
    from analyzer.reports.explaining import explain
    from analyzer.rules import RULES

    rules = sorted(RULES, key=lambda rule: rule.code)
    lines = [
        NOTE,
        "# The rules",
        "",
        "A code's hundreds digit is the section of the debugging guide it belongs to (1 to 6); 0xx asks"
        " whether the log can be trusted, 7xx is the critic, 8xx the policy. A code is never reused."
        " Only a fault can be the cause of a run's trouble or change the exit code.",
        "",
        "| code | name | level | link | what |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| [{r.code}](#{r.code.lower()}) | {r.name} | {r.level} | {r.link} | {_cell(r.title)} |"
        for r in rules
    ]
    lines += ["", *_alignment_table()]
    for rule in rules:
        lines += ["", f"## {rule.code}", "", "```", explain(rule).rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def _alignment_table() -> tuple[str, ...]:
    """What separates the four codes that speak of a signal lost between rewards and gradient."""
    from analyzer import recursions
    from analyzer.rules import BY_CODE
    from analyzer.rules.alignment import NOT_FIRST_ORDER, OTHER_SURROGATE
    from analyzer.rules.noise import NOTHING, POOLED

    codes = ("TRPO005", "TRPO006", "TRPO107", "TRPO207")
    wrong = f"another one, named ({recursions.KINDS[recursions.SIGN]}; …)"
    rows = (
        (
            "recursion of the window's advantages (I10)",
            (
                wrong,
                f"right, or {recursions.KINDS[recursions.NONE]}",
                recursions.KINDS[recursions.VALUES],
                "right",
            ),
        ),
        (
            "value loss = std² + mean² of the raw advantages (I17)",
            ("holds", "holds", "broken, or the row above", "holds"),
        ),
        (
            "policy_loss_before − policy_loss = actual_improvement",
            (
                "holds",
                f"off by more than {OTHER_SURROGATE:g} of it, or the next row",
                "holds",
                "holds",
            ),
        ),
        (
            "gain / (β·gᵀs) as β → 0, and mean(Â·log ratio) / (β·gᵀs) (I13)",
            ("1", f"below {NOT_FIRST_ORDER:g} and not −1 (that is TRPO205)", "1", "1"),
        ),
        (
            f"gradient_cosine against permuted advantages, {POOLED} measurements pooled (I12)",
            (
                "any",
                "any",
                "any",
                f"below {NOTHING:g} standard errors, with a return that does not rise",
            ),
        ),
        ("level", tuple(BY_CODE[code].level for code in codes)),
    )
    return (
        "## A signal lost between rewards and gradient: 005, 006, 107 or 207",
        "",
        "I12 alone decides nothing: healthy runs and the other three come near 0 too.",
        "",
        "| what is seen | " + " | ".join(f"{code} {BY_CODE[code].name}" for code in codes) + " |",
        "|---" * 5 + "|",
        *(f"| {_cell(seen)} | " + " | ".join(map(_cell, cells)) + " |" for seen, cells in rows),
    )


def formats_page() -> str:
    """docs/formats.md from what the importers know of every trainer."""
    from runlog.importers.file_formats import FILE_FORMATS
    from runlog.importers.formats import FORMATS

    lines = [
        NOTE,
        "# Logs of other trainers",
        "",
        "What is understood of each, under the name `--from` takes. × is a factor, `log` the logarithm,"
        " `*` any name; what is not listed can be named with `--map theirs=ours`. Every number carries the"
        " precision it was printed with. What the trainers really print: `tests/foreign_logs`.",
    ]
    for format_ in sorted((*FORMATS, *FILE_FORMATS), key=lambda found: found.name):
        lines += ["", f"## {format_.name}", ""]
        lines += [f"- {sentence}" for sentence in format_.assumptions]
        shown = [_template(line) for line in (format_.header, *format_.lines) if line]
        shown += [f"| `{_cell(their)}` | {_meaning(key)} |" for their, key in format_.keys.items()]
        lines += ["", "| theirs | ours |", "|---|---|", *shown] if shown else []
    return "\n".join(lines) + "\n"


def _template(line: str) -> str:
    place = re.compile(r"\{(\w+)\}")
    columns = ", ".join(f"`{name}`" for name in place.findall(line) if name != "_")
    return f"| `{_cell(place.sub('…', line))}` | {columns} |"


def _meaning(key: "Key") -> str:
    logarithm = f"log of it as `{key.column}`" if key.log else f"`{key.column}`"
    factor = "" if key.factor == 1 else f", × {key.factor:g}"
    offset = "" if key.offset == 0 else f", {key.offset:+g}"
    return logarithm + factor + offset


def schema_page() -> str:
    """docs/report.schema.json from the declared shape of the JSON report."""
    import json

    from analyzer.reports.json_schema import schema

    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def samples_page() -> str:
    """sample_logs/README.md from the runs that lie there."""
    from runlog.folder import find_runs
    from trpo_tui.analysis import analyze_run

    lines = [
        NOTE,
        "# Sample logs",
        "",
        "Runs as the agent wrote them; `make samples` trains them again. A broken run's folder is named"
        " after the code that `trpo-tui analyze` finds in it: as the cause, or as a warning or a note"
        " where the code is no more than that. What is wrong in it is a real change of the"
        " environment, the update or a setting; no number was edited.",
        "",
        "| run | iterations | found | made with |",
        "|---|---|---|---|",
    ]
    for folder in find_runs(ROOT / "sample_logs"):
        judged = analyze_run(str(folder))
        if judged.run is None or judged.diagnosis is None:
            continue
        found = _found(judged.diagnosis, folder.name.partition("-")[0])
        made = judged.run.metadata.get("command")
        lines.append(f"| `{folder.name}` | {len(judged.run)} | {found} | `{made}` |")
    return "\n".join(lines) + "\n"


def _found(diagnosis: "Diagnosis", named: str) -> str:
    """The cause; without one the code the sample is named after and its level, or the verdict."""
    if diagnosis.cause is not None:
        return f"{diagnosis.cause.code} {diagnosis.cause.name}"
    for mild in diagnosis.findings:
        if mild.code == named:
            level = "a note" if mild.level == "info" else "a warning"
            return f"{mild.code} {mild.name}, {level} ({diagnosis.verdict}, exit 0)"
    return diagnosis.verdict


def readme_page() -> str:
    """README.md with the report of a sample between its two marks."""
    from trpo_tui.analysis import analyze_run
    from trpo_tui.printing import Style, printed

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    before, begins, rest = text.partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    path = "sample_logs/TRPO101-constant-reward"
    judged = replace(analyze_run(str(ROOT / path)), path=path)
    report = printed([judged], Style(), several=False)
    shown = f"\n```console\n$ trpo-tui analyze {path}\n{report}```\n"
    return before + begins + shown + ends + after


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/columns.md": columns_page,
    "docs/rules.md": rules_page,
    "docs/formats.md": formats_page,
    "docs/report.schema.json": schema_page,
    "sample_logs/README.md": samples_page,
    "README.md": readme_page,
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
    try:
        names = stale(ROOT) if arguments == ["--check"] else write(ROOT)
    except UserError as mistake:
        print(f"{mistake}; make samples trains the runs that are missing", file=sys.stderr)  # noqa: T201
        return 2
    checking = arguments == ["--check"]
    for name in names:
        print(f"{name} is stale: make docs" if checking else f"written: {name}")  # noqa: T201
    return int(checking and bool(names))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

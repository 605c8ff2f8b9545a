"""Public tools that diagnose training runs, asked about the fault bench's runs, beside this analyzer.

    python benchmarks/diagnosis_peers.py --out benchmarks/out/fault_bench [--part held]

Each tool lives in an environment of its own below benchmarks/out/diagnosis and reads the export it
was made for, with every number of the run that it has a name for. A tool is right when one of its
findings above a note, not only the first, stands for a code of the label; it raises an alarm on a
healthy run when it has any such finding. This analyzer is held to its one cause, and to no fault at
any prefix of a healthy run; the guide's own tree to the section at which it stops in the last row.
Faults that did nothing are left out, for all alike.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import beside  # noqa: F401
import numpy as np
from bench_cases import cases
from bench_judging import Score, judge
from bench_runs import place
from bench_scores import by_kind, guide_names, harmless
from fault_bench import independent
from peer_terms import EXPORTS, MEANS

from runlog import open_run
from runlog.run import Run

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE / "out" / "diagnosis"
SOLVED = 6
"""The guide's section that is no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a tool said of the runs. `columns`: how many it reads."""

    tool: str
    columns: str
    named: frozenset[str]
    """Runs whose fault it named."""
    alarmed: frozenset[str]
    """Runs in which it found anything."""
    refused: int = 0


def environment(tool: str) -> Path:
    """The Python of a tool's environment, made if it is not there."""
    folder = ENVIRONMENTS / tool
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pinned = HERE / "peers" / f"{tool}.txt"
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "-r", str(pinned)], check=True
        )
    return python


def rows_of(run: Run, names: Mapping[str, str]) -> list[dict[str, float]]:
    """The run's rows under a tool's names; what is null is left out."""
    known = {theirs: run.column(ours) for theirs, ours in names.items() if ours in run.types}
    return [
        {name: float(c.values[i]) for name, c in known.items() if c.present[i]}
        for i in range(len(run))
    ]


def export(run: Run, tool: str, place: Path) -> Path:
    """Write the run as the tool reads it."""
    form, names = EXPORTS[tool]
    rows = rows_of(run, names)
    if form == "json":
        path = place.with_suffix(".json")
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path
    path = place.with_suffix(".csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(names))
        table.writeheader()
        table.writerows(rows)
    return path


def asked(tool: str, runs: Mapping[str, Path]) -> dict[str, list[str]]:
    """The tool's findings on each run."""
    with tempfile.TemporaryDirectory() as folder:
        files = {
            name: str(export(open_run(path), tool, Path(folder) / str(number)))
            for number, (name, path) in enumerate(runs.items())
        }
        done = subprocess.run(
            [str(environment(tool)), str(HERE / "peers" / "ask.py"), tool],
            input=json.dumps(files),
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict[str, list[str]] = json.loads(done.stdout[done.stdout.index("{") :])
    return found


def peer(tool: str, scores: Sequence[Score]) -> Asked:
    """A public tool on the runs that were scored."""
    found = asked(tool, {score.case.title: score.path for score in scores})
    label = {score.case.title: set(score.case.label) for score in scores}
    return Asked(
        tool=tool,
        columns=str(len(EXPORTS[tool][1])),
        named=frozenset(
            run
            for run, findings in found.items()
            if any(MEANS[tool].get(name, frozenset()) & label[run] for name in findings)
        ),
        alarmed=frozenset(run for run, said in found.items() if set(said) - {"refused"}),
        refused=sum("refused" in findings for findings in found.values()),
    )


def this_analyzer(scores: Sequence[Score]) -> Asked:
    """Its cause at the last iteration, its alarms at any."""
    return Asked(
        tool="this analyzer, cause only",
        columns="all",
        named=frozenset(s.case.title for s in scores if s.cause in s.case.label),
        alarmed=frozenset(s.case.title for s in scores if s.alarms),
    )


def guide(scores: Sequence[Score]) -> Asked:
    """The guide's own tree, taken literally: `trpo-tui analyze --guide-only`."""
    return Asked(
        tool="the guide's own tree, section only",
        columns=str(SOLVED),
        named=frozenset(s.case.title for s in scores if guide_names(s)),
        alarmed=frozenset(s.case.title for s in scores if s.guide not in (None, SOLVED)),
    )


def table(found: Sequence[Asked], scores: Sequence[Score]) -> Iterator[str]:
    """Macro share of faults named, and alarms on healthy runs, as Markdown."""
    without = harmless(scores)
    healthy = [score.case.title for score in scores if not score.case.label]
    yield (
        "| tool | columns it reads | macro | faults named in most runs | runs named "
        "| healthy runs with an alarm | refused |"
    )
    yield "|---|---|---|---|---|---|---|"
    for each in found:
        kinds = by_kind(scores, without, each.named)
        shares = [float(np.mean(runs)) for runs in kinds.values()]
        macro = f"{np.mean(shares):.1%}" if shares else "–"
        yield (
            f"| {each.tool} | {each.columns} | {macro} "
            f"| {sum(share > 0.5 for share in shares)} of {len(shares)} "
            f"| {sum(map(sum, kinds.values()))} of {sum(map(len, kinds.values()))} "
            f"| {len(each.alarmed.intersection(healthy))} of {len(healthy)} | {each.refused} |"
        )


def main() -> None:
    """Ask every tool, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out" / "fault_bench")
    parser.add_argument("--part", choices=("tune", "held"), default="held")
    parser.add_argument("--only", nargs="*", default=list(EXPORTS), help="public tools to ask")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    work = [(case, place(options.out, case)) for case in cases() if case.part == options.part]
    if options.part == "held":
        work += independent(options.out)
    scores = list(judge(work, options.jobs, printed=False))
    found = [peer(tool, scores) for tool in options.only]
    print("\n".join(table([*found, this_analyzer(scores), guide(scores)], scores)))


if __name__ == "__main__":
    main()

"""The run log under torture and under the clock.

    python benchmarks/runlog.py                       what has no result yet
    python benchmarks/runlog.py append seal           these, again
    python benchmarks/runlog.py torture --kills 15 --seed 7    a small torture; nothing is stored
    python benchmarks/runlog.py --table --record      no more than the section in RESULTS.md

Resumable: benchmarks/runlog.jsonl holds a line a result. torture: kill -9 at random moments of a
writer, each followed by a resume, before a live reader. disk: a real file system that fills up.
append: one full row of the agent's. seal: the longest append beside the sealing of segments. size:
10,000 iterations of the agent. tail: from the append to a reader that polls at 5 Hz. read: a
million rows by 80 columns against bare pyarrow, in alternating pairs.
"""

import argparse
import datetime as dt
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.append(sys.path.pop(0))  # or `import runlog` would find this file

from log_figures import MEASURES  # after the line above
from log_torture import torture
from results import replace_section

STORED = Path(__file__).resolve().parent / "runlog.jsonl"
KILLS = 200
KILLS_A_RUN = 25
TARGETS = {
    "append: without a window, p50": "≤ 0.15 ms",
    "append: with a window, p50": "≤ 0.35 ms",
    "seal: as the agent writes, longest append": "≤ 30 ms",
    "seal: a window in every row, longest append": "≤ 30 ms",
    "size: run.parquet": "≤ 12 MB",
    "tail: p95": "≤ 300 ms",
    "read: three columns, ratio": "≤ 2",
}
Line = dict[str, Any]


def stored() -> list[Line]:
    """Every result so far, oldest first."""
    if not STORED.exists():
        return []
    return [json.loads(line) for line in STORED.read_text("utf-8").splitlines()]


def store(line: Line) -> None:
    """Add one result, with when and where it was had."""
    place = {
        "date": dt.date.today().isoformat(),
        "python": platform.python_version(),
        "pyarrow": version("pyarrow"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    with STORED.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line | place, ensure_ascii=False) + "\n")


def tortured(kills: int, seed: int) -> list[Line]:
    """So many kills, a run after the other; each run's result as it comes."""
    found: list[Line] = []
    while (done := sum(line["kills"] for line in found)) < kills:
        with tempfile.TemporaryDirectory() as folder:
            here = torture(
                Path(folder) / "run",
                seed=seed + len(found),
                kills=min(KILLS_A_RUN, kills - done),
            )
        found.append({"measure": "torture", **asdict(here)})
        print(json.dumps(found[-1], ensure_ascii=False), flush=True)
    return found


def table(lines: list[Line]) -> str:
    """The newest result of each measure, as Markdown."""
    newest = {line["measure"]: line for line in lines}
    runs = [line for line in lines if line["measure"] == "torture"]
    text = []
    if runs:
        total = {
            key: sum(line[key] for line in runs)
            for key in ("kills", "acknowledged", "rows", "parts", "polls", "half_made", "unborn")
        }
        wrong = [word for line in runs for word in line["wrong"]]
        text.append(
            f"Torture: {total['kills']} kill -9 in {len(runs)} runs, {total['unborn']} of them "
            f"before the writer's first row, {total['half_made']} looks found a half-made Parquet "
            f"file, {total['parts']} parts were sealed. {total['acknowledged']:,} rows were "
            f"acknowledged, {total['rows']:,} are there; the live reader checked every bit of "
            f"{total['polls']:,} states. Lost or wrong: {len(wrong)}."
        )
        text += [f"- {word}" for word in wrong]
    if lines:
        last = lines[-1]
        text.append(
            f"\n`python benchmarks/runlog.py`: Python {last['python']}, pyarrow {last['pyarrow']}, "
            f"{last['cores']} cores; load is what the machine had to do in the minute before."
        )
    text += ["", "| | | target | date | load |", "|---|---|---|---|---|"]
    for measure in MEASURES:
        line = newest.get(measure)
        for name, figure in (line or {"figures": {}})["figures"].items():
            target = next((t for k, t in TARGETS.items() if f"{measure}: {name}".startswith(k)), "")
            shown = f"{figure:,.0f}" if figure >= 1000 else f"{figure:.3g}"
            text.append(
                f"| {measure}: {name} | {shown} | {target} | {line['date']} | {line['load']} |"
            )
    return "\n".join(text)


def measure(asked: tuple[str, ...]) -> None:
    """What is asked for, or else all that has no result yet."""
    had = {line["measure"] for line in stored()}
    wanted = asked or tuple(name for name in MEASURES if name not in had)
    killed = sum(line["kills"] for line in stored() if line["measure"] == "torture")
    missing = KILLS if "torture" in asked else 0 if asked else KILLS - killed
    while missing > 0:
        for line in tortured(min(KILLS_A_RUN, missing), 1000 + len(stored())):
            store(line)
            missing -= line["kills"]
    for name in wanted:
        if name in MEASURES:
            with tempfile.TemporaryDirectory() as folder:
                line = {"measure": name, "figures": MEASURES[name](Path(folder))}
            print(json.dumps(line, ensure_ascii=False), flush=True)
            store(line)


def main() -> None:
    """Measure what is asked for or missing, print it as it comes, then the table."""
    known = ("torture", *MEASURES)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(known))
    parser.add_argument("--kills", type=int, help="of torture; not stored")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", action="store_true", help="measure nothing")
    parser.add_argument("--record", action="store_true", help="write into RESULTS.md")
    options = parser.parse_args()
    if unknown := set(options.measures) - {*known}:
        parser.error(f"{min(unknown)} is none of {', '.join(known)}")
    if options.kills is not None:
        sys.exit(any(line["wrong"] for line in tortured(options.kills, options.seed)))
    if not options.table:
        measure(tuple(options.measures))
    text = table(stored())
    print(text)
    if options.record:
        replace_section("The run log", text)


if __name__ == "__main__":
    main()

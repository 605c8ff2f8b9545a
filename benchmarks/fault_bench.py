"""Broken and healthy TRPO runs, trained for real, and what the analyzer makes of them.

    python benchmarks/fault_bench.py                 train what is missing, judge, print the figures
    python benchmarks/fault_bench.py --slice         a few short runs (used by `make test`)
    python benchmarks/fault_bench.py --judge-only    judge the runs that are there
    python benchmarks/fault_bench.py --part held     the held-out part (the tuned one by itself: tune)
    python benchmarks/fault_bench.py --record        also add the figures to benchmarks/RESULTS.md

Resumable: a run that has its run.parquet is not trained again. bench_injections.py declares faults
and labels, bench_places.py the parts, independent/cases.py the runs of other trainers; all committed
before any rule was tuned. A broken run is right when the cause at its last iteration is in its label,
a healthy run when no prefix of it is called a fault.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import beside  # noqa: F401
from bench_case import OWN, Case
from bench_cases import cases, slice_cases
from bench_confusion import write_confusion
from bench_judging import Score, judge
from bench_places import HELD_PLACES
from bench_record import record, record_last, save
from bench_runs import make, place
from bench_scores import harmless, is_right, printed_top_1, summary

HERE = Path(__file__).resolve().parent
ALL_HELD = "held out, all"


def independent(out: Path) -> list[tuple[Case, Path]]:
    """The runs of other trainers, all held out, and where they lie."""
    from independent import cases as others
    from independent.run import place as place_of

    return [(case, place_of(out / "held", case)) for case in others.cases()]


def groups(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """The parts that are scored apart, and the held-out ones together."""
    found: dict[str, list[Score]] = {}
    for score in scores:
        case = score.case
        if case.part == "tune":
            found.setdefault("tuned on", []).append(score)
            continue
        found.setdefault(ALL_HELD, []).append(score)
        if case.trainer == OWN:
            place_ = "environments" if case.env in HELD_PLACES else "seeds"
            found.setdefault(f"held out, {place_}", []).append(score)
        else:
            found.setdefault(f"held out, trainer {case.trainer}", []).append(score)
    return found


def main() -> int:
    """Train, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out" / "fault_bench")
    parser.add_argument("--slice", action="store_true", help="a few short runs")
    parser.add_argument("--judge-only", action="store_true", help="train nothing")
    parser.add_argument("--part", choices=("tune", "held", "all"), default="all")
    parser.add_argument("--only", default="", help="runs whose name holds this, and the controls")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--printed", action="store_true", help="also as importers would read them")
    parser.add_argument(
        "--record", action="store_true", help="add lines to RESULTS.md, draw confusion.png"
    )
    parser.add_argument("--save", type=Path, help="write every judgement here, as JSON lines")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON only")
    options = parser.parse_args()
    wanted = slice_cases() if options.slice else cases()
    chosen = [
        case
        for case in wanted
        if options.part in (case.part, "all")
        and (options.only in case.name or (case.kind == "healthy" and "-control-" in case.name))
    ]
    if not options.judge_only:
        make(chosen, options.out, 1 if options.slice else options.jobs, quiet=options.json)
    work = [(case, place(options.out, case)) for case in chosen]
    if options.part != "tune" and not options.slice:
        work += [each for each in independent(options.out) if options.only in each[0].title]
    scores = list(judge(work, 1 if options.slice else options.jobs, printed=options.printed))
    without = harmless(scores)
    figures = {}
    for name, part in groups(scores).items():
        figures[name] = summary(part, without)
        if options.printed:
            figures[name]["printed"] = printed_top_1(part, without)
        if options.record:
            record(name, figures[name])
            if name == ALL_HELD:
                write_confusion(part, without, name, HERE)
    if options.record and ALL_HELD in figures:
        record_last({name: found for name, found in figures.items() if name.startswith("held")})
    if not options.json:
        for score in scores:
            right = is_right(score, without) and (score.case.label or not score.alarms)
            mark = "right" if right else "WRONG"
            lost = " harmless" if score.case.title in without else ""
            print(
                f"{mark:6} {score.case.title:46} {score.verdict:8} {score.cause or '-':8} "
                f"label {','.join(score.case.label) or 'healthy':17} from {score.first_right} "
                f"alarms {','.join(score.alarm_codes) or '-'}{lost}"
            )
    if options.save:
        save(options.save, scores, without)
    print(json.dumps(figures, default=str))
    wrong = sum(len(each["wrong"]) for each in figures.values())
    return 0 if not wrong else 1


if __name__ == "__main__":
    sys.exit(main())

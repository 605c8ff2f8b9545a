"""Writes analyzer/base_rates.json: how often each code, named as the cause, was right on the bench.

    python benchmarks/fault_bench.py --part tune --judge-only --printed --save tuned.jsonl
    python benchmarks/calibrate.py tuned.jsonl

Only runs that rules were tuned on are counted. A code that names the fault that was put in is right
whether or not the return shows it, any other one is wrong. A symptom, said where the log lacks the
links before it, is right where a fault did harm. A `printed table` is what each importer would have
understood of a run; tables in which the code was named are pooled.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import beside  # noqa: F401

from analyzer.base_rates import SYMPTOMS

RATES = Path(__file__).resolve().parent.parent / "analyzer" / "base_rates.json"


def named(judgements: list[dict[str, Any]]) -> Iterator[tuple[str, str, bool]]:
    """Kind of log, code and whether it was right, of every cause that was named."""
    for told in judgements:
        label, harmed = told["label"], bool(told["label"]) and not told["harmless"]
        if told["cause"]:
            yield "whole log", told["cause"], told["cause"] in label
        for _name, _verdict, cause, _confidence in told["printed"]:
            if cause:
                right = harmed if cause in SYMPTOMS else cause in label
                yield "printed table", cause, right


def main() -> None:
    """Count, and write the file."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    judgements = [told for told in map(json.loads, lines) if told["part"] == "tune"]
    table: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for kind, code, right in named(judgements):
        cell = table[kind][code]
        cell[0] += right
        cell[1] += 1
    rates = {kind: dict(sorted(codes.items())) for kind, codes in sorted(table.items())}
    rates["partial log"] = rates.get("printed table", {})
    rows = [
        f'  "{kind}": {{\n'
        + ",\n".join(f'   "{code}": {json.dumps(cell)}' for code, cell in codes.items())
        + "\n  }"
        for kind, codes in rates.items()
    ]
    RATES.write_text('{"named": {\n' + ",\n".join(rows) + "\n}}\n", encoding="utf-8")
    print(f"{RATES}: {sum(len(codes) for codes in rates.values())} rates of {len(judgements)} runs")


if __name__ == "__main__":
    main()

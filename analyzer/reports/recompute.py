"""One pandas and one DuckDB line that compute a rule's numbers again from run.parquet."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.measure import Measure, latest
from analyzer.spelled import names_in, spelled
from analyzer.view import View
from runlog.run import Run

_WORD = re.compile(r"(?<![\w.])([A-Za-z_]\w*+)(\(?)")
_IN_SQL = {"max": "greatest"}
_IN_PYTHON = {"exp": "np.exp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """Numbers that two lines of code compute again.

    `measures`: their names, in the order in which the lines give them. `computes`: False where the
    lines only fetch the columns behind a measure that is no arithmetic of one row.
    """

    measures: tuple[str, ...]
    iteration: int
    computes: bool
    pandas: str
    duckdb: str


def recomputed(
    measures: Sequence[Measure], view: View, *, row: int, last: int, around: int, table: str
) -> tuple[Recomputed, ...]:
    """Lines for every measure, at `row` or, where it has no number there, at the latest row up to
    `last` that has; `around`: rows on each side of it that are fetched where lines only fetch."""
    found: dict[int, dict[str, str]] = {}
    behind: dict[str, None] = {}
    for measure in measures:
        present = measure.of(view).present
        at = row if present[row] else latest(present, last)
        text = spelled(measure, view, at) if at >= 0 else None
        if text is not None:
            found.setdefault(at, {})[measure.name] = text
            continue
        names = (*measure.columns, *measure.optional)
        behind |= dict.fromkeys(name for name in names if name in view.run.types)
    numbered = view.run.column("iteration").present
    lines = [_computed(view.run, at, texts, table) for at, texts in found.items() if numbered[at]]
    if behind and numbered[row]:
        ends = max(0, row - around), min(last, row + around)
        lines.append(_fetched(view, row, ends, tuple(behind), table))
    return tuple(lines)


def _computed(run: Run, row: int, texts: dict[str, str], table: str) -> Recomputed:
    used = tuple(dict.fromkeys(name for text in texts.values() for name in names_in(text)))
    python = ", ".join(_WORD.sub(_in_python, text) for text in texts.values())
    numpy = "numpy as np, " if "np." in python else ""
    chosen = _chosen(run, row)
    names = [*chosen, *(name for name in used if name not in chosen)]
    where = " and ".join(f"{name} == {value}" for name, value in chosen.items())
    sql_where = " AND ".join(f"{name} = {value}" for name, value in chosen.items())
    sql = ", ".join(
        told if told == name else f"{told} AS {name}"
        for name, text in texts.items()
        for told in (_WORD.sub(lambda word: _in_sql(word, run), text),)
    )
    return Recomputed(
        measures=tuple(texts),
        iteration=chosen["iteration"],
        computes=True,
        pandas=(
            f"import {numpy}pandas as pd; r = pd.read_parquet({table!r}, columns={names!r})"
            f".astype(float).query({where!r}).iloc[0]; print({python})"
        ),
        duckdb=_query(sql, table, sql_where),
    )


def _fetched(
    view: View, row: int, ends: tuple[int, int], names: tuple[str, ...], table: str
) -> Recomputed:
    chosen = _chosen(view.run, row)
    attempt = chosen.get("attempt")
    first, last = (int(view.iterations.middle[end]) for end in ends)
    where, sql_where = (
        f"{first} <= iteration <= {last}",
        f"iteration BETWEEN {first} AND {last}",
    )
    if attempt is not None:
        where, sql_where = (
            f"attempt == {attempt} and {where}",
            f"attempt = {attempt} AND {sql_where}",
        )
    columns = [*chosen, *(name for name in names if name not in chosen)]
    return Recomputed(
        measures=names,
        iteration=chosen["iteration"],
        computes=False,
        pandas=(
            f"import pandas as pd; print(pd.read_parquet({table!r}, columns={columns!r})"
            f".query({where!r})[{list(names)!r}].to_string())"
        ),
        duckdb=_query(", ".join(names), table, sql_where),
    )


def _chosen(run: Run, row: int) -> dict[str, int]:
    """The columns and numbers that pick this row out of the table."""
    iterations, attempts = run.column("iteration"), run.column("attempt")
    chosen = {"iteration": int(iterations.values[row])}
    if run.attempts > 1 and attempts.present[row]:
        chosen["attempt"] = int(attempts.values[row])
    return chosen


def _in_python(word: re.Match[str]) -> str:
    name, call = word.groups()
    return f"{_IN_PYTHON.get(name, name)}(" if call else f"r.{name}"


def _in_sql(word: re.Match[str], run: Run) -> str:
    name, call = word.groups()
    if call:
        return f"{_IN_SQL.get(name, name)}("
    return f"{name}::DOUBLE" if run.types.get(name) == "bool" else name


def _query(columns: str, table: str, where: str) -> str:
    quoted = "'" + table.replace("'", "''") + "'"
    return " ".join(("SELECT", columns, "FROM", quoted, "WHERE", where))

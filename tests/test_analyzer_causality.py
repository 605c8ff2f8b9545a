"""The answer at row i uses rows up to i only, whatever the columns hold."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.answers import answers
from analyzer.rules import RULES
from runlog.reader import open_run
from runlog.run import run_of
from runlog.schema import BY_NAME

SCALARS = tuple(
    sorted(
        {
            name
            for rule in RULES
            for measure in rule.measures
            for name in (*measure.columns, *measure.optional)
            if name in BY_NAME and BY_NAME[name].type in ("float64", "int64", "bool")
        }
        - {"iteration"}
    )
)
NUMBERS = st.one_of(
    st.none(),
    st.sampled_from([0.0, 1.0, -1.0, 1e-9, 0.01, 950.0, math.nan, math.inf, 3e5]),
    st.floats(-10.0, 10.0),
)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, object]]:
    n = draw(st.integers(1, 30))
    columns = draw(st.lists(st.sampled_from(SCALARS), min_size=3, max_size=12, unique=True))
    # Mostly constant columns make streaks, which is where a look ahead would show.
    base = {name: draw(NUMBERS) for name in columns}
    made: list[dict[str, object]] = []
    for i in range(n):
        row: dict[str, object] = {"iteration": i + 1}
        for name in columns:
            row[name] = draw(NUMBERS) if draw(st.integers(0, 4)) == 0 else base[name]
        if draw(st.booleans()):
            row["line_search_fractions"] = [1.0, 0.5, 0.25]
            row["line_search_gains"] = [draw(st.floats(-1, 1)) for _ in range(3)]
            row["line_search_kls"] = [draw(st.floats(0, 1)) for _ in range(3)]
        made.append(row)
    return made


@settings(max_examples=60, deadline=None)
@given(rows(), st.data())
def test_the_answer_at_a_row_never_looks_ahead(
    made: list[dict[str, object]], data: st.DataObject
) -> None:
    run = run_of(made, metadata={"solved_return": 900.0, "action_dim": 3})
    row = data.draw(st.integers(0, len(made) - 1))
    whole, head = answers(run).at(row), answers(run.head(row + 1)).at(row)
    assert whole == head


@settings(max_examples=20, deadline=None)
@given(rows())
def test_extending_equals_judging_afresh(made: list[dict[str, object]]) -> None:
    run = run_of(made)
    grown = answers(run.head(len(made) // 2)).extend(run)
    assert grown.last() == answers(run).last()


def test_a_long_run_is_judged_by_several_threads_to_the_same_diagnosis(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = open_run(Path(__file__).parents[1] / "sample_logs" / "TRPO201-zero-gradient")
    alone = answers(run)
    monkeypatch.setattr("analyzer.answers.LONG", 1)
    together = answers(run)
    assert [judged.rule.code for judged in together.judged] == [
        judged.rule.code for judged in alone.judged
    ]
    for row in range(len(run)):
        assert together.at(row) == alone.at(row)

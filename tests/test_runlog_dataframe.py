"""to_pandas: every column with its type, null and NaN apart."""

import math

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from runlog import open_run
from runlog.run import run_of
from runlog.schema import COLUMNS

GUIDE = """Iteration 1
  KL divergence: 0.009812
  Entropy: 1.4189
Iteration 2
  KL divergence: nan
  Value loss: 0.4567
"""


def cells(frame, name):
    return [repr(cell) for cell in pa.array(frame[name]).to_pylist()]


def test_null_and_nan_stay_apart_in_numbers_and_lists():
    run = run_of(
        [
            {"iteration": 1, "kl": math.nan, "episode_returns": [1.0, None, math.nan]},
            {"iteration": 2, "kl": -math.inf, "episode_returns": []},
            {"iteration": 3, "update_outcome": "accepted", "mine": True},
        ]
    )
    frame = run.to_pandas()
    assert cells(frame, "kl") == ["nan", "-inf", "None"]
    assert frame["kl"][2] is pd.NA
    assert cells(frame, "episode_returns") == ["[1.0, None, nan]", "[]", "None"]
    assert cells(frame, "update_outcome") == ["None", "None", "'accepted'"]
    assert cells(frame, "mine") == ["None", "None", "True"]


def test_a_run_of_ours_has_every_declared_column_in_its_type():
    frame = run_of([{"iteration": 1}]).to_pandas()
    assert list(frame.columns) == [spec.name for spec in COLUMNS]
    for spec in COLUMNS:
        found = str(frame.dtypes[spec.name])
        wanted = spec.type.replace("float64", "double").replace("list<", "large_list<item: ")
        assert found == f"{wanted}[pyarrow]"


def test_a_foreign_logs_frame_has_the_columns_it_printed(tmp_path):
    (tmp_path / "train.log").write_text(GUIDE)
    run = open_run(tmp_path / "train.log")
    frame = run.to_pandas()
    assert set(frame.columns) == set(run.types) == {"iteration", "kl", "entropy", "value_loss"}
    assert cells(frame, "kl") == ["0.009812", "nan"]
    assert cells(frame, "entropy") == ["1.4189", "None"]
    assert cells(frame, "value_loss") == ["None", "0.4567"]


def test_a_foreign_counter_that_is_no_integer_is_kept_as_it_is(tmp_path):
    columns = {"iteration": [1, 2, 3], "timesteps": [2.5, math.nan, None], "episodes": [1e30] * 3}
    table = pa.table(columns | {"line_search_success": [0.5, 1.0, None]})
    pq.write_table(table, tmp_path / "a.parquet")
    frame = open_run(tmp_path / "a.parquet").to_pandas()
    assert cells(frame, "timesteps") == ["2.5", "nan", "None"]
    assert cells(frame, "episodes") == ["1e+30"] * 3
    assert cells(frame, "line_search_success") == ["0.5", "1.0", "None"]
    assert cells(frame, "iteration") == ["1", "2", "3"]


def test_a_frame_shows_the_rows_of_the_attempt():
    run = run_of([{"iteration": 1, "kl": 0.1}, {"iteration": 2, "kl": 0.2}])
    assert cells(run.head(1).to_pandas(), "kl") == ["0.1"]
    assert len(run_of([]).to_pandas()) == 0

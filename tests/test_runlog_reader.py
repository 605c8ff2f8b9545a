"""open_run and find_runs: what can be read is, what cannot is one clear line."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runlog import RunLog, find_runs, follow, is_run, open_run
from runlog.errors import UserError


@pytest.fixture
def finished(tmp_path):
    with RunLog(tmp_path / "finished", config={}) as log:
        for i in range(50):
            log.iteration(kl=i / 7, line_search_success=True, mine="a", episode_returns=[1.0] * i)
    return tmp_path / "finished"


def refusal(path, **options):
    with pytest.raises(UserError) as caught:
        open_run(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


def test_what_is_not_there_or_empty_is_said_in_one_line(tmp_path):
    assert "no such file" in refusal(tmp_path / "missing")
    assert "no run here" in refusal(tmp_path)
    (tmp_path / "empty.log").write_bytes(b"")
    assert "empty" in refusal(tmp_path / "empty.log")
    (tmp_path / "empty.parquet").write_bytes(b"")
    assert "not a readable Parquet file" in refusal(tmp_path / "empty.parquet")


def test_follow_says_the_same(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        follow(tmp_path / "missing")
    with pytest.raises(UserError, match="no run here"):
        follow(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_parquet_file_is_one_clear_line(finished, tmp_path, share):
    data = (finished / "run.parquet").read_bytes()
    path = tmp_path / "cut.parquet"
    path.write_bytes(data[: int(share * len(data))])
    assert "not a readable Parquet file (" in refusal(path)
    (finished / "run.parquet").write_bytes(path.read_bytes())
    assert "not a readable Parquet file (" in refusal(finished)


def test_a_damaged_page_is_one_clear_line(finished, tmp_path):
    data = bytearray((finished / "run.parquet").read_bytes())
    for byte in range(len(data) // 20, len(data) // 10):
        data[byte] ^= 0x55
    path = tmp_path / "damaged.parquet"
    path.write_bytes(data)
    assert "not a readable Parquet file (" in refusal(path)


def test_another_programs_parquet_is_read_as_far_as_it_goes(tmp_path):
    table = pa.table(
        {
            "loss/kl": pa.array([0.1, None, np.nan], pa.float32()),
            "entropy": pa.array([1, 2, 3], pa.int32()),
            "episode_returns": pa.array([[1], None, [2, 3]], pa.large_list(pa.int64())),
            "update_outcome": pa.array(["accepted", None, "rejected"]).dictionary_encode(),
            "line_search_success": [True, None, False],
            "mine": ["a", "b", None],
            "when": pa.array([1, 2, 3], pa.timestamp("s")),
        }
    )
    pq.write_table(table, tmp_path / "theirs.parquet")
    run = open_run(tmp_path / "theirs.parquet", mapping={"loss/kl": "kl"})
    assert run.column("kl").present.tolist() == [True, False, True]
    assert run.column("kl").values[0] == np.float32(0.1)
    assert run.column("entropy").values.tolist() == [1, 2, 3]
    assert run.column("iteration").values.tolist() == [1, 2, 3]
    assert run.column("update_outcome").values.tolist() == ["accepted", None, "rejected"]
    assert run.column("line_search_success").values[::2].tolist() == [1.0, 0.0]
    assert run.lists("episode_returns")[2].tolist() == [2.0, 3.0]
    assert run.column("mine").values.tolist() == ["a", "b", None]
    assert not run.column("gradient_norm").present.any()
    assert run.source.format == "parquet"
    assert "kl" in run.source.understood
    assert set(run.source.not_understood) == {"mine", "when"}
    assert any("numbered from 1" in note for note in run.notes)
    assert any("when" in note for note in run.notes)
    assert run.state.name == "finished"


def test_a_foreign_iteration_column_makes_attempts(tmp_path):
    pq.write_table(
        pa.table({"iteration": [1, 2, 3, 1, 2], "kl": [1.0, 2.0, 3.0, 4.0, 5.0]}),
        tmp_path / "a.parquet",
    )
    assert open_run(tmp_path / "a.parquet").column("kl").values.tolist() == [4.0, 5.0]
    first = open_run(tmp_path / "a.parquet", attempt=1)
    assert first.column("kl").values.tolist() == [1.0, 2.0, 3.0]


def test_a_frame_that_pandas_wrote_is_read(tmp_path):
    frame = pd.DataFrame({"kl": [0.1, 0.2], "policy_loss": [0.0, -0.0]}, index=[5, 7])
    frame.to_parquet(tmp_path / "frame.parquet")
    assert open_run(tmp_path / "frame.parquet").column("kl").values.tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("column", "name"),
    [(["a", "b"], "kl"), ([[1.0], [2.0]], "kl"), ([1.0, 2.0], "episode_returns")],
)
def test_a_column_of_the_wrong_type_is_named(tmp_path, column, name):
    pq.write_table(pa.table({"entropy": [1.0, 2.0], name: column}), tmp_path / "a.parquet")
    assert f"column {name} holds" in refusal(tmp_path / "a.parquet")


def test_a_parquet_file_without_any_known_column_says_what_it_found(tmp_path):
    pq.write_table(pa.table({"price": [1.0]}), tmp_path / "a.parquet")
    assert "found price" in refusal(tmp_path / "a.parquet")


def test_a_run_of_a_newer_schema_is_read_with_one_line(finished):
    text = (finished / "run.json").read_text()
    with RunLog(finished.parent / "newer", schema=99) as log:
        log.iteration(kl=1.0)
    run = open_run(finished.parent / "newer")
    assert len(run) == 1
    assert len([note for note in run.notes if "schema 99" in note]) == 1
    assert '"schema": 1' in text


def test_run_json_may_be_damaged(tmp_path):
    with RunLog(tmp_path, run_id="r") as log:
        log.iteration(kl=1.0)
        log.stop("enough")
    (tmp_path / "run.json").write_text("{")
    run = open_run(tmp_path)
    assert (len(run), run.metadata["run_id"]) == (1, "r")
    assert "run.json" in run.notes[0]


def test_runs_are_found_below_a_folder_but_not_inside_runs(tmp_path, finished):
    with RunLog(tmp_path / "sweep" / "b") as log:
        log.iteration()
        inner = tmp_path / "sweep" / "b" / "checkpoints" / "inner"
        inner.mkdir(parents=True)
        (inner / "run.parquet").write_bytes(b"")
        assert is_run(tmp_path / "sweep" / "b")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "run.json").write_text("{}")
    alone = tmp_path / "attached"
    alone.mkdir()
    (alone / "run.parquet").write_bytes((finished / "run.parquet").read_bytes())
    assert find_runs(tmp_path) == (alone, finished, tmp_path / "sweep" / "b")
    assert find_runs(finished) == (finished,)
    assert is_run(alone / "run.parquet")
    assert not is_run(tmp_path)
    assert not is_run(tmp_path / "missing")
    assert find_runs(tmp_path / "missing") == ()


def test_reading_imports_what_it_needs_and_never_pandas(tmp_path, finished):
    log = RunLog(tmp_path / "live")
    log.iteration(kl=1.0)
    code = f"""
import sys
def loaded():
    print(sorted({{"numpy", "pyarrow", "pandas", "torch"}} & sys.modules.keys()))
import runlog
loaded()
run = runlog.open_run({str(tmp_path / "live")!r})
run.column("kl"), run.lists("episode_returns")
loaded()
run = runlog.open_run({str(finished)!r})
for name, type_ in run.types.items():
    run.lists(name) if type_.startswith("list") else run.column(name)
loaded()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    log.close()
    assert done.stdout.decode().splitlines() == ["[]", "['numpy']", "['numpy', 'pyarrow']"]

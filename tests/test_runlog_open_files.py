from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import runlog.chunk
from runlog.chunk import ParquetChunk, lists_of
from runlog.open_files import files_kept_open
from runlog.parts import open_parquet


@pytest.fixture
def chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ParquetChunk, list[Path]]:
    path = tmp_path / "run.parquet"
    pq.write_table(pa.table({"iteration": [1, 2, 3], "kl": [0.1, None, 0.3]}), path)
    found = ParquetChunk(path)
    opens: list[Path] = []
    real = open_parquet

    def counted(path: Path, *rest: object) -> pq.ParquetFile:
        opens.append(path)
        return real(path, *rest)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(runlog.chunk, "open_parquet", counted)
    return found, opens


def test_a_file_kept_open_is_opened_once_and_closed_at_the_end(
    chunk: tuple[ParquetChunk, list[Path]],
) -> None:
    found, opens = chunk
    with files_kept_open(), files_kept_open():
        first, second = found.column("iteration"), found.column("kl")
    assert len(opens) == 1
    assert first.values.tolist() == [1, 2, 3]
    assert second.present.tolist() == [True, False, True]
    found.column("iteration")
    assert len(opens) == 2


def test_a_file_kept_open_is_read_although_it_was_removed_meanwhile(
    chunk: tuple[ParquetChunk, list[Path]],
) -> None:
    found, _ = chunk
    with files_kept_open():
        found.column("iteration")
        found.path.unlink()
        assert found.column("kl").values[0] == 0.1


@pytest.mark.parametrize("offset", [0, 1])
def test_entries_hidden_by_a_null_list_are_left_out(offset: int) -> None:
    values = pa.array([1.0, 2.0, 3.0, 4.0, 5.0])
    mask = pa.array([False, True, False])
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 3, 5], pa.int32()), values, mask=mask)
    found = lists_of(pa.chunked_array([lists.slice(offset)]))
    assert found.present.tolist() == [True, False, True][offset:]
    assert found[len(found) - 1].tolist() == [4.0, 5.0]
    assert found.values.tolist() == [1.0, 4.0, 5.0][offset:]
    assert np.diff(found.offsets).tolist() == [1, 0, 2][offset:]
    assert np.all(found.entry_present)

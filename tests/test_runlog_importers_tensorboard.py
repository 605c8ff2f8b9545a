"""TensorBoard's event files: real ones of every writer, growing, cut and damaged ones, any bytes."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.answers import answers
from runlog.errors import UserError
from runlog.importers.checksum import masked_crcs
from runlog.importers.event_records import EventRecords, is_event_file
from runlog.importers.event_series import EventSeries
from runlog.importers.folders import foreign_log_in
from runlog.reader import follow, open_run
from runlog.run import Run

LOGS = Path(__file__).resolve().parent / "foreign_logs"
WRITTEN = LOGS / "tensorboard"
BATCH = 256


def the_file(folder: str) -> Path:
    return min((WRITTEN / folder).iterdir())


def record(data: bytes) -> bytes:
    """A record as TensorBoard frames it."""
    length = struct.pack("<Q", len(data))
    crcs = masked_crcs(
        np.frombuffer(length + data, dtype=np.uint8), np.array([0, 8]), np.array([8, len(data)])
    )
    return length + struct.pack("<I", crcs[0]) + data + struct.pack("<I", crcs[1])


def event(tag: str, value: float, step: int, time: float = 1000.0) -> bytes:
    """The record of one scalar; tag and step below 128."""
    name = tag.encode()
    value_ = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(value_)]) + value_
    step_ = b"" if step == 0 else b"\x10" + bytes([step])
    head = b"\x09" + struct.pack("<d", time) + step_
    return record(head + b"\x2a" + bytes([len(summary)]) + summary)


def written(path: Path, *events: bytes) -> Path:
    path.write_bytes(b"".join(events))
    return path


def values(run: Run, column: str) -> list[float]:
    found: list[float] = run.column(column).values.tolist()
    return found


def test_the_checksum_is_the_one_of_rfc_3720() -> None:
    data = np.frombuffer(b"123456789" + bytes(32), dtype=np.uint8)
    masked = masked_crcs(data, np.array([9, 0]), np.array([32, 9])).astype(object)
    unmasked = [(c - 0xA282EAD8) & 0xFFFFFFFF for c in masked]
    assert [((c >> 17) | (c << 15)) & 0xFFFFFFFF for c in unmasked] == [0x8A9136AA, 0xE3069283]


@pytest.mark.parametrize("writer", ["torch", "tensors", "tensorboardX", "plugin"])
def test_every_writers_scalars_are_read(writer: str) -> None:
    run = open_run(the_file(writer))
    n = np.arange(1, 7)
    assert run.source is not None
    assert run.source.format == "cleanrl tensorboard"
    assert run.source.not_understood == ()
    assert run.metadata["algorithm"] == "ppo"
    assert values(run, "iteration") == n.tolist()
    assert values(run, "timesteps") == (n * BATCH).tolist()
    assert values(run, "kl") == pytest.approx(0.005 + 0.0001 * n, rel=1e-6)
    assert values(run, "value_loss_after") == pytest.approx(2.0 / n, rel=1e-6)
    # two or three episodes end between two updates, each paid as its step says
    ends = [np.arange((i - 1) * BATCH + 100, i * BATCH, 100).mean() for i in n]
    assert values(run, "episode_return_mean") == pytest.approx(ends)
    half = run.column("kl").resolution
    if writer == "tensors":
        assert half is not None
        assert not half.any()
        assert values(run, "kl") == (0.005 + 0.0001 * n).tolist()
    else:
        assert half is not None
        assert (np.abs(run.column("kl").values - (0.005 + 0.0001 * n)) <= half).all()


def test_the_files_of_a_folder_are_one_log_and_a_resumed_training_hides_what_it_repeats() -> None:
    folder = WRITTEN / "torch"
    run = open_run(folder)
    assert (run.attempts, run.attempt) == (2, 2)
    assert values(run, "iteration") == [1, 2, 3, 4, 5, 6, 7, 8]
    times = run.column("time").values
    assert times[4] > times[3] + 1  # the fifth is the second file's
    assert len(open_run(folder, attempt=1)) == 6


def test_the_tables_and_event_files_of_one_training_say_the_same() -> None:
    for path in sorted(LOGS.glob("sb3/*/progress.csv")):
        table = open_run(path)
        events = open_run(next(path.parent.glob("events*")))
        assert len(events) == len(table), path
        for name in ("timesteps", "kl", "entropy", "episode_return_mean", "value_loss_after"):
            theirs, ours = events.column(name), table.column(name)
            assert (theirs.present == ours.present).all(), (path, name)
            np.testing.assert_allclose(theirs.values, ours.values, rtol=1e-6)


def test_no_alarm_on_the_event_files_of_healthy_trainings() -> None:
    for name in (
        "sb3/trpo-hopper",
        "sb3/ppo-pendulum",
        "sb3/a2c-cartpole",
        "rsl_rl",
        "garage",
        "omnisafe/trpo",
        "skrl",
        "tianshou/trpo",
    ):
        run = open_run(next((LOGS / name).glob("events*")))
        judged = answers(run)
        assert [i for i in range(len(run)) if judged.at(i).verdict == "fault"] == [], name


def test_a_growing_file_is_followed_and_a_cut_record_waits(tmp_path: Path) -> None:
    whole = [event("kl", 0.01 * i, i) for i in range(1, 4)]
    path = written(tmp_path / "events.out.tfevents.1.host", whole[0], whole[1][:-3])
    log = follow(path)
    assert values(log.run, "kl") == [np.float32(0.01)]
    assert log.poll() is None
    written(path, *whole)
    run = log.poll()
    assert run is not None
    assert values(run, "iteration") == [1, 2, 3]
    assert log.poll() is None


def test_a_folder_is_followed_into_its_next_file(tmp_path: Path) -> None:
    written(tmp_path / "events.out.tfevents.5.host", *[event("kl", 0.01, i) for i in (1, 2, 3)])
    log = follow(tmp_path)
    written(tmp_path / "events.out.tfevents.10.host", event("kl", 0.5, 2), event("kl", 0.5, 3))
    run = log.poll()
    assert run is not None
    assert run.attempt == 2
    assert values(run, "kl")[1:] == [0.5, 0.5]


def test_a_file_that_has_only_its_first_record_waits(tmp_path: Path) -> None:
    path = written(tmp_path / "events.out.tfevents.5.host", record(b"\x09" + bytes(8)))
    log = follow(path)
    assert len(log.run) == 0
    with pytest.raises(UserError, match="no known log format"):
        open_run(path)
    written(path, record(b"\x09" + bytes(8)), event("kl", 0.01, 1))
    assert log.poll() is not None


def test_a_damaged_record_is_left_out_with_one_note(tmp_path: Path) -> None:
    good = [event("kl", 0.01 * i, i) for i in range(1, 6)]
    bad = bytearray(good[2])
    bad[-6] ^= 1  # in the number
    path = written(tmp_path / "e", *good[:2], bytes(bad), *good[3:])
    run = open_run(path)
    assert values(run, "iteration") == [1, 2, 4, 5]
    assert run.notes == ("1 damaged record was left out.",)


def test_behind_a_damaged_length_nothing_is_believed(tmp_path: Path) -> None:
    good = [event("kl", 0.01 * i, i) for i in range(1, 6)]
    for at in range(12):
        bad = bytearray(good[2])
        bad[at] ^= 0x10
        run = open_run(written(tmp_path / "e", *good[:2], bytes(bad), *good[3:]))
        assert values(run, "iteration") == [1, 2]
        (note,) = run.notes
        assert "damaged" in note


def test_a_file_half_written_as_zeros_is_read_on_when_they_are_filled(tmp_path: Path) -> None:
    whole = [event("kl", 0.01 * i, i) for i in range(1, 4)]
    path = written(tmp_path / "e", whole[0], bytes(len(whole[1]) + len(whole[2])))
    log = follow(path)
    assert len(log.run) == 1
    written(path, *whole, event("kl", 0.04, 4))
    run = log.poll()
    assert run is not None
    assert values(run, "iteration") == [1, 2, 3, 4]
    assert run.notes == ()


def test_tags_without_a_column_are_told_and_can_be_mapped(tmp_path: Path) -> None:
    path = written(tmp_path / "e", *[event("my/divergence", 0.25, i) for i in (1, 2)])
    with pytest.raises(UserError, match="my/divergence"):
        open_run(path)
    run = open_run(path, mapping={"my/divergence": "kl"})
    assert values(run, "kl") == [0.25, 0.25]


def test_a_restart_within_one_file_is_another_attempt(tmp_path: Path) -> None:
    steps = [1, 2, 3, 1, 2]
    path = written(
        tmp_path / "e",
        *[e for i in steps for e in (event("episode_return_mean", i, i), event("kl", i / 100, i))],
    )
    run = open_run(path)
    assert run.attempts == 2
    assert values(run, "episode_return_mean") == [1, 2]
    assert values(open_run(path, attempt=1), "iteration") == [1, 2, 3]


def test_workers_that_write_out_of_turn_are_one_attempt(tmp_path: Path) -> None:
    steps = [step for i in range(0, 120, 2) for step in (i + 2, i + 1)] + [121, 120] * 5
    run = open_run(written(tmp_path / "e", *[event("kl", 0.01, step) for step in steps]))
    assert run.attempts == 1
    assert values(run, "iteration") == list(range(1, 122))


def test_a_folder_of_another_trainer_is_opened_by_what_it_holds(tmp_path: Path) -> None:
    assert foreign_log_in(LOGS / "sb3" / "trpo-hopper") == LOGS / "sb3/trpo-hopper/progress.csv"
    assert foreign_log_in(WRITTEN / "plugin") == WRITTEN / "plugin"
    assert foreign_log_in(tmp_path) is None
    (tmp_path / "0.monitor.csv").write_text('#{"t_start": 5.0, "env_id": "X"}\nr,l,t\n1,2,3\n')
    assert foreign_log_in(tmp_path) == tmp_path / "0.monitor.csv"
    assert len(open_run(LOGS / "sb3" / "trpo-hopper")) == 10


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_no_event_file_or_are_read(data: bytes) -> None:
    list(EventRecords().feed(data))
    is_event_file(data)
    EventSeries().feed("e", record(data) + event("kl", 1.0, 1))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_file_gives_rows_of_the_whole_one_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = the_file("tensorboardX").read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole[: data.draw(st.integers(at, len(whole)))])
    if at < len(changed):
        changed[at] ^= data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed"
    path.write_bytes(bytes(changed))
    known = set(values(open_run(the_file("tensorboardX")), "kl"))
    try:
        run = open_run(path)
    except UserError:
        return
    kl = run.column("kl")
    assert set(kl.values[kl.present].tolist()) <= known

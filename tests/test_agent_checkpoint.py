"""Checkpoints on disk: which are kept, what a damaged one costs, what their upkeep costs."""

import math
import pickle
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agent import checkpoint
from agent.__main__ import main
from agent.config import Config
from agent.snapshot import FORMAT, live, plain
from agent.training import Training
from runlog import open_run
from runlog.errors import UserError

SMALL = ("--steps-per-iteration=64", "--environments=2", "--warm-up-steps=0", "--vf-iters=1")


def _train(run: Path, *arguments: str) -> int:
    return main(["train", "--env=Pendulum-v1", f"--out={run}", *SMALL, *arguments])


def _stopped(run: Path, iterations: int = 6) -> Path:
    """A run killed right after its last row, with checkpoints of every iteration."""
    training = Training.from_config(
        Config(
            env="Pendulum-v1",
            iterations=iterations,
            steps_per_iteration=64,
            environments=2,
            warm_up_steps=0,
            vf_iters=1,
            checkpoint_every=1,
        )
    )
    from runlog import RunLog

    with RunLog(run, **training.metadata) as log:
        checkpoint.save(run, training.snapshot())
        for row in training:
            log.iteration(**row)
            checkpoint.save(run, training.snapshot())
        log.stop("enough")
    return run


def _files(run: Path) -> list[str]:
    return [file.path.name for file in checkpoint.stored(run)]


def _snapshot(iteration: int) -> dict[str, Any]:
    return {"format": FORMAT, "iteration": iteration, "policy": {}}


def test_every_kind_of_state_comes_back_as_it_was(tmp_path: Path) -> None:
    state = {
        "double": np.array([1.5, math.nan, -math.inf]),
        "single": np.arange(6, dtype=np.float32).reshape(2, 3)[:, ::2],
        "whole": np.array([2**62], dtype=np.int64),
        "unsigned": np.array([2**64 - 1], dtype=np.uint64),
        "flags": np.array([[True], [False]]),
        "nothing": np.zeros((0, 3)),
        "scalar": np.float32(0.1),
        "generator": np.random.default_rng(1).bit_generator.state,  # with integers of 128 bits
        "nested": [{"a": (1, "two", None, True)}, []],
    }
    path = checkpoint.save(tmp_path, _snapshot(1) | {"environments": plain(state, "state")})
    back = live(checkpoint.load(path)["environments"])
    assert repr(back) == repr(state)
    for name in ("double", "single", "whole", "unsigned", "flags", "nothing", "scalar"):
        assert (back[name].dtype, back[name].shape) == (state[name].dtype, state[name].shape)  # type: ignore[attr-defined]


def test_snapshot_shares_nothing_with_what_it_was_taken_of() -> None:
    array = np.zeros(2)
    kept = plain({"a": [array]}, "state")
    array[0] = 1.0
    back = live(kept)
    back["a"][0][1] = 1.0
    assert live(kept)["a"][0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("value", [object(), np.array(["text"]), {1, 2}, np.array([object()])])
def test_state_no_checkpoint_can_hold_is_named(value: Any) -> None:
    with pytest.raises(UserError, match=r"the state\.inner\[1\] is an? .*no checkpoint can hold"):
        plain({"inner": [0, value]}, "the state")


def test_latest_regular_ones_and_iteration_0_are_kept(tmp_path: Path) -> None:
    for iteration in (0, 5, 10, 15, 20, 25):
        checkpoint.save(tmp_path, _snapshot(iteration))
    assert [file.iteration for file in checkpoint.stored(tmp_path)] == [0, 15, 20, 25]


def test_without_iteration_0_no_other_takes_its_place(tmp_path: Path) -> None:
    for iteration in (5, 10, 15, 20, 25):
        checkpoint.save(tmp_path, _snapshot(iteration))
    assert [file.iteration for file in checkpoint.stored(tmp_path)] == [15, 20, 25]


def test_damaged_checkpoints_further_on_do_not_push_out_what_is_written_now(tmp_path: Path) -> None:
    for iteration in (0, 10, 20, 30):
        checkpoint.save(tmp_path, _snapshot(iteration))
    for file in checkpoint.stored(tmp_path)[1:]:
        file.path.write_bytes(b"damaged")
    checkpoint.save(tmp_path, _snapshot(5))
    assert checkpoint.latest(tmp_path)[0]["iteration"] == 5


def test_states_before_suspicious_iterations_are_at_most_five_the_first_of_each_kind_among_them(
    tmp_path: Path,
) -> None:
    for iteration in range(30, 330, 30):
        checkpoint.save(tmp_path, _snapshot(iteration), "rejected")
        checkpoint.save(tmp_path, _snapshot(iteration))
    checkpoint.save(tmp_path, _snapshot(330), "non-finite")
    special = [(f.iteration, f.kind) for f in checkpoint.stored(tmp_path) if f.kind]
    rejected = [(i, "rejected") for i in (30, 240, 270, 300)]
    assert special == [*rejected, (330, "non-finite")]
    for kind in ("skipped", "overshoot", "collapse"):
        checkpoint.save(tmp_path, _snapshot(331), kind)
    special = [(f.iteration, f.kind) for f in checkpoint.stored(tmp_path) if f.kind]
    assert len(special) == 5
    assert special[0] == (30, "rejected")
    assert not checkpoint.worth_keeping(tmp_path, 400, "rejected")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"not a checkpoint at all",
        pickle.dumps({"iteration": 9}),
        "truncated",
        "one bit",
        "zeros",
        "foreign",
    ],
)
def test_unreadable_checkpoint_costs_the_iterations_since_the_one_before(
    content: bytes | str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _stopped(tmp_path / "run")
    newest = checkpoint.stored(run)[-1].path
    good = bytearray(newest.read_bytes())
    middle = len(good) // 2
    if content == "truncated":
        newest.write_bytes(good[: len(good) // 2])
    elif content == "one bit":
        tensor = checkpoint.load(newest)["critic"]["theta"].numpy().tobytes()
        good[good.index(tensor) + 5] ^= 4
        newest.write_bytes(good)
    elif content == "zeros":
        good[middle : middle + 512] = bytes(512)
        newest.write_bytes(good)
    elif content == "foreign":
        torch.save({"state_dict": torch.zeros(2)}, newest)
    else:
        newest.write_bytes(content)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=rf"{newest.name}: not a .*resume from an older one"):
        checkpoint.load(newest)
    assert main(["train", f"--resume={run}", "--iterations=8"]) == 0
    resumed = open_run(run)
    assert resumed.column("iteration").values.tolist() == list(range(1, 9))
    assert resumed.column("attempt").values.tolist() == [1] * 5 + [2] * 3
    (said,) = (e.text for e in resumed.events if e.kind == "checkpoint-unreadable")
    assert newest.name in said
    assert said.endswith("went on from iteration 5")


def test_no_readable_checkpoint_at_all_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _stopped(tmp_path / "run", iterations=1)
    for file in checkpoint.stored(run):
        file.path.write_bytes(b"")
    assert main(["train", f"--resume={run}", "--iterations=8"]) == 2
    said = capsys.readouterr().err
    assert "none of its 2 checkpoints can be read; train anew into another folder" in said
    assert said.count("\n") == 1


def test_checkpoint_of_a_newer_version_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _stopped(tmp_path / "run", iterations=2)
    checkpoint.save(run, checkpoint.latest(run)[0] | {"format": FORMAT + 1, "iteration": 3})
    assert main(["train", f"--resume={run}", "--iterations=8"]) == 2
    said = capsys.readouterr().err
    assert f"format {FORMAT + 1}, this version knows {FORMAT}; upgrade" in said
    assert said.count("\n") == 1


def test_checkpoint_without_environments_resumes_with_new_episodes(tmp_path: Path) -> None:
    run = _stopped(tmp_path / "run", iterations=2)
    newest = checkpoint.stored(run)[-1]
    old = checkpoint.load(newest.path)
    for name in ("environments", "reward_normaliser"):
        del old[name]
    checkpoint.save(run, old | {"format": 1})
    assert main(["train", f"--resume={run}", "--iterations=4"]) == 0
    resumed = open_run(run)
    assert len(resumed) == 4
    (said,) = (e.text for e in resumed.events if e.kind == "environments-reset")
    assert "the checkpoint does not hold their state" in said


@pytest.mark.parametrize(
    ("fault", "kind", "iteration"),
    [
        ("nan-reward@4", "non-finite", 4),
        ("flipped-line-search@3", "rejected", 3),
        ("detached-gradient@5", "skipped", 5),
    ],
)
def test_state_before_a_suspicious_iteration_is_kept_and_an_event_names_it(
    fault: str, kind: str, iteration: int, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert _train(run, "--iterations=9", "--checkpoint-every=0", f"--fault={fault}") == 0
    logged = open_run(run)
    event = next(e for e in logged.events if e.kind == "suspicious" and kind in e.text)
    name = f"{iteration - 1:012d}-before-{kind}.pt"
    assert event.text.startswith(f"iteration {iteration}: ")
    assert event.text.endswith(f"; the state before it: checkpoints/{name}")
    assert event.row == iteration
    assert name in _files(run)
    state = checkpoint.load(run / "checkpoints" / name)
    assert state["iteration"] == iteration - 1
    assert state["config"]["fault"] == [fault]


def test_memory_open_files_and_checkpoints_stay_flat_over_two_thousand_iterations(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    open_files: list[int] = []

    class Watched(Training):
        def __next__(self) -> dict[str, Any]:
            row = super().__next__()
            if self.iteration in (200, 2000):
                open_files.append(len(list(Path("/proc/self/fd").iterdir())))
            return row

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.train.Training", Watched)
        assert _train(run, "--iterations=2000", "--checkpoint-every=5", "--hidden=8") == 0
    megabytes = open_run(run).column("memory_mb").values
    assert len(megabytes) == 2000
    assert megabytes[999] - megabytes[199] < 8
    assert megabytes[1999] - megabytes[1199] < 8  # 1,024 rows became Parquet in between, once
    assert megabytes[1999] - megabytes[199] < 80
    assert open_files[1] <= open_files[0] + 1
    assert len(_files(run)) <= 1 + checkpoint.KEEP + checkpoint.KEEP_BEFORE


def test_full_disk_costs_checkpoints_and_events_say_so_the_training_ends_as_planned(
    tmp_path: Path,
) -> None:
    """No file may grow beyond 5,000 bytes, which is less than a checkpoint and more than some rows;
    from iteration 3 on there is room again."""
    run = tmp_path / "run"
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    class Crowded(Training):
        def __next__(self) -> dict[str, Any]:
            if self.iteration == 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
            return super().__next__()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.train.Training", Crowded)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, unlimited[1]))
            assert _train(run, "--iterations=4", "--checkpoint-every=1") == 0
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    logged = open_run(run)
    warnings = " ".join(event.text for event in logged.events if event.kind == "warning")
    assert "no checkpoint of iteration 1: [Errno 27] File too large" in warnings
    assert _files(run) == ["000000000003.pt", "000000000004.pt"]
    assert not (run / "checkpoints" / checkpoint.TEMPORARY).exists()
    assert logged.column("iteration").values.tolist()[-2:] == [3, 4]
    assert logged.state.name == "finished"


def test_disk_that_is_full_at_the_end_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    class Crowded(Training):
        def __next__(self) -> dict[str, Any]:
            if self.iteration == 3:
                resource.setrlimit(resource.RLIMIT_FSIZE, (5000, unlimited[1]))
            return super().__next__()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.train.Training", Crowded)
        try:
            assert _train(run, "--iterations=4", "--checkpoint-every=2") == 0
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert _files(run) == ["000000000000.pt", "000000000002.pt"]
    assert len(open_run(run)) == 3
    assert main(["train", f"--resume={run}"]) == 0
    resumed = open_run(run)
    assert resumed.column("iteration").values.tolist() == [1, 2, 3, 4]
    assert resumed.state.name == "finished"

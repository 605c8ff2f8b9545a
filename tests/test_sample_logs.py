"""Every sample log is diagnosed as its folder is named, and nothing but its numbers says so."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analyzer import identities as i
from analyzer.answers import answers
from analyzer.diagnosis import Diagnosis
from analyzer.measure import Measure
from analyzer.rules import BY_CODE
from analyzer.view import View
from runlog import open_run

SAMPLES = Path(__file__).resolve().parent.parent / "sample_logs"
FOLDERS = sorted(path.parent for path in SAMPLES.glob("*/run.parquet"))
REVEALING = ("config", "command", "run_id", "host", "git_commit", "job_id")


def expected(folder: Path) -> str:
    return folder.name.split("-", 1)[0]


def is_quiet(folder: Path) -> bool:
    """Whether nothing is a fault in it: healthy, solved, or a code that warns or notes at most."""
    named = expected(folder)
    return named == "healthy" or BY_CODE[named].level != "fault"


def agrees(diagnosis: Diagnosis, folder: Path) -> bool:
    named = expected(folder)
    if named == "healthy":
        return diagnosis.verdict == "healthy"
    if named == "TRPO601":
        return diagnosis.verdict == "solved" and diagnosis.findings[0].code == named
    if is_quiet(folder):
        alone = {f.code for f in diagnosis.findings if f.explained_by is None}
        return diagnosis.verdict == "healthy" and named in alone
    return diagnosis.cause is not None and diagnosis.cause.code == named


def test_there_is_a_sample_for_every_branch_of_the_guide() -> None:
    sections = {expected(folder)[4] for folder in FOLDERS if expected(folder) != "healthy"}
    assert sections >= {"1", "2", "3", "4", "6"}
    # The guide's fifth branch, taken literally: every candidate rejected.
    flipped = SAMPLES / "TRPO205-flipped-gradient"
    assert answers(open_run(flipped)).last().guide.section == 5
    assert sum(expected(folder) == "healthy" for folder in FOLDERS) >= 2


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_sample_is_diagnosed_as_named(folder: Path) -> None:
    diagnosis = answers(open_run(folder)).last()
    assert agrees(diagnosis, folder), diagnosis.headline
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 300_000


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("TRPO106-zero-advantages", 11),
        ("TRPO203-vanishing-gradient", 16),
        ("TRPO503-poor-quadratic-model", 1),
        ("TRPO604-no-early-update", 1),
        ("TRPO806-short-discount-horizon", 2),  # an episode has ended
    ],
)
def test_a_cause_began_with_what_is_wrong(name: str, first: int) -> None:
    cause = answers(open_run(SAMPLES / name)).last().cause
    assert cause is not None
    assert cause.first_bad_iteration == first


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_sample_is_diagnosed_without_its_name_and_settings(folder: Path, tmp_path: Path) -> None:
    table = pq.read_table(folder / "run.parquet")
    footer = dict(table.schema.metadata)
    run = json.loads(footer[b"trpo_tui.run"])
    footer[b"trpo_tui.run"] = json.dumps(
        {key: value for key, value in run.items() if key not in REVEALING}
    ).encode()
    footer[b"trpo_tui.events"] = b"[]"
    footer.pop(b"trpo_tui.checksum", None)  # of the footer as it was
    nulls = pa.nulls(len(table), pa.string())
    table = table.set_column(table.schema.get_field_index("run_id"), "run_id", nulls)
    neutral = tmp_path / "a.parquet"
    pq.write_table(table.replace_schema_metadata(footer), neutral)
    diagnosis = answers(open_run(neutral)).last()
    assert agrees(diagnosis, folder), diagnosis.headline


@pytest.mark.parametrize("folder", list(filter(is_quiet, FOLDERS)), ids=lambda folder: folder.name)
def test_a_sample_without_a_fault_raises_no_alarm_at_any_prefix(folder: Path) -> None:
    judged = answers(open_run(folder))
    alarms = [i for i in range(len(judged.run)) if judged.at(i).verdict == "fault"]
    assert alarms == []


@pytest.mark.parametrize(
    ("measure", "low", "high"),
    [
        (i.STEP_SCALE, 1 - 1e-3, 1 + 1e-3),
        (i.STEP_COSINE, 0.0, 1.0),
        (i.DAMPED_DIRECTION, 0.0, 1.0),
        (i.DIRECTION_CURVATURE, 1 - 1e-3, 1 + 1e-3),
        (i.LEAST_CURVATURE, 0.0, np.inf),
        (i.QUADRATIC_KL, 0.86, 1.13),
        (i.STALE_RATIO, 0.0, 1.0),
        (i.SURROGATE_SLOPE, 1 - 1.5 * 0.02**0.5, 1 + 1.5 * 0.02**0.5),
        (i.STEP_APPLIED, 1 - 1e-3, 1 + 1e-3),
        (i.GAUSSIAN_ENTROPY, 0.0, 1e-4),
        (i.NOISE_Z, 0.0, 4.0),
        (i.CRITIC_FIT_ORDER, 1 - 1e-2, 1 + 1e-2),
    ],
    ids=lambda value: value.name if isinstance(value, Measure) else None,
)
def test_sixty_iterations_of_halfcheetah_obey_the_identities_at_every_one(
    measure: Measure, low: float, high: float
) -> None:
    view = View(open_run(SAMPLES / "healthy-halfcheetah"))
    found = measure.of(view)
    assert found.known.sum() >= 50
    assert low <= found.low[found.known].min()
    assert found.high[found.known].max() <= high


def test_sixty_iterations_of_halfcheetah_hold_variance_and_entropy_together() -> None:
    run = open_run(SAMPLES / "healthy-halfcheetah")

    def of(name: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return run.column(name).values

    explained = 1 - (of("advantage_raw_std") / of("return_std")) ** 2
    assert np.abs(of("explained_variance") - explained).max() < 1e-2
    assert np.abs(of("return_mean") - of("value_mean") - of("advantage_raw_mean")).max() < 1e-2
    moved = np.abs(of("entropy_after") - of("entropy"))
    assert (moved <= np.sqrt(run.metadata["action_dim"] * of("kl"))).all()

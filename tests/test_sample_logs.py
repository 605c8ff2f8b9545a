"""Every sample log is diagnosed as its folder is named, and nothing but its numbers says so."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analyzer.answers import answers
from analyzer.diagnosis import Diagnosis
from runlog import open_run

SAMPLES = Path(__file__).resolve().parent.parent / "sample_logs"
FOLDERS = sorted(path.parent for path in SAMPLES.glob("*/run.parquet"))
REVEALING = ("config", "command", "run_id", "host", "git_commit", "job_id")


def expected(folder: Path) -> str:
    return folder.name.split("-", 1)[0]


def agrees(diagnosis: Diagnosis, folder: Path) -> bool:
    named = expected(folder)
    if named == "healthy":
        return diagnosis.verdict == "healthy"
    if named == "TRPO601":
        return diagnosis.verdict == "solved" and diagnosis.findings[0].code == named
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


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_sample_is_diagnosed_without_its_name_and_settings(folder: Path, tmp_path: Path) -> None:
    table = pq.read_table(folder / "run.parquet")
    footer = dict(table.schema.metadata)
    run = json.loads(footer[b"trpo_tui.run"])
    footer[b"trpo_tui.run"] = json.dumps(
        {key: value for key, value in run.items() if key not in REVEALING}
    ).encode()
    footer[b"trpo_tui.events"] = b"[]"
    nulls = pa.nulls(len(table), pa.string())
    table = table.set_column(table.schema.get_field_index("run_id"), "run_id", nulls)
    neutral = tmp_path / "a.parquet"
    pq.write_table(table.replace_schema_metadata(footer), neutral)
    diagnosis = answers(open_run(neutral)).last()
    assert agrees(diagnosis, folder), diagnosis.headline


@pytest.mark.parametrize(
    "folder", [f for f in FOLDERS if expected(f) == "healthy"], ids=lambda folder: folder.name
)
def test_a_healthy_sample_raises_no_alarm_at_any_prefix(folder: Path) -> None:
    judged = answers(open_run(folder))
    alarms = [i for i in range(len(judged.run)) if judged.at(i).verdict == "fault"]
    assert alarms == []

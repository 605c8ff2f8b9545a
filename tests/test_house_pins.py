"""The house: pinned versions, make targets, continuous integration."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TARGETS = ("demo", "test", "test-system", "check", "bench", "docs", "samples")


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def needed(extras: tuple[str, ...]) -> set[str]:
    """Names of everything that the project with these extras brings in on this machine."""
    todo = [Requirement(text) for text in PROJECT["dependencies"]]
    todo += [Requirement(t) for e in extras for t in PROJECT["optional-dependencies"][e]]
    seen: set[tuple[str, str]] = set()
    names: set[str] = set()
    while todo:
        requirement = todo.pop()
        for extra in ("", *requirement.extras):
            key = (canonicalize_name(requirement.name), extra)
            if key in seen:
                continue
            seen.add(key)
            names.add(key[0])
            try:
                texts = distribution(key[0]).requires or []
            except PackageNotFoundError:
                continue  # a library for another kind of machine, such as torch's for a GPU
            children = [Requirement(text) for text in texts]
            todo += [c for c in children if not c.marker or c.marker.evaluate({"extra": extra})]
    return names


def installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def test_constraints_pin_everything_that_an_installation_brings_in() -> None:
    unpinned = {
        name for name in needed(("train", "mocap", "ssh", "sb3", "dev")) if installed(name)
    } - pins().keys()

    assert unpinned == set()


def test_constraints_pin_exact_versions_and_name_no_index() -> None:
    text = (ROOT / "constraints.txt").read_text()

    assert "://" not in text
    assert "--" not in text
    assert pins()["torch"] == "2.13.0"
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in pins().values())


def test_every_make_target_has_a_line_of_help() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)

    for target in TARGETS:
        assert re.search(rf"^make {target} +\w", done.stdout, re.MULTILINE), target


@pytest.mark.parametrize("body", ["pytest.skip('why')", "pytest.xfail('why')"])
def test_a_skipped_test_fails_in_continuous_integration(tmp_path: Path, body: str) -> None:
    (tmp_path / "test_it.py").write_text(f"import pytest\ndef test_it():\n    {body}\n")

    assert run_pytest(tmp_path, CI="true") == 1
    assert run_pytest(tmp_path, CI="") == 0


def test_a_skipped_file_fails_in_continuous_integration(tmp_path: Path) -> None:
    text = "import pytest\npytest.importorskip('no_such_module')\ndef test_it(): pass\n"
    (tmp_path / "test_it.py").write_text(text)

    assert run_pytest(tmp_path, CI="true") not in (0, 5)


def test_no_test_at_all_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("")

    assert run_pytest(tmp_path, CI="true") == 5


def run_pytest(folder: Path, **environment: str) -> int:
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "."],
        cwd=folder,
        env=os.environ
        | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT / "tests")}
        | environment,
        capture_output=True,
    ).returncode

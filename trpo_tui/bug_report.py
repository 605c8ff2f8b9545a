"""The zip to publish: the run cut by a redactor, the reports on what is left, versions."""

import os
import platform
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from typing import Any

from analyzer.answers import answers
from analyzer.reports.as_json import as_json, dumps, tool
from analyzer.reports.as_markdown import markdown
from analyzer.reports.page import page
from runlog.assemble import published_run
from runlog.chunk import ParquetChunk
from runlog.convert import encoded_whole
from runlog.errors import UserError
from runlog.folder import PUBLISHED, write_new
from runlog.run import Run
from trpo_tui.options import summary_of
from trpo_tui.redacted_run import redacted, texts_of
from trpo_tui.redaction import Redactor, known_of

_PACKAGES = ("numpy", "pyarrow", "pandas", "textual", "click", "torch", "gymnasium", "mujoco",
             "stable-baselines3", "sb3-contrib")  # fmt: skip
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""A date for every file, so that the same run makes the same zip."""
_READABLE = 0o644 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class BugReport:
    """What goes in: `files` name → contents. What was cut: `cut` kind → how often."""

    files: Mapping[str, bytes]
    cut: Mapping[str, int]
    settings_cut: tuple[str, ...]
    """Settings of the run that were cut, so that it may not be repeated from the report."""


def bug_report(
    run: Run, name: str, *, ignore: Mapping[str, str], notes: tuple[str, ...]
) -> BugReport:
    """The files of a bug report that is to be called `name`.

    `ignore`: code → the user's reason. `notes`: sentences the reports must say. The reports are
    made of the redacted run read back, so that nothing can be in them that is not in it.
    """
    known = known_of(texts_of(run), run.metadata, os.environ, platform.node())
    redactor = Redactor(known)
    data = encoded_whole(redacted(run, redactor))
    name = redactor.text(name)
    found = published_run(ParquetChunk(Path(name), data=data))
    found = replace(found, notes=(*map(redactor.text, notes), *found.notes))
    reasons = {code: redactor.text(reason) for code, reason in ignore.items()}
    diagnosis = answers(found, ignore=reasons).last()
    texts = {
        "report.html": page(found, diagnosis, path=name),
        "report.json": dumps(as_json(found, diagnosis, path=name)) + "\n",
        "report.md": markdown(found, diagnosis, path=name),
        "versions.txt": redactor.text("".join(f"{line}\n" for line in _versions(found))),
    }
    files = {PUBLISHED: data} | {name: text.encode() for name, text in texts.items()}
    return BugReport(
        files=dict(sorted(files.items())),
        cut=dict(sorted(redactor.cut.items())),
        settings_cut=_differing(run.metadata, found.metadata),
    )


def _versions(run: Run) -> Iterator[str]:
    """What made the run, and what made the report."""
    yield "The run"
    made = run.metadata.get("packages")
    yield f"  trpo-tui {run.metadata.get('tool_version') or 'unknown'}"
    for name, number in (made if isinstance(made, Mapping) else {}).items():
        yield f"  {name} {number}"
    yield "The report, made on this machine"
    yield f"  trpo-tui {tool()['version']}"
    yield f"  python {platform.python_version()} ({platform.python_implementation()})"
    yield f"  {platform.system()} {platform.machine()} {' '.join(platform.libc_ver())}".rstrip()
    for name in _PACKAGES:
        try:
            yield f"  {name} {version(name)}"
        except PackageNotFoundError:
            yield f"  {name} not installed"


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    old, new = before.get("config"), after.get("config")
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return ()
    return tuple(str(name) for name, value in old.items() if new.get(name) != value)


def write(report: BugReport, output: str, *, force: bool = False) -> Path:
    """Write the zip; one that is there already is replaced only with `force`."""
    path = Path(output)
    if path.is_dir():
        raise UserError(f"{path}: a folder; name the file to write, such as {path / 'bug.zip'}")
    if path.exists() and not force:
        raise UserError(f"{path}: is there already; --force replaces it")
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, data in report.files.items():
            member = zipfile.ZipInfo(name, _LONG_AGO)
            member.create_system, member.external_attr = _UNIX, _READABLE
            packed = name == PUBLISHED  # compressed column by column already
            member.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            file.writestr(member, data)
    try:
        write_new(path, stream.getvalue())
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    return path


def told(report: BugReport, path: Path, run: Run) -> str:
    """What went in and what was cut, for the user to look at before publishing."""
    lines = [f"written: {path}"]
    lines += [f"  {name:14}{_size(len(data)):>9}" for name, data in report.files.items()]
    cut = ", ".join(f"{kind} {count}" for kind, count in report.cut.items())
    lines.append(f"cut (kind, times): {cut or 'nothing was found that had to be'}")
    lines.append(f"in it: {summary_of(run)}, settings, events; left out: checkpoints")
    if report.settings_cut:
        lines.append(
            f"settings cut: {', '.join(report.settings_cut)}; train --like needs them as flags"
        )
    return "\n".join([*lines, "Look through it before you publish it."])


def _size(count: int) -> str:
    return f"{count} B" if count < 1000 else f"{count / 1000:,.0f} kB"

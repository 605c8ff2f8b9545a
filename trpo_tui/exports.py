"""What the screen hands on: the diagnosis, the values at the playhead, the whole table."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

from rich.console import Console, RenderableType

from runlog.run import Run
from trpo_tui.frame import Frame
from trpo_tui.terminal import clip, state_folder
from trpo_tui.text import cell

_FETCHED_FONT = re.compile(r',\s*url\("https?://[^)]*\) format\("[^"]*"\)')


def handed_on(
    what: str,
    frame: Frame,
    *,
    osc52: Callable[[str], None],
    painted: RenderableType | None,
    size: tuple[int, int],
) -> str:
    """Do the action of that name: copy, copy-values, csv or picture; one sentence that says where.

    `osc52` gives a text to the terminal. `painted`: the screen of that size, for a picture.
    """
    if what == "csv":
        return write_csv(frame)
    if what == "picture" and painted is not None:
        return write_picture(painted, *size, frame)
    text, name = diagnosis_text(frame) if what == "copy" else values_text(frame)
    return clip(text, folder=Path(frame.path), name=name, osc52=osc52)


def diagnosis_text(frame: Frame) -> tuple[str, str]:
    """The diagnosis at the playhead as Markdown, and a file name for it."""
    from analyzer.reports.as_markdown import markdown

    if frame.diagnosis is None:
        return "", "diagnosis.md"
    text = markdown(frame.run, frame.diagnosis, path=frame.path)
    return text, f"diagnosis-it{frame.diagnosis.iteration or frame.diagnosis.row + 1}.md"


def values_text(frame: Frame) -> tuple[str, str]:
    """Every column at the playhead as `name value` lines, and a file name for them."""
    lines = [f"{name}\t{cell(frame.run, name, frame.row)}" for name in frame.run.types]
    return "\n".join(lines) + "\n", f"values-it{frame.iteration or frame.row + 1}.tsv"


def write_csv(frame: Frame) -> str:
    """Write every column of the run, a row an iteration; a null is empty. Returns where."""
    place = beside(Path(frame.path), f"{frame.name.replace('/', '-') or 'run'}.csv")
    with place.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(frame.run.types)
        columns = [_cells(frame.run, name) for name in frame.run.types]
        writer.writerows(zip(*columns, strict=True))
    return f"written: {place}"


def _cells(run: Run, name: str) -> list[str]:
    if run.types[name].startswith("list<"):
        lists = run.lists(name)
        return [
            " ".join(repr(float(v)) for v in lists[row]) if lists.present[row] else ""
            for row in range(len(run))
        ]
    column = run.column(name)
    told = zip(column.values.tolist(), column.present.tolist(), strict=True)
    return [str(value) if present else "" for value, present in told]


def beside(path: Path, name: str) -> Path:
    """A file of that name next to the run where one may write, else in the state folder."""
    folder = path if path.is_dir() else path.parent
    try:
        (folder / name).touch()
    except OSError:
        folder = state_folder()
        folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def without_fetching(svg: str) -> str:
    """The picture without the fonts of another host that it names; the reader's own will do."""
    return _FETCHED_FONT.sub("", svg)


def write_picture(painted: RenderableType, width: int, height: int, frame: Frame) -> str:
    """The screen as it was painted, as SVG beside the run; says where."""
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        safe_box=False,
    )
    console.print(painted)
    place = beside(Path(frame.path or "."), f"screen-it{frame.iteration or 0}.svg")
    drawn = without_fetching(console.export_svg(title=f"trpo-tui {frame.name}"))
    place.write_text(drawn, encoding="utf-8")
    return f"written: {place}"

"""What was said of each of the fault bench's faults: the confusion matrix, as a table and a picture."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from bench_judging import Score
from bench_scores import is_right

Said = tuple[str, bool]
"""A code, or the verdict where no cause was named; and whether that was right."""
Confusion = Mapping[str, Counter[Said]]

NOTHING = "– without effect"
HEALTHY = "– healthy runs"
RIGHT, WRONG = "#0b6e4f", "#b3541e"


def confusion(scores: Iterable[Score], without: frozenset[str]) -> Confusion:
    """Fault → how often each thing was said at the last iteration, in the order of the labels.

    Faults without effect share a row, and so do healthy runs.
    """
    found: dict[tuple[str, str], Counter[Said]] = defaultdict(Counter)
    for score in scores:
        label = score.case.label
        row = (label[0], score.case.kind) if label else ("~", HEALTHY)
        if score.case.title in without:
            row = "~", NOTHING
        found[row][score.cause or score.verdict, is_right(score, without)] += 1
    together: dict[str, Counter[Said]] = defaultdict(Counter)
    for (_, name), said in sorted(found.items()):
        together[name] += said
    return together


def table(found: Confusion) -> str:
    """The cells that are not empty, row by row, as Markdown."""

    def cells(said: Counter[Said], right: bool) -> str:
        kept = sorted((what, n) for (what, is_so), n in said.items() if is_so == right)
        return ", ".join(f"{what} × {n}" for what, n in kept) or "–"

    lines = [
        f"| {row} | {said.total()} | {cells(said, True)} | {cells(said, False)} |"
        for row, said in found.items()
    ]
    return "\n".join(["| fault | runs | said, right | said, wrong |", "|---|---|---|---|", *lines])


def draw(found: Confusion, title: str, path: Path) -> None:
    """One row a fault, one column a code; green where right, the stronger the more of the row."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.colors import to_rgb

    rows = list(found)
    columns = sorted(
        {what for said in found.values() for what, _ in said},
        key=lambda what: (not what.startswith("TRPO"), what),
    )
    picture = np.ones((len(rows), len(columns), 3))
    figure, panel = plt.subplots(
        figsize=(2.4 + 0.27 * len(columns), 1.2 + 0.24 * len(rows)), constrained_layout=True
    )
    for y, said in enumerate(found.values()):
        for x, what in enumerate(columns):
            right, wrong = said[what, True], said[what, False]
            if not right + wrong:
                continue
            shade = (right * np.array(to_rgb(RIGHT)) + wrong * np.array(to_rgb(WRONG))) / (
                right + wrong
            )
            strength = 0.25 + 0.75 * (right + wrong) / said.total()
            picture[y, x] = 1 - strength * (1 - shade)
            ink = "white" if strength > 0.6 else "black"
            panel.text(x, y, str(right + wrong), ha="center", va="center", fontsize=8, color=ink)
    panel.imshow(picture, aspect="auto")
    panel.set_xticks(range(len(columns)), [what.removeprefix("TRPO") for what in columns])
    panel.set_yticks(range(len(rows)), rows)
    panel.tick_params(axis="x", labelrotation=90, labeltop=True, top=True)
    panel.tick_params(length=0, labelsize=8)
    panel.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    panel.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    panel.grid(which="minor", color="#dddddd", linewidth=0.5)
    panel.tick_params(which="minor", length=0)
    panel.set_title(title, fontsize=10)
    panel.set_xlabel("cause as said at the last iteration, TRPO…", fontsize=9)
    panel.set_ylabel("fault put in", fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def write_confusion(
    scores: Iterable[Score], without: frozenset[str], title: str, folder: Path
) -> None:
    """confusion.md and confusion.png."""
    found = confusion(scores, without)
    text = (
        f"# Confusion matrix: {title}\n\n"
        "Written by `python benchmarks/fault_bench.py --record`: what was said of each fault at the "
        "last iteration, a code where a cause was named, else the verdict, and in how many runs. "
        "Right is a code of the run's label; of faults without effect and of healthy runs, that "
        "nothing is wrong.\n\n![The same as a picture](confusion.png)\n\n"
    )
    (folder / "confusion.md").write_text(f"{text}{table(found)}\n", encoding="utf-8")
    draw(found, title, folder / "confusion.png")

"""Sections of RESULTS.md that a benchmark writes itself."""

from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"


def replace_section(title: str, text: str, path: Path = RESULTS) -> None:
    """Put `text` below the heading `## title`, in place of what stood there; at the end if new."""
    before, heading, rest = path.read_text().partition(f"## {title}\n")
    if not heading:
        path.write_text(f"{before.rstrip()}\n\n## {title}\n\n{text}\n")
        return
    after = rest.partition("\n## ")
    tail = f"\n## {after[2]}" if after[1] else ""
    path.write_text(f"{before}{heading}\n{text}\n{tail}")

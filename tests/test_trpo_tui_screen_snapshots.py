"""Pictures of every screen beside the ones that were looked at and kept.

TRPO_TUI_SNAPSHOTS=write keeps new ones: open them and look before they are committed.
"""

import asyncio
import os
from pathlib import Path

import pytest

from trpo_tui.picture import picture
from trpo_tui.themes import THEMES

TESTS = Path(__file__).parent
RUN = TESTS.parent / "sample_logs" / "TRPO101-constant-reward"
KEPT = TESTS / "snapshots"
LOOKS = (*THEMES[:1], "textual-light", "colour-blind", "no-colour")
SIZES = ((60, 20), (80, 23), (80, 24), (120, 40))
SCREENS = {"diagnosis": ("d", "enter"), "events": ("e",), "table": ("t", "down", "down"), "help": ("?",),
           "palette": ("colon", "z", "o"), "maximised": ("tab", "z", "plus", "s", "left")}  # fmt: skip


def agrees(name, svg):
    kept = KEPT / f"{name}.svg"
    if os.environ.get("TRPO_TUI_SNAPSHOTS") == "write":
        KEPT.mkdir(exist_ok=True)
        kept.write_text(svg, encoding="utf-8")
    if svg != kept.read_text(encoding="utf-8"):
        differing = kept.with_suffix(".now.svg")
        differing.write_text(svg, encoding="utf-8")
        pytest.fail(f"{differing} differs from {kept.name}: look at both")


@pytest.fixture(autouse=True)
def at_greenwich(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("look", LOOKS)
def test_the_monitor_looks_as_it_was_seen_to(look, size, monkeypatch):
    if look == "no-colour":
        monkeypatch.setenv("NO_COLOR", "1")
    theme = "" if look == "no-colour" else look
    svg = asyncio.run(picture(RUN, columns=size[0], rows=size[1], theme=theme))
    agrees(f"monitor-{look}-{size[0]}x{size[1]}", svg)


@pytest.mark.parametrize("screen", SCREENS)
def test_the_other_screens_look_as_they_were_seen_to(screen):
    svg = asyncio.run(picture(RUN, columns=80, rows=24, keys=SCREENS[screen]))
    agrees(f"{screen}-80x24", svg)

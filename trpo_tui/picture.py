"""A picture of the Monitor for the README: `python -m trpo_tui.picture RUN out.svg [COLUMNSxROWS]`."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runlog.errors import UserError


async def picture(
    source: str | Path,
    *,
    columns: int = 100,
    rows: int = 30,
    theme: str = "",
    keys: Sequence[str] = (),
) -> str:
    """The Monitor of a run at its last row as SVG text, drawn without a terminal; or what is there
    after some keys.

    Times are in UTC and with their date, so that the same run always gives the same picture.
    """
    from trpo_tui.app import check_source, prepare_textual

    check_source(str(source))
    prepare_textual()
    os.environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):
        time.tzset()
    from trpo_tui.application import WatchApp
    from trpo_tui.exports import without_fetching
    from trpo_tui.settings_file import Settings

    name = Path(source).resolve().name
    app = WatchApp(str(source), name=name, settings=Settings(theme=theme))
    async with app.run_test(size=(columns, rows)) as pilot:
        for _ in range(600):
            await pilot.pause(0.05)
            if app.failure is not None:
                raise app.failure
            if app.frame.opened and (app.frame.diagnosis is not None or not len(app.frame.run)):
                break
        else:
            raise UserError(f"{source}: not read within 30 s")
        app.frame = replace(app.frame, now=0.0)  # the same picture on every day
        app.show()
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.1)
        await pilot.pause()
        drawn = app.export_screenshot(title=f"trpo-tui watch {name}")
    return without_fetching(drawn)


def main(arguments: list[str]) -> int:
    """Write the picture; returns the exit code."""
    if len(arguments) not in (2, 3):
        sys.stderr.write("usage: python -m trpo_tui.picture RUN out.svg [COLUMNSxROWS]\n")
        return 2
    columns, _, rows = (arguments[2] if len(arguments) == 3 else "100x30").partition("x")
    try:
        svg = asyncio.run(picture(arguments[0], columns=int(columns), rows=int(rows)))
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    Path(arguments[1]).write_text(svg, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

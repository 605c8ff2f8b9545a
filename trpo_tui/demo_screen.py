"""The live screen of the demo: it leaves by itself when the run has ended."""

from pathlib import Path

from trpo_tui.app import prepare_textual

LINGER = 4.0
"""Seconds the last picture stays."""


def show_until_the_end(path: Path) -> None:
    """Show the run at `path` until it has ended or the user leaves."""
    prepare_textual()
    from trpo_tui.application import WatchApp
    from trpo_tui.terminal import environment_at_start, speaks_unicode
    from trpo_tui.themes import ASCII, UNICODE

    class DemoApp(WatchApp):
        """The screen, and an end to it."""

        CSS_PATH = str(Path(__file__).with_name("app.tcss"))
        leaving = False

        def show(self) -> None:
            super().show()
            if len(self.frame.run) and not self.frame.live and not self.leaving:
                self.leaving = True
                self.set_timer(LINGER, lambda: self.exit(0))

    look = UNICODE if speaks_unicode(environment_at_start()) else ASCII
    app = DemoApp(str(path), name=path.name, look=look)
    app.run(mouse=False)
    if app.failure is not None:
        raise app.failure

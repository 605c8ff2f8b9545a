"""`python -m trpo_tui` is `trpo-tui`."""

from trpo_tui.cli import main

main()

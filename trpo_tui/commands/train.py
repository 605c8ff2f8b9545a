"""`trpo-tui train`: the agent trains."""

from trpo_tui.handed_on import handed_on

command = handed_on("train", "Train with the built-in TRPO agent.")

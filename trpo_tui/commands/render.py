"""`trpo-tui render`: the agent draws a film."""

from trpo_tui.handed_on import handed_on

command = handed_on("render", "Write a short film of a policy.")

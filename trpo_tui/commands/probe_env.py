"""`trpo-tui probe-env`: the agent looks at an environment."""

from trpo_tui.handed_on import handed_on

command = handed_on("probe-env", "Say what is wrong with an environment before training in it.")

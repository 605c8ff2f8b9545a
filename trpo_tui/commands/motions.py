"""`trpo-tui motions`: the agent lists its motion clips."""

from trpo_tui.handed_on import handed_on

command = handed_on("motions", "List the motion clips of DPEnv, or check clip files.")

"""What is worth a bell: a new cause, a crash, the end."""

from trpo_tui.frame import LIVE, Frame
from trpo_tui.messages import Looked


def alarm(before: Frame, now: Looked) -> str:
    """One sentence where the run as just read has news against what was shown, else empty."""
    if not before.opened:
        return ""
    was, state = before.run.state.name, now.run.state
    if was in LIVE and state.name not in LIVE:
        reason = f": {state.reason}" if state.reason else ""
        return f"the run has {'finished' if state.name == 'finished' else 'ended'} ({state.name}){reason}"
    known = {change.code for change in before.changes}
    new = [change for change in now.changes if change.code and change.code not in known]
    if new and before.diagnosis is not None:
        return f"new cause: {new[-1].code}"
    return ""

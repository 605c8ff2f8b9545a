"""What this process takes of the machine: processor time and memory."""

import os
import time
from pathlib import Path

_STATM = Path("/proc/self/statm")


def processor_seconds() -> float:
    """CPU time of this process, all threads, user and system, s."""
    return time.process_time()


def memory_mb() -> float | None:
    """Resident memory, MB; the peak where only that is known; None where nothing is."""
    try:
        pages = int(_STATM.read_bytes().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, IndexError, AttributeError):
        pass
    try:
        import resource
        import sys
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6

"""Imported first by every benchmark: their folder goes last, or `import runlog` would find runlog.py there."""

import sys
from pathlib import Path

_HERE = str(Path(__file__).resolve().parent)
sys.path[:] = [*(place for place in sys.path if place != _HERE), _HERE]

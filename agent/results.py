"""What a command has found out, on standard output."""

import io
import os
import sys

from runlog.errors import UserError

READER_GONE = 141


def say(text: str) -> None:
    """Print whole lines. A reader that went away (head, less) ends the process and is no error.

    UserError where there is no more room. What the terminal cannot spell becomes `?`.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _write_no_more()
        raise SystemExit(READER_GONE) from None
    except OSError as error:
        _write_no_more()
        raise UserError(f"the output cannot be written ({error.strerror})") from None


def _write_no_more() -> None:
    """Send what standard output still holds to nowhere, so that nothing is said at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""A bug report's zip: the run.parquet in it, read without extracting."""

import zipfile
import zlib
from pathlib import Path

from runlog.errors import UserError
from runlog.folder import PUBLISHED

_BEGINS = (b"PK\x03\x04", b"PK\x05\x06")
_MOST_BYTES = 4 * 2**30
_MOST_TIMES = 100
"""A run.parquet is compressed already: no honest one shrinks to a hundredth, a bomb does."""
_ENCRYPTED = 0x1


def is_zip(path: Path) -> bool:
    """Whether the file is a zip, by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) in _BEGINS


def run_parquet_in(path: Path) -> bytes:
    """The contents of the one run.parquet in a zip; raises UserError where there is none to read."""
    try:
        with zipfile.ZipFile(path) as file:
            found = [m for m in file.infolist() if Path(m.filename).name == PUBLISHED]
            if len(found) != 1:
                raise UserError(
                    f"{path}: {'several' if found else 'no'} {PUBLISHED} in this zip; "
                    "trpo-tui report RUN -o bug.zip makes one that can be opened"
                )
            member = found[0]
            if member.flag_bits & _ENCRYPTED:
                raise UserError(f"{path}: {member.filename} is encrypted; unpack the zip first")
            if member.file_size > min(_MOST_BYTES, _MOST_TIMES * max(1, member.compress_size)):
                raise UserError(
                    f"{path}: {member.filename} would unpack to {member.file_size:,} bytes; "
                    "no bug report does"
                )
            return file.read(member)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: not a readable zip ({str(error).rstrip('.')})") from error

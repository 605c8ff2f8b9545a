"""A run log in one file: standard library only, Python 3.6 or newer, MIT License, trpo-tui authors.

Made by `trpo-tui logger > trpo_log.py` for trainers that cannot install trpo-tui. Put it beside
your script:

    from trpo_log import RunLog
    with RunLog("runs/mine", env_id="Hopper-v2", config={"max_kl": 0.01}) as log:
        log.iteration(iteration=1, kl=0.009, gradient_norm=0.31)

`trpo-tui watch runs/mine` shows it while it grows, `trpo-tui analyze runs/mine` names what is
wrong, `trpo-tui finalize runs/mine` makes one run.parquet of it; docs/columns.md lists the columns.
It writes format 1: a record a line, CRC-32 in eight hex digits, a blank, JSON. A killed process
loses no row, a full disk stops no training, and the same path opened again goes on.
"""

from __future__ import print_function

import sys

if sys.version_info < (3, 6):
    sys.exit("trpo_log.py needs Python 3.6 or newer, this is %d.%d" % sys.version_info[:2])

import atexit
import errno
import json
import os
import platform
import threading
import time
import traceback
import uuid
import zlib

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

FORMAT = 1
SCHEMA = 1
SEGMENT_ROWS, SEGMENT_BYTES = 1024, 8 * 2**20
BEAT_SECONDS = 10.0
# The declared columns that hold something else than a number with a point.
_INTEGERS = """
seed iteration attempt timesteps episodes batch_size updates episodes_terminated
episodes_truncated observation_dead_dimensions trainable_parameters cg_iterations
line_search_steps cg_iters vf_iters window_environment window_start
""".split()
_LISTS = """
episode_returns episode_lengths gradient_norms cg_residuals cg_curvatures line_search_fractions
line_search_gains line_search_kls window_reward window_value window_next_value window_advantage
window_log_prob_old window_log_prob_new window_terminated window_truncated
""".split()
KINDS = {
    "run_id": "text",
    "env_id": "text",
    "update_outcome": "text",
    "line_search_success": "flag",
}
KINDS.update(dict.fromkeys(_INTEGERS, "integer"))
KINDS.update(dict.fromkeys(_LISTS, "list"))
_SYNC = getattr(os, "fdatasync", os.fsync)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class RunLog:
    """Writes a run. Raises only at construction (run ended, or written by another process) and for
    a value that is no number, flag, text or list of numbers; trouble with the disk is said once."""

    def __init__(self, path, config=None, env_id=None, seed=None, algorithm=None, **metadata):
        self.path, self.dropped = os.fspath(path), 0
        self._mutex, self._pid = threading.RLock(), os.getpid()
        self._row, self._last, self._attempt = 0, None, 1  # the next row; the last iteration
        self._file, self._size, self._first, self._dirty = None, 0, 0, False
        self._unsaid, self._closed, self._stopping = 0, False, None
        self._kinds, self._warned = dict(KINDS), set()
        os.makedirs(os.path.join(self.path, "wal"), exist_ok=True)
        if os.path.exists(os.path.join(self.path, "run.parquet")):
            raise RuntimeError("%s: this run has ended; choose another folder" % self.path)
        self._take_lock()
        known = {"config": dict(config or {}), "env_id": env_id, "seed": seed}
        self._describe(dict(known, algorithm=algorithm, **metadata))
        self._open()
        self._done = threading.Event()
        threading.Thread(target=self._keep, name="trpo_log", daemon=True).start()
        atexit.register(self._abandon)

    def iteration(self, **columns):
        """Append one row; None is null. iteration, attempt, time and the run's names are filled in."""
        with self._mutex:
            self._require_open()
            row = dict(self._constants)
            for name, value in columns.items():
                cell = None if value is None else self._cell(name, value)
                if cell is not None:
                    row[name] = cell
            number = row.setdefault("iteration", (self._last or 0) + 1)
            if self._last is not None and number <= self._last:
                self._attempt += 1
            self._last = number
            row.setdefault("attempt", self._attempt)
            row.setdefault("time", time.time())
            record = {"kind": "iteration", "row": self._row, "values": row}
            if self._append(record):
                self._row += 1
                if self._row - self._first >= SEGMENT_ROWS or self._size >= SEGMENT_BYTES:
                    self._begin(self._row)

    def event(self, kind, text):
        """Append an event: a checkpoint, a warning, anything worth a mark."""
        with self._mutex:
            self._require_open()
            self._append(self._event(str(kind), str(text)))

    def stop(self, reason):
        """The run ends before its planned end, and why; leaving `with` then ends it as stopped."""
        self._stopping = reason

    def close(self, state="finished", reason=None):
        """End the log as finished, stopped or crashed. Once is enough."""
        with self._mutex:
            if self._closed or os.getpid() != self._pid:
                return
            self._closed = True
            end = {"kind": "end", "row": self._row, "time": time.time()}
            self._append(dict(end, state=state, reason=reason))
            self._done.set()
            atexit.unregister(self._abandon)
            if self._file is not None:
                self._sync()
                os.close(self._file)
            os.close(self._lock)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Exception):
            self.close("crashed", _account(error))
        elif error is not None:
            ctrl_c = "Ctrl-C" if isinstance(error, KeyboardInterrupt) else kind.__name__
            self.close("stopped", self._stopping or ctrl_c)
        else:
            self.close("finished" if self._stopping is None else "stopped", self._stopping)

    def _abandon(self):
        error = getattr(sys, "last_value", None)
        if isinstance(error, Exception):
            self.close("crashed", _account(error))
        else:
            self.close("stopped", self._stopping or "The program ended without closing the log.")

    def _require_open(self):
        if self._closed or os.getpid() != self._pid:
            raise RuntimeError(
                "%s: this log is closed, or belongs to the parent process" % self.path
            )

    def _take_lock(self):
        path = os.path.join(self.path, ".lock")
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        locked = fcntl is not None
        if locked:
            for last in (False,) * 10 + (True,):  # a reader holds it for an instant
                try:
                    fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if error.errno in _NO_LOCKS:
                        locked = False
                        break
                    if last:
                        os.close(self._lock)
                        raise RuntimeError("%s: another process writes this run" % self.path)
                time.sleep(0.03)
        try:
            with open("/proc/sys/kernel/random/boot_id") as file:
                boot = file.read().strip()
        except OSError:
            boot = None
        owner = {"pid": self._pid, "host": platform.node(), "boot_id": boot, "flock": locked}
        os.ftruncate(self._lock, 0)
        os.write(self._lock, json.dumps(owner).encode() + b"\n")
        if hasattr(os, "register_at_fork"):  # a worker must not keep a killed parent's lock
            os.register_at_fork(after_in_child=lambda: self._closed or os.close(self._lock))

    def _describe(self, given):
        path = os.path.join(self.path, "run.json")
        try:
            with open(path) as file:
                known = json.load(file)
        except (OSError, ValueError):
            versions = {"python": platform.python_version()}
            for name in ("numpy", "torch", "tensorflow", "gym", "gymnasium", "mujoco_py"):
                version = getattr(sys.modules.get(name), "__version__", None)
                versions.update({} if version is None else {name: str(version)})
            known = {"format": FORMAT, "schema": SCHEMA, "run_id": uuid.uuid4().hex[:12]}
            known.update(packages=versions, host=platform.node(), command=" ".join(sys.argv))
            known.update((name, value) for name, value in given.items() if value is not None)
            text = json.dumps(
                known, default=lambda v: v.tolist() if hasattr(v, "tolist") else str(v)
            )
            try:
                with open(path + ".new", "w") as file:
                    file.write(text)
                os.replace(path + ".new", path)
            except OSError as error:
                self._lose(error)
            known = json.loads(text)
        names = ("run_id", "env_id", "seed")
        self._constants = {name: known[name] for name in names if known.get(name) is not None}

    def _segments(self):
        """First rows of the segments, newest first."""
        names = os.listdir(os.path.join(self.path, "wal"))
        return sorted((int(n[:-4]) for n in names if n[:-4].isdigit()), reverse=True)

    def _read(self, first):
        """The valid records of a segment, and their bytes."""
        with open(self._place(first), "rb") as file:
            data = file.read()
        records, start = [], 0
        while True:
            stop = data.find(b"\n", start)
            line = data[start + 9 : stop]
            if stop < 0 or data[start : start + 9] != b"%08x " % (zlib.crc32(line) & 0xFFFFFFFF):
                return records, start
            records.append(json.loads(line.decode("ascii")))
            start = stop + 1

    def _place(self, first):
        return os.path.join(self.path, "wal", "%012d.wal" % first)

    def _open(self):
        """Take up the run that is there, or begin one."""
        sealed = 0
        parts = os.path.join(self.path, "parts")
        for name in os.listdir(parts) if os.path.isdir(parts) else ():
            if name.endswith(".parquet") and name[13:-8].isdigit():
                sealed = max(sealed, int(name[13:-8]) + 1)
        resumed, segments = False, self._segments()
        for first in segments:
            records, size = self._read(first)
            resumed = resumed or bool(records)
            if first == segments[0]:
                self._first, self._size, self._row = first, size, max(first, sealed)
            rows = [record for record in records if record["kind"] == "iteration"]
            if rows:
                last = rows[-1]["values"]
                self._row = max(self._row, rows[-1]["row"] + 1)
                self._last, self._attempt = last.get("iteration"), last.get("attempt", 1)
                break
        self._row = max(self._row, sealed)
        if segments and self._row > sealed:
            os.truncate(self._place(self._first), self._size)
            self._file = os.open(self._place(self._first), os.O_WRONLY | os.O_APPEND)
        else:  # nothing there yet, or all of it sealed
            self._begin(self._row)
        if resumed:
            self._append(self._event("resumed", "process %d" % self._pid))

    def _begin(self, first):
        """The segment that begins with that row."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        try:
            new = os.open(self._place(first), flags, 0o666)
        except OSError as error:
            if self._file is None:
                self._lose(error)
            return  # the segment there is grows on
        if self._file is not None:
            self._sync()
            os.close(self._file)
        self._file, self._first, self._size = new, first, os.fstat(new).st_size
        if not self._size:
            run_id = self._constants.get("run_id")
            header = {"kind": "header", "format": FORMAT, "run_id": run_id, "first_row": first}
            self._append(header)

    def _event(self, kind, text):
        stamp = {"kind": "event", "row": self._row, "time": time.time()}
        return dict(stamp, event=kind, text=text)

    def _append(self, record):
        """One record, one write; False if the disk did not take it."""
        if self._file is None:
            self._begin(self._row)
            if self._file is None:
                return False
        data = _framed(record)
        if self._unsaid:
            lost = "%d records could not be written before this" % self._unsaid
            data = _framed(self._event("dropped", lost)) + data
        try:
            if os.fstat(self._file).st_size != self._size:  # a write that was cut off
                os.ftruncate(self._file, self._size)
            done = 0
            while done < len(data):
                done += os.write(self._file, data[done:])
        except OSError as error:
            self._lose(error)
            return False
        self._size += len(data)
        self._unsaid, self._dirty = 0, True
        return True

    def _lose(self, error):
        if not self._unsaid:
            self._warn("the log cannot be written (%s); rows are dropped until it can" % error)
        self.dropped += 1
        self._unsaid += 1

    def _warn(self, text):
        if text not in self._warned:
            self._warned.add(text)
            print("trpo_log: %s: %s" % (self.path, text), file=sys.stderr)

    def _sync(self):
        try:
            _SYNC(self._file)
        except OSError as error:
            self._warn("%s; nothing is lost yet" % error)

    def _keep(self):
        """In a thread: rows last about a second after they came, and readers see a sign of life."""
        beaten = time.time()
        while not self._done.wait(1.0):
            with self._mutex:
                file = os.dup(self._file) if self._dirty and self._file is not None else None
                self._dirty = False
            try:
                if file is not None:
                    _SYNC(file)
                if abs(time.time() - beaten) >= BEAT_SECONDS:
                    beaten = time.time()
                    os.utime(os.path.join(self.path, ".lock"))
            except OSError as error:
                self._warn("%s; nothing is lost yet" % error)
            finally:
                if file is not None:
                    os.close(file)

    def _cell(self, name, value):
        cell = _plain(name, value, self._kinds.get(name))
        kind = self._kinds.setdefault(name, _kind(cell))  # the first value tells, if undeclared
        fitted = _fitted(cell, kind)
        if fitted is None:
            self._warn("%s holds a %s: %.40r does not fit and is dropped" % (name, kind, value))
        return fitted


def _plain(name, value, kind):
    """What JSON can hold of a value; NumPy's and torch's scalars and arrays are taken too."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if hasattr(value, "tolist"):
        value = value.tolist()
        if isinstance(value, list) and len(value) == 1 and kind != "list":
            value = value[0]
    if isinstance(value, (list, tuple)):
        return [None if entry is None else float(_number(name, entry)) for entry in value]
    return _number(name, value)


def _kind(cell):
    kinds = ((str, "text"), (list, "list"), (bool, "flag"))
    return next((kind for class_, kind in kinds if isinstance(cell, class_)), "number")


def _fitted(cell, kind):
    """The cell as its column holds it; None where it does not fit."""
    if kind in ("text", "list") or isinstance(cell, (str, list)):
        return cell if kind == _kind(cell) else None
    if kind == "flag":
        return bool(cell) if cell in (0, 1) else None
    try:
        number = float(cell)
    except OverflowError:
        number = float("inf") if cell > 0 else float("-inf")
    if kind == "integer":
        fits = number.is_integer() and -(2**63) <= int(cell) < 2**63
        return int(cell) if fits else None
    return number


def _number(name, value):
    if isinstance(value, (bool, int, float)):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        wanted = "a number, a flag, text or a list of numbers"
        raise TypeError("%s: a cell holds %s, not %.40r" % (name, wanted, value))


def _framed(record):
    text = json.dumps(record, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text) & 0xFFFFFFFF, text)


def _account(error):
    frames = "".join(traceback.format_tb(error.__traceback__)[-5:])
    return ("%s: %s\n%s" % (type(error).__name__, " ".join(str(error).split()), frames)).rstrip()

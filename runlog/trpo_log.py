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
import multiprocessing.util
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
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
_DISK = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EIO, errno.EFBIG)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, getattr(errno, "EOPNOTSUPP", errno.ENOSYS))


class RunLog:
    """Writes a run. Raises only at construction (run ended, or written by another process) and for
    a value that is no number, flag, text or list of numbers; trouble with the disk is said once."""

    def __init__(self, path, config=None, env_id=None, seed=None, algorithm=None, **metadata):
        self.path, self.dropped = os.fspath(path), 0
        given = dict(metadata, config=config or {}, env_id=env_id, seed=seed, algorithm=algorithm)
        self._given = {name: value for name, value in given.items() if value is not None}
        self._mutex, self._pid, self._done = threading.RLock(), os.getpid(), threading.Event()
        self._row = 0  # number of the next row, over all attempts
        self._attempt, self._last, self._count, self._constants = 1, None, 0, {}
        self._lock = self._file = None
        self._first = self._before = self._size = self._lost = 0  # of the segment; records unsaid
        self._full, self._dirty, self._closed, self._stopping = [], False, False, None
        self._queue, self._writing = [], False
        self._kinds, self._warned = dict(KINDS), set()
        try:
            self._open()
        except OSError as error:
            if error.errno not in _DISK:
                raise
            self._warn("the log cannot be written yet (%s)" % error)
        threading.Thread(target=self._keep, name="trpo_log", daemon=True).start()
        atexit.register(self._abandon)
        if hasattr(os, "register_at_fork"):  # a worker must not keep a killed parent's lock
            os.register_at_fork(after_in_child=self._forget)
        else:  # Python 3.6: at least for multiprocessing's own workers
            multiprocessing.util.register_after_fork(self, RunLog._forget)

    def iteration(self, **columns):
        """Append one row; None is null. Where not given, iteration (counted from 1 since this log
        was opened: pass your own when you resume), attempt and time are filled in."""
        with self._mutex:
            self._require_open()
            row = dict(self._constants)
            for name, value in columns.items():
                cell = None if value is None else self._cell(name, value)
                if cell is not None:
                    row[name] = cell
            number = row.setdefault("iteration", self._count + 1)
            if self._last is not None and number <= self._last:
                self._attempt += 1
            self._count = self._last = number
            row.setdefault("attempt", self._attempt)
            row.setdefault("time", time.time())
            self._append({"kind": "iteration", "values": row})

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
            self._append({"kind": "end", "time": time.time(), "state": state, "reason": reason})
            self._closed = True
        self._done.set()
        atexit.unregister(self._abandon)
        self._sync()
        for descriptor in (self._file, self._lock):
            if descriptor is not None:
                os.close(descriptor)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Exception):
            self.close("crashed", _account(error))
        elif error is not None:
            name = "Ctrl-C" if isinstance(error, KeyboardInterrupt) else type(error).__name__
            self.close("stopped", self._stopping or name)
        else:
            self.close("finished" if self._stopping is None else "stopped", self._stopping)

    def _abandon(self):
        """The interpreter ends and nobody closed the log."""
        error = getattr(sys, "last_value", None)  # set by an exception that nobody caught
        if error is None:
            self.stop(self._stopping or "The program ended without closing the log.")
        self.__exit__(None, error, None)

    def _forget(self):
        """In a forked process."""
        if not self._closed and self._lock is not None:
            os.close(self._lock)
        self._closed, self._mutex = True, threading.RLock()  # the other may be held for ever

    def _require_open(self):
        if self._closed or os.getpid() != self._pid:
            raise RuntimeError("%s: closed, or the log of a parent process" % self.path)

    def _open(self):
        """Take the lock, then take up the run that is there or begin one."""
        wal = os.path.join(self.path, "wal")
        os.makedirs(wal, exist_ok=True)
        if os.path.exists(os.path.join(self.path, "run.parquet")):
            raise RuntimeError("%s: this run has ended; choose another folder" % self.path)
        if self._lock is None:
            self._take_lock()
        self._describe()
        parts = os.path.join(self.path, "parts")
        names = os.listdir(parts) if os.path.isdir(parts) else ()
        sealed = [int(n[13:-8]) + 1 for n in names if n.endswith(".parquet") and n[0] != "."]
        self._row = max(sealed) if sealed else 0
        segments = sorted(int(n[:-4]) for n in os.listdir(wal) if n[:-4].isdigit())
        resumed = False
        for first in reversed(segments):  # the newest that holds a row tells where the run is
            records, size = _read(self._place(first))
            resumed = resumed or size > 0
            if first == segments[-1]:
                self._first, self._size = first, size
            rows = [record for record in records if record["kind"] == "iteration"]
            if rows:
                last = rows[-1]["values"]
                self._row = max(self._row, rows[-1]["row"] + 1)
                self._last, self._attempt = last.get("iteration"), last.get("attempt", 1)
                break
        if self._size and (not sealed or self._first >= max(sealed)):
            os.truncate(self._place(self._first), self._size)
            self._file = os.open(self._place(self._first), _APPEND)
            self._before = self._size
        else:  # nothing there yet, or all of it sealed
            self._begin(self._row)
        if resumed:
            self._append(self._event("resumed", "process %d" % self._pid))

    def _take_lock(self):
        lock = os.open(os.path.join(self.path, ".lock"), os.O_RDWR | os.O_CREAT, 0o666)
        locked, tries = False, 10  # a reader holds it for an instant while it looks
        while fcntl is not None and not locked:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                locked = True
            except OSError as error:
                if error.errno in _NO_LOCKS:
                    break
                if not tries:
                    os.close(lock)
                    raise RuntimeError("%s: another process writes this run" % self.path)
                tries -= 1
                time.sleep(0.03)
        try:
            with open("/proc/sys/kernel/random/boot_id") as file:
                boot = file.read().strip()
        except OSError:
            boot = None
        owner = {"pid": self._pid, "host": platform.node(), "boot_id": boot, "flock": locked}
        try:
            os.ftruncate(lock, 0)
            os.write(lock, json.dumps(owner).encode() + b"\n")
        except OSError:
            os.close(lock)
            raise
        self._lock = lock

    def _describe(self):
        """run.json, written once."""
        path = os.path.join(self.path, "run.json")
        try:
            with open(path) as file:
                known = json.load(file)
        except (OSError, ValueError):
            known = {"format": FORMAT, "schema": SCHEMA, "run_id": uuid.uuid4().hex[:12]}
            versions = {"python": platform.python_version()}
            for name in ("numpy", "torch", "tensorflow", "gym", "gymnasium", "mujoco_py"):
                version = getattr(sys.modules.get(name), "__version__", None)
                versions.update({} if version is None else {name: str(version)})
            known.update(packages=versions, host=platform.node(), command=" ".join(sys.argv))
            known.update(self._given)
            new = os.path.join(self.path, ".tmp-run")
            with open(new, "w") as file:
                json.dump(known, file, default=_told)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
        names = ("run_id", "env_id", "seed")
        self._constants = {name: known[name] for name in names if known.get(name) is not None}

    def _place(self, first):
        return os.path.join(self.path, "wal", "%012d.wal" % first)

    def _begin(self, first):
        """Go on in the segment that begins with that row; without a disk in the one there is."""
        header = {"kind": "header", "format": FORMAT, "run_id": self._constants.get("run_id")}
        data = _framed(dict(header, first_row=first))
        try:
            new = os.open(self._place(first), _APPEND, 0o666)
            os.ftruncate(new, 0)
            if os.write(new, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            if self._file is None:
                raise
            return
        self._full += [] if self._file is None else [self._file]
        self._file, self._first, self._before, self._size = new, first, len(data), len(data)

    def _event(self, kind, text):
        return {"kind": "event", "time": time.time(), "event": kind, "text": text}

    def _append(self, record):
        """Write a record, after the one at hand if a signal handler logs in the middle of that."""
        self._queue.append(record)
        if not self._writing:
            self._writing = True
            try:
                while self._queue:
                    self._write(self._queue.pop(0))
            finally:
                self._writing = False

    def _write(self, record):
        row = self._row
        try:
            if self._file is None:
                self._open()
                row = self._row
            data = _framed(dict(record, row=row))
            if self._lost:
                lost = "%d records could not be written before this" % self._lost
                data = _framed(dict(self._event("dropped", lost), row=row)) + data
            if os.fstat(self._file).st_size != self._size:  # a write that was cut off
                os.ftruncate(self._file, self._before)
                self._size = self._before
            # Counted before it is written: a Ctrl-C after the write must not make it look cut off.
            self._before, self._size = self._size, self._size + len(data)
            self._row += record["kind"] == "iteration"
            done = 0
            while done < len(data):
                done += os.write(self._file, data[done:])
        except (OSError, RuntimeError) as error:
            self._warn("the log cannot be written (%s); rows are dropped until it can" % error)
            self._lost, self.dropped, self._row = self._lost + 1, self.dropped + 1, row
            return
        self._lost, self._dirty = 0, True
        if self._row - self._first >= SEGMENT_ROWS or self._size >= SEGMENT_BYTES:
            self._begin(self._row)

    def _warn(self, text):
        if text not in self._warned:
            self._warned.add(text)
            print("trpo_log: %s: %s" % (self.path, text), file=sys.stderr)

    def _sync(self):
        """Make what was appended last."""
        with self._mutex:
            full, self._full, dirty, self._dirty = self._full, [], self._dirty, False
            current = [os.dup(self._file)] if dirty and self._file is not None else []
        for descriptor in full + current:
            try:
                _SYNC(descriptor)
            except OSError as error:
                self._warn("%s; nothing is lost yet" % error)
            os.close(descriptor)

    def _keep(self):
        """In a thread: rows last about a second after they came, and readers see a sign of life."""
        beaten = time.time()
        while not self._done.wait(1.0):
            self._sync()
            if abs(time.time() - beaten) >= BEAT_SECONDS:
                beaten = time.time()
                try:
                    os.utime(os.path.join(self.path, ".lock"))
                except OSError as error:
                    self._warn("%s; readers see no sign of life" % error)

    def _cell(self, name, value):
        cell = _plain(name, value, self._kinds.get(name))
        kind = self._kinds.setdefault(name, _kind(cell))  # the first value tells, if undeclared
        fitted = _fitted(cell, kind)
        if fitted is None:
            self._warn("%s holds a %s: %.40r does not fit and is dropped" % (name, kind, value))
        return fitted


def _read(path):
    """The valid records of a segment, and their bytes."""
    with open(path, "rb") as file:
        data = file.read()
    records, start = [], 0
    while True:
        stop = data.find(b"\n", start)
        line = data[start + 9 : stop]
        if stop < 0 or data[start : start + 9] != b"%08x " % (zlib.crc32(line) & 0xFFFFFFFF):
            return records, start
        records.append(json.loads(line.decode("ascii")))
        start = stop + 1


def _told(value):
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _plain(name, value, kind):
    """What JSON can hold of a value; NumPy's and torch's scalars and arrays are taken too."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if hasattr(value, "tolist"):
        value = value.tolist()
        if isinstance(value, list) and len(value) == 1 and kind != "list":
            value = value[0]
    if isinstance(value, (list, tuple)):
        return [None if entry is None else _float(_number(name, entry)) for entry in value]
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
    number = _float(cell)
    if kind == "integer":
        fits = number.is_integer() and -(2**63) <= int(cell) < 2**63
        return int(cell) if fits else None
    return number


def _float(number):
    try:
        return float(number)
    except OverflowError:  # an integer beyond the largest float
        return float("inf") if number > 0 else float("-inf")


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

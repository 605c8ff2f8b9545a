"""The screen on a real pseudo-terminal, against the targets it was built for.

    python benchmarks/screen.py                  every figure; a table at the end
    python benchmarks/screen.py paint bytes      these alone
    python benchmarks/screen.py --record         all of them, into the section of RESULTS.md
    python benchmarks/screen.py --out FOLDER     keeps the runs, and each figure as it comes: what
                                                 is measured later replaces the one before

paint: from the start of the process to the run's name, beside a bare Textual app, in alternating
pairs; and to the first chart. commands: --help and analyze. rows: from `iteration()` to the row on
the screen. crash: from kill -9 of the writer to the word. bytes: sent live at one iteration a
second, idle, and in replay, with the share of one processor they take. keys: to the first byte.
memory: resident, with 10,000 and a million iterations. signs: colours under NO_COLOR, bytes beyond
ASCII in the C locale. peers: what terminalboard and `wandb leet` take.
"""

import argparse
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np

sys.path.append(sys.path.pop(0))  # or `import runlog` would find runlog.py beside this file

import screen_peers
from log_rows import agent_rows, rows_like
from results import replace_section

from runlog import RunLog

Figures = dict[str, tuple[float, str]]
"""What was measured → figure and target."""
WATCH = [sys.executable, "-m", "trpo_tui", "watch"]
BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("HERE")
Bare().run()
"""
WRITER = """
import sys, time
from runlog.writer import RunLog
with RunLog(sys.argv[1], env_id="Hopper-v5") as log:
    for i in range(1, 100_000):
        log.iteration(iteration=i, episode_return_mean=float(i % 37), kl=0.009 + i % 5 * 1e-4,
                      max_kl=0.01, gradient_norm=0.1 + i % 7 * 1e-2, explained_variance=0.5,
                      entropy=4.0 - i * 1e-4, advantage_raw_std=1.0, step_fraction=1.0)
        print(i, time.time(), flush=True)
        time.sleep(float(sys.argv[2]))
"""
BRAILLE = re.compile(r"[\u2801-\u28ff]")
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(3[0-8]|4[0-8]|9\d|10[0-7])[;m]")
TICKS = os.sysconf("SC_CLK_TCK")


class Screen:
    """A program on a pseudo-terminal of 80×24: what it sends, and when."""

    def __init__(self, command: list[str], **environment: str) -> None:
        kept = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("LC_", "LANG", "TMUX", "NO_COLOR", "SSH"))
        }
        given = {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | environment
        self.sent = b""
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.execvpe(command[0], command, kept | given)  # noqa: S606

    def read(self, seconds: float) -> int:
        """Take what comes within that time; how many bytes that was."""
        before, end = len(self.sent), time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                break
            try:
                self.sent += os.read(self.fd, 65_536)
            except OSError:
                break
        return len(self.sent) - before

    def until(
        self, shows: Callable[[str], bool], seconds: float = 60.0, *, whole: bool = False
    ) -> float:
        """Seconds from the start to when what was sent since this call shows it; `whole`: or
        what was sent before."""
        before, end = 0 if whole else len(self.sent), time.perf_counter() + seconds
        while time.perf_counter() < end:
            if whole and shows(plain(self.sent)):
                return time.perf_counter() - self.begun
            if select.select([self.fd], [], [], 0.5)[0]:
                self.sent += os.read(self.fd, 65_536)
                if shows(plain(self.sent[before:])):
                    return time.perf_counter() - self.begun
        raise SystemExit(f"never shown; the last bytes: {self.sent[-300:]!r}")

    def still(self) -> None:
        """Until nothing has been sent for a second."""
        while self.read(1.0):
            pass

    def press(self, keys: bytes) -> float:
        """Seconds from the keys to the first byte."""
        begun = time.perf_counter()
        os.write(self.fd, keys)
        if not select.select([self.fd], [], [], 5.0)[0]:
            raise SystemExit(f"{keys!r} is never answered")
        return time.perf_counter() - begun

    @property
    def processor(self) -> float:
        """Seconds of a processor so far, with those of what it started."""
        return sum(_ticks(pid) for pid in _family(self.pid)) / TICKS

    @property
    def resident(self) -> float:
        """MB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def end(self) -> None:
        """Kill it and what it started, and wait."""
        for pid in reversed(_family(self.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])


def plain(sent: bytes) -> str:
    """What was sent without its sequences."""
    sequences = r"\x1b\[[0-9;?<>=$]*[a-zA-Z]|\x1b[()][0B]|\x1b\][^\x07]*\x07"
    return re.sub(sequences, "", sent.decode(errors="replace"))


@contextlib.contextmanager
def shown(command: list[str], **environment: str) -> Iterator[Screen]:
    """The program on a terminal, ended afterwards."""
    screen = Screen(command, **environment)
    try:
        yield screen
    finally:
        screen.end()


@contextlib.contextmanager
def written(folder: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A run that grows by a row every so many seconds."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(seconds)],
        stdout=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip
    _line_of(writer)
    try:
        yield writer
    finally:
        writer.kill()
        writer.wait()


def _line_of(writer: subprocess.Popen[str]) -> str:
    return "" if writer.stdout is None else writer.stdout.readline()


def a_run(folder: Path, rows: int) -> Path:
    """A finished run as the agent writes them."""
    path = folder / f"run-{rows}"
    if not path.exists():
        with RunLog(path, env_id="Hopper-v5") as log:
            for row in rows_like(agent_rows(), rows, windows=None):
                log.iteration(**row)
    return path


def paint(folder: Path) -> Figures:
    """How soon something is seen."""
    run, bare, first, chart, ratio = a_run(folder, 2000), [], [], [], []
    for turn in range(12):
        with shown([sys.executable, "-c", BARE]) as screen:
            bare.append(screen.until(lambda text: "HERE" in text))
        with shown([*WATCH, str(run)]) as screen:
            first.append(screen.until(lambda text: "run-2000" in text))
            chart.append(screen.until(lambda text: bool(BRAILLE.search(text))))
        if turn < 2:
            bare, first, chart = [], [], []  # warm
        else:
            ratio.append(first[-1] / bare[-1])
    return {
        "first words, median, ms": (1e3 * median(first), "≤ 220, or ≤ 1.25 × a bare Textual app"),
        "a bare Textual app in the same pairs, ms": (1e3 * median(bare), ""),
        "first words / bare app, median": (median(ratio), "≤ 1.25"),
        "first chart, median, ms": (1e3 * median(chart), "≤ 550"),
    }


def commands(folder: Path) -> Figures:
    """Whole processes of commands that open no screen."""
    run = a_run(folder, 2000)
    figures: Figures = {}
    for name, words, target in (
        ("--help", ["--help"], "≤ 100"),
        ("analyze of 2,000 iterations", ["analyze", str(run)], "≤ 450"),
    ):
        taken = []
        for _ in range(12):
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-m", "trpo_tui", *words], capture_output=True)
            taken.append(time.perf_counter() - begun)
        figures[f"{name}, median, ms"] = 1e3 * median(taken[2:]), target
    return figures


def rows(folder: Path) -> Figures:
    """How late a row is."""
    late = []
    with written(folder / "rows", 0.7) as writer, shown([*WATCH, str(folder / "rows")]) as screen:
        screen.until(lambda text: bool(BRAILLE.search(text)))
        for _ in range(40):
            number, at = _line_of(writer).split()
            screen.until(lambda text, number=number: number in text)
            late.append(time.time() - float(at))
    return {"row written → on the screen, p95, ms": (1e3 * float(np.percentile(late, 95)), "≤ 300")}


def crash(folder: Path) -> Figures:
    """How late a death is."""
    late = []
    for turn in range(3):
        place = folder / f"crash-{turn}"
        with written(place, 0.3) as writer, shown([*WATCH, str(place)]) as screen:
            screen.until(lambda text: bool(BRAILLE.search(text)))
            writer.kill()
            begun = time.perf_counter()
            screen.until(lambda text: "KILLED" in text or "LOST" in text)
            late.append(time.perf_counter() - begun)
    return {"kill -9 of the writer → shown, longest of 3, s": (max(late), "≤ 5")}


def _sent(screen: Screen, seconds: float) -> tuple[float, float]:
    """Bytes a second, and the share of a processor, while nothing is pressed."""
    before, spent, begun = len(screen.sent), screen.processor, time.perf_counter()
    end = begun + seconds
    while (left := end - time.perf_counter()) > 0:
        screen.read(min(1.0, left)) or time.sleep(min(0.2, max(0.0, left)))
    took = time.perf_counter() - begun
    return (len(screen.sent) - before) / took, 100 * (screen.processor - spent) / took


def sizes(folder: Path) -> Figures:
    """What is sent, and what it takes."""
    figures: Figures = {}
    with written(folder / "live", 1.0), shown([*WATCH, str(folder / "live")]) as screen:
        screen.until(lambda text: bool(BRAILLE.search(text)))
        time.sleep(15.0)
        screen.read(1.0)
        sent, share = _sent(screen, 60.0)
        figures["live at 1 iteration/s, B/s"] = sent, "≤ 600"
        figures["live at 1 iteration/s, % of a processor"] = share, "≤ 1.5"
        screen.press(b"\x1b[D")
        time.sleep(2.0)
        screen.read(1.0)
        figures["paused on a live run, B/s"] = _sent(screen, 20.0)[0], "0"
    with shown([*WATCH, str(a_run(folder, 2000))]) as screen:
        screen.until(lambda text: bool(BRAILLE.search(text)))
        screen.still()
        sent, share = _sent(screen, 60.0)
        figures["idle on a finished run, B/s"] = sent, "0"
        figures["idle on a finished run, % of a processor"] = share, "≤ 0.2"
        screen.press(b"\x1b[H")
        screen.press(b" ")
        for _ in range(4):
            screen.press(b">")  # 16 iterations a second
        screen.read(1.0)
        sent, share = _sent(screen, 20.0)
        figures["replay at 16 iterations/s, B/s"] = sent, "≤ 8,000 at 20"
        figures["replay at 16 iterations/s, % of a processor"] = share, "≤ 12 at 20"
    return figures


def keys(folder: Path) -> Figures:
    """How late an answer is."""
    with shown([*WATCH, str(a_run(folder, 2000))]) as screen:
        screen.until(lambda text: bool(BRAILLE.search(text)))
        screen.still()
        taken = []
        for turn in range(200):
            taken.append(screen.press(b"\x1b[D" if turn % 40 < 20 else b"\x1b[C"))
            screen.read(0.15)
    return {
        "key → first byte, median, ms": (1e3 * median(taken), ""),
        "key → first byte, p95, ms": (1e3 * float(np.percentile(taken, 95)), "≤ 20"),
    }


def memory(folder: Path) -> Figures:
    """How much is kept."""
    figures: Figures = {}
    for count, most in ((10_000, 180), (1_000_000, 600)):
        run = a_run(folder, count)
        with shown([*WATCH, str(run)]) as screen:
            screen.until(lambda text: bool(BRAILLE.search(text)), 300.0)
            time.sleep(5.0 if count < 100_000 else 60.0)
            screen.read(1.0)
            figures[f"resident with {count:,} iterations, MB"] = screen.resident, f"≤ {most}"
    return figures


def signs(folder: Path) -> Figures:
    """What a terminal that wants none of it gets."""
    run = a_run(folder, 2000)
    with shown([*WATCH, str(run)], NO_COLOR="1") as screen:
        screen.until(lambda text: bool(BRAILLE.search(text)))
        screen.press(b"d")
        screen.still()
        colours = len(COLOUR.findall(screen.sent))
    with shown([*WATCH, str(run)], LANG="C", LC_ALL="C") as screen:
        screen.until(lambda text: "q quit" in text)
        screen.still()
        screen.press(b"d")
        screen.still()
        beyond = sum(byte > 127 for byte in screen.sent)
    return {
        "colour sequences under NO_COLOR": (colours, "0"),
        "bytes beyond ASCII in the C locale": (beyond, "0"),
    }


def peers(folder: Path) -> Figures:
    """The same of two other screens."""
    figures: Figures = {}
    if not screen_peers.installed():
        return {"other screens could not be installed": (0, "")}
    for name in screen_peers.WRITERS:
        done = folder / f"{name.replace(' ', '-')}-2000"
        if not done.exists():
            screen_peers.write(name, done, 2000).wait()
        first, chart = [], []
        for _ in range(7):
            with shown(screen_peers.command(name, done)) as screen:
                first.append(screen.until(lambda text: bool(re.search(r"\w\w\w", text))))
                chart.append(screen.until(lambda text: bool(BRAILLE.search(text)), whole=True))
        figures[f"{name}: first words, median, ms"] = 1e3 * median(first[1:]), ""
        figures[f"{name}: first chart, median, ms"] = 1e3 * median(chart[1:]), ""
        live = folder / f"{name.replace(' ', '-')}-live"
        with (
            screen_peers.writing(name, live),
            shown(screen_peers.command(name, live)) as screen,
        ):
            time.sleep(15.0)
            screen.read(1.0)
            sent, share = _sent(screen, 60.0)
        figures[f"{name}: live at 1 iteration/s, B/s"] = sent, ""
        figures[f"{name}: live at 1 iteration/s, % of a processor"] = share, ""
    return figures


MEASURES: dict[str, Callable[[Path], Figures]] = {
    "paint": paint, "commands": commands, "rows": rows, "crash": crash, "bytes": sizes,
    "keys": keys, "memory": memory, "signs": signs, "peers": peers,
}  # fmt: skip


def _line(what: str, figure: float, target: str) -> str:
    return f"| {what} | {figure:.4g} | {target} |"


def main() -> None:
    """Measure what is named, or everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--out", type=Path, help="folder for the runs; kept and used again")
    parser.add_argument("--record", action="store_true", help="write the section of RESULTS.md")
    options = parser.parse_args()
    if unknown := set(options.names) - set(MEASURES):
        raise SystemExit(f"{', '.join(sorted(unknown))}: unknown; there are {', '.join(MEASURES)}")
    kept = options.out / "figures.json" if options.out is not None else None
    known: Figures = json.loads(kept.read_text()) if kept is not None and kept.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.names or MEASURES:
            folder = options.out if options.out is not None and name != "rows" else Path(scratch)
            folder = (
                folder
                if name in ("paint", "commands", "keys", "memory", "signs")
                else Path(scratch)
            )
            folder.mkdir(parents=True, exist_ok=True)
            for what, (figure, target) in MEASURES[name](folder).items():
                known[what] = figure, target
                print(_line(what, figure, target), flush=True)
                if kept is not None:
                    kept.write_text(json.dumps(known, indent=1))
    if options.record:
        said = (
            "`python benchmarks/screen.py --record`, on a pseudo-terminal of 80×24; medians where "
            "nothing else is said. Targets: the best peer or a prototype measured before."
        )
        table = [_line(what, figure, target) for what, (figure, target) in known.items()]
        head = ["| what | measured | target |", "|---|---|---|"]
        replace_section("The screen", said + "\n\n" + "\n".join([*head, *table]))


if __name__ == "__main__":
    main()

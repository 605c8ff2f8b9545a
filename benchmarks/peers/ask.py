"""Asks one public diagnosis tool about many runs; started with the Python of that tool's environment.

    python ask.py TOOL < files.json > answers.json

`files.json`: run → file or folder as that tool reads it. `answers.json`: run → its findings above a
mere note, the gravest first, by the tool's own names; a tool that refuses a run has ["refused"].
"""

import importlib
import json
import shutil
import sys
import tempfile
from pathlib import Path


def runmedic(path):
    """Checks of the export as a table."""
    from runmedic import loaders, roles
    from runmedic.checks import run_checks

    found = []
    for run in loaders.load(path):
        found += run_checks(run, roles.detect(run, {}))
    order = ("critical", "warning")
    return [f.check for f in sorted(found, key=lambda f: f.severity) if f.severity in order]


def trainspotter(path):
    """Detectors over the export as a table."""
    from trainspotter.detectors import run_all
    from trainspotter.readers import load_run

    order = {"error": 0, "warning": 1}
    found = [f for f in run_all(load_run(path)) if f.severity in order]
    return [f"{f.detector}: {f.title}" for f in sorted(found, key=lambda f: order[f.severity])]


def gradsnitch(path):
    """Lint of the export as a table."""
    tool = importlib.import_module("gradsnitch")
    return [f.code for f in tool.lint_csv(path)]


def zen(path):
    """Rules over a folder of TensorBoard events made of the rows."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from zen.detect.rules import detect
    from zen.ingest.tensorboard import load_run
    from zen.vlak import group, rank

    folder = tempfile.mkdtemp()
    try:
        writer = EventFileWriter(folder)
        for row in json.loads(Path(path).read_text(encoding="utf-8")):
            step = int(row.pop("step"))
            values = [Summary.Value(tag=tag, simple_value=value) for tag, value in row.items()]
            writer.add_event(Event(step=step, summary=Summary(value=values)))
        writer.close()
        return [issue["mode"] for issue in group(rank(detect(load_run(folder))))]
    finally:
        shutil.rmtree(folder)


def rldoctor(path):
    """Detectors over the export as a table."""
    from rl_doctor.diagnosis import diagnose
    from rl_doctor.ingest import load_run

    found = diagnose(load_run(path)).findings
    worst_first = sorted(found, key=lambda f: -f.severity)
    return [f.detector for f in worst_first if f.severity.name in ("WARNING", "CRITICAL")]


def rlprobe(path):
    """Signatures in a recording made of the rows, as its own recorder writes it."""
    from rlprobe.doctor import diagnose
    from rlprobe.recorder.core import Recorder

    rows = json.loads(Path(path).read_text(encoding="utf-8"))
    folder = Path(tempfile.mkdtemp())
    try:
        recorder = Recorder(folder / "run", algorithm="trpo", capture_env=False)
        for number, row in enumerate(rows, 1):
            recorder.log_step(number, **row)
        recorder.close()
        return [f.signature_id for f in diagnose(folder / "run") if f.severity != "info"]
    finally:
        shutil.rmtree(folder)


ASK = {
    "runmedic": runmedic,
    "trainspotter": trainspotter,
    "gradsnitch": gradsnitch,
    "zen-rl": zen,
    "rldoctor": rldoctor,
    "rlprobe": rlprobe,
}


def main():
    """Answer for every run of standard input."""
    ask = ASK[sys.argv[1]]
    answers = {}
    for run, path in json.load(sys.stdin).items():
        try:
            answers[run] = ask(path)
        except (
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            ZeroDivisionError,
            SystemExit,
        ) as error:
            print(f"{run}: {type(error).__name__}: {error}", file=sys.stderr)
            answers[run] = ["refused"]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()

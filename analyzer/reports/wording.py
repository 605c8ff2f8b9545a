"""How reports say things: numbers, names, states, lines that fit a terminal."""

import math
import textwrap
from collections.abc import Iterable

from analyzer.diagnosis import Diagnosis, Evidence, Finding, LinkStatus
from runlog.run import Run, State

WIDTH = 80
"""Columns of the terminal everything must fit."""

_ASCII = str.maketrans(
    {
        "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "≡": "==", "±": "+/-", "×": "x", "·": "-",
        "→": "->", "←": "<-", "–": "-", "—": "-", "−": "-", "…": "...", "‖": "||", "√": "sqrt",
        "∞": "inf", "²": "^2", "ᵀ": "^T", "½": "1/2", "∝": "~", "Σ": "sum", "Δ": "delta ",
        "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "θ": "theta",
        "λ": "lambda", "π": "pi", "σ": "sigma", "Â": "A", "§": "section ", "‘": "'", "’": "'",
        "“": '"', "”": '"', "\xa0": " ", "●": "*", "○": "o", "✓": "ok", "✗": "x",
    }
)  # fmt: skip

VERDICT_WORDS = {
    "fault": "FAULT",
    "healthy": "HEALTHY",
    "solved": "SOLVED",
    "unknown": "UNKNOWN",
}
_STATE_WORDS = {"running": "still running", "slow": "running slowly", "quiet": "gone quiet"}


def ascii_only(text: str) -> str:
    """The text in ASCII: symbols are spelled, other letters become escapes."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def visible(text: object) -> str:
    """A name on one line, whatever it holds: control characters are written as escapes."""
    return "".join(
        c if c.isprintable() else " " if c in "\n\r\t" else ascii(c)[1:-1] for c in str(text)
    )


def number(value: float | str | None) -> str:
    """A value with at most 4 digits; null and NaN stay apart."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}"


def with_unit(value: float | str | None, unit: str) -> str:
    """A value with its unit, where it has one."""
    return number(value) if unit in ("", "1") or value is None else f"{number(value)} {unit}"


def evidence_line(evidence: Evidence) -> str:
    """One comparison as a line: the measured number, then what it was compared with."""
    line = f"{visible(evidence.measure)} = {with_unit(evidence.value, evidence.unit)}"
    if evidence.bound is None:
        return f"{line}, {visible(evidence.comparison)}" if evidence.comparison else line
    bound = with_unit(evidence.bound, evidence.unit)
    return f"{line}, {visible(evidence.comparison)} {bound}"


def since(finding: Finding) -> str:
    """When a finding holds: `since iteration 4`, or the iterations from first to last."""
    first, last = finding.first_bad_iteration, finding.last_bad_iteration
    return (
        ""
        if first is None
        else f"since iteration {first}"
        + (f", last at {last}" if last is not None and last < first else "")
    )


def state_words(state: State) -> str:
    """Is the process alive, in two or three words."""
    return f"run {_STATE_WORDS.get(state.name, state.name)}"


def first_line(run: Run, diagnosis: Diagnosis) -> str:
    """Verdict and state, the first line of every report."""
    words = [VERDICT_WORDS[diagnosis.verdict]]
    shown = diagnosis.cause
    if shown is None and diagnosis.verdict == "solved" and diagnosis.findings:
        shown = diagnosis.findings[0]
    if shown is not None:
        words += [shown.code, shown.name, since(shown)]
    return f"{' '.join(word for word in words if word)} · {state_words(run.state)}"


def facts(run: Run, diagnosis: Diagnosis) -> tuple[str, ...]:
    """What is known of the run: algorithm, environment, seed, length, state's reason."""
    metadata = run.metadata
    said = [
        visible(metadata[name])
        for name in ("algorithm", "env_id")
        if metadata.get(name) is not None
    ]
    if metadata.get("seed") is not None:
        said.append(f"seed {visible(metadata['seed'])}")
    count = diagnosis.iterations
    said.append(f"{count} iteration{'' if count == 1 else 's'}")
    if run.attempts > 1:
        said.append(f"attempt {run.attempt} of {run.attempts}")
    if run.state.reason:
        said.append(visible(run.state.reason))
    return tuple(said)


def understood(run: Run) -> str:
    """How much of a foreign log was read; empty for the project's own."""
    source = run.source
    if source is None:
        return ""
    known, rest = len(source.understood), len(source.not_understood)
    keys = f"{known} of {known + rest} keys understood"
    return f"format {source.format}, attempt {run.attempt} of {source.attempts}, {keys}"


_STATUS_WORDS = {
    "ok": "ok",
    "fault": "FAULT",
    "explained": "follows",
    "warning": "warning",
    "unknown": "?",
}


def loop(links: Iterable[LinkStatus], arrow: str = " > ") -> str:
    """The update as a chain: which link is dead by itself, which only follows."""
    words = []
    for link in links:
        code = f" {link.code}" if link.code and link.status in ("fault", "warning") else ""
        name = link.link.upper() if link.status == "fault" else link.link
        words.append(f"{name} {_STATUS_WORDS[link.status]}{code}")
    return arrow.join(words)


def wrapped(text: str, *, indent: str = "  ", first: str | None = None) -> list[str]:
    """Lines of at most WIDTH columns."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def sentence(text: str) -> str:
    """The text with a full stop."""
    text = visible(text).strip()
    return text if not text or text[-1] in ".!?" else f"{text}."


def split_findings(
    diagnosis: Diagnosis,
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Findings besides the cause: those another explains, and those that stand alone."""
    rest = tuple(f for f in diagnosis.findings if f is not diagnosis.cause)
    if diagnosis.cause is not None:
        rest = tuple(f for f in rest if f.code != diagnosis.cause.code)
    return (
        tuple(f for f in rest if f.explained_by is not None),
        tuple(f for f in rest if f.explained_by is None),
    )

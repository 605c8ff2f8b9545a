"""How reports say things: numbers, names, states, lines that fit a terminal."""

import math
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
        "∇": "grad ", "∂": "d", "∈": "in", "≫": ">>", "≪": "<<", "∑": "sum",
        "ᵗ": "^t", "ⁿ": "^n", "³": "^3", "⁻": "^-", "¹": "1", "₀": "_0", "₁": "_1", "₂": "_2",
        "η": "eta", "κ": "kappa", "μ": "mu", "ρ": "rho", "τ": "tau", "φ": "phi", "χ": "chi",
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
    name = str(text)
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else " " if c in "\n\r\t" else ascii(c)[1:-1] for c in name)


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
    return (
        number(value)
        if unit in ("", "1", "flag") or value is None
        else f"{number(value)} {visible(unit)}"
    )


def comparison(evidence: Evidence) -> str:
    """What a number was compared with: `≤ 4e-11`; empty where it is only shown."""
    if evidence.bound is None and evidence.comparison in ("", "is", "="):
        return ""
    bound = "" if evidence.bound is None else f" {number(evidence.bound)}"
    return f"{visible(evidence.comparison)}{bound}"


def evidence_line(evidence: Evidence) -> str:
    """One comparison as a line: the measured number, then what it was compared with."""
    line = f"{visible(evidence.measure)} = {with_unit(evidence.value, evidence.unit)}"
    compared = comparison(evidence)
    return f"{line} ({compared})" if compared else line


def formulas_of(code: str) -> Mapping[str, str]:
    """Formulas of the measures that a rule makes of columns, by their names."""
    from analyzer.rules import BY_CODE

    return {m.name: m.formula for m in BY_CODE[code].measures if m.formula != m.name}


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
    shown = shown_finding(diagnosis)
    if shown is not None:
        words += [shown.code, shown.name, since(shown)]
    return f"{' '.join(word for word in words if word)} · {state_words(run.state)}"


def facts(run: Run, diagnosis: Diagnosis) -> tuple[str, ...]:
    """What is known of the run: algorithm, environment, seed, length."""
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


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text to be wrapped; `first` indents its first line. `verbatim` text keeps its line."""

    text: str
    indent: str = "  "
    first: str | None = None
    verbatim: bool = False

    def lines(self, *, plain: bool = False) -> list[str]:
        """Lines of at most WIDTH columns; `plain`: in ASCII."""
        text = ascii_only(self.text) if plain else self.text
        first = self.indent if self.first is None else self.first
        if self.verbatim or not text.strip():
            return [f"{first}{text}".rstrip()]
        return textwrap.wrap(
            text,
            WIDTH,
            initial_indent=ascii_only(first) if plain else first,
            subsequent_indent=self.indent,
            break_on_hyphens=False,
        )


Paragraphs = list[Paragraph]


def say(text: str, indent: str = "  ", first: str | None = None) -> Paragraphs:
    """One paragraph, ready to be added to others."""
    return [Paragraph(text, indent, first)]


def item(text: str, level: int = 1) -> Paragraphs:
    """One entry of a list: its later lines stand two columns further in."""
    return [Paragraph(text, "  " * (level + 1), "  " * level)]


def verbatim(text: str, indent: str = "") -> Paragraphs:
    """One line that is code or a row of a table."""
    return [Paragraph(text, indent, None, True)]


def printed(paragraphs: Iterable[Paragraph], *, plain: bool = False) -> str:
    """The paragraphs as text."""
    return "".join(f"{line}\n" for p in paragraphs for line in p.lines(plain=plain))


def shortened(text: object, limit: int) -> str:
    """Text somebody else wrote, on one line and not longer than `limit`."""
    line = visible(str(text)[: limit + 1])
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def sentence(text: str) -> str:
    """The text with a full stop."""
    text = visible(text).strip()
    return text if not text or text[-1] in ".!?" else f"{text}."


def shown_finding(diagnosis: Diagnosis) -> Finding | None:
    """The finding a report is about: the cause, or what says the task is solved."""
    if diagnosis.cause is None and diagnosis.verdict == "solved" and diagnosis.findings:
        return diagnosis.findings[0]
    return diagnosis.cause


def split_findings(
    diagnosis: Diagnosis,
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Findings besides the one shown: those another explains, and those that stand alone."""
    shown = shown_finding(diagnosis)
    rest = tuple(f for f in diagnosis.findings if shown is None or f.code != shown.code)
    return (
        tuple(f for f in rest if f.explained_by is not None),
        tuple(f for f in rest if f.explained_by is None),
    )


def other_candidates(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Codes that could be the cause besides the one named."""
    cause = diagnosis.cause
    return tuple(c for c in diagnosis.candidates if cause is None or c != cause.code)


def differs(finding: Finding) -> str:
    """Why the founded fix is not the guide's; empty where only one of them is there."""
    from analyzer.rules import BY_CODE

    both = {fix.origin.startswith("guide") for fix in finding.fixes} == {True, False}
    return BY_CODE[finding.code].differs if both and finding.code in BY_CODE else ""

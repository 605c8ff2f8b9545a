"""The fault bench's figures: top-1, false alarms, delays, errors of onset, suppression, calibration."""

import math
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from bench_case import OWN
from bench_judging import LAST, Score

BOOTSTRAPS = 2000
BINS = 10
RECURSION = 1e-3
"""Error of the advantages' recursion, over their spread, from which on it is broken."""
IDENTITY_RULES = frozenset(
    f"TRPO{code:03}"
    for code in (
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        101,
        106,
        107,
        108,
        111,
        201,
        204,
        205,
        206,
        301,
        302,
        401,
        402,
    )
)
"""Rules that rest on an identity of the update; the others look at a window of iterations."""


def harmless(scores: Sequence[Score]) -> frozenset[str]:
    """Names of the runs whose fault did nothing: no identity is broken by it, and the return came out
    no lower than that of the worst control of that place, at the same iteration."""
    controls: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        if score.case.kind == "healthy" and _is_control(score):
            controls[score.case.trainer + score.case.env].append(score)
    found = []
    for score in scores:
        case = score.case
        if not case.label or _broken_identity(score):
            continue
        beside = [_at(c, score.iterations) for c in controls[case.trainer + case.env]]
        known = [value for value in beside if not math.isnan(value)]
        if len(known) >= 2 and score.final >= min(known):
            found.append(case.title)
    return frozenset(found)


def _broken_identity(score: Score) -> bool:
    """Whether the fault broke an identity in this run. One in the advantages' recursion does so only
    where there was something to get wrong: an end of an episode, rewards that differ."""
    if score.case.kind.startswith("gae-"):
        return score.recursion_error > RECURSION
    return score.case.identity


def _is_control(score: Score) -> bool:
    return ("-control-" if score.case.trainer == OWN else "-default-") in score.case.name


def _at(control: Score, iterations: int) -> float:
    known = [v for v in control.returns[max(0, iterations - LAST) : iterations] if v == v]
    return float(np.mean(known)) if known else math.nan


def is_right(score: Score, without: frozenset[str]) -> bool:
    """Whether the last prefix was judged as labelled; a harmless fault is one that is not there."""
    if score.case.label and score.case.title not in without:
        return score.cause in score.case.label
    return score.cause is None


def by_kind(
    scores: Iterable[Score], without: frozenset[str], named: Container[str]
) -> dict[str, list[bool]]:
    """Fault → whether each of its runs is among the `named`, harmless ones left out."""
    kinds: dict[str, list[bool]] = defaultdict(list)
    for score in scores:
        if score.case.label and score.case.title not in without:
            kinds[score.case.kind].append(score.case.title in named)
    return dict(sorted(kinds.items()))


def macro(kinds: Mapping[str, Sequence[bool]]) -> tuple[float, float, float]:
    """Mean over faults of the share that was named, with a 95 % bootstrap interval."""
    if not kinds:
        return math.nan, math.nan, math.nan
    generator = np.random.default_rng(0)
    table = [np.array(runs, dtype=float) for runs in kinds.values()]
    draws = [
        np.mean([generator.choice(runs, len(runs)).mean() for runs in table])
        for _ in range(BOOTSTRAPS)
    ]
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(np.mean([runs.mean() for runs in table])), float(low), float(high)


def upper_bound(count: int, of: int) -> float:
    """Upper end of the exact 95 % interval of a share (Clopper and Pearson 1934, one-sided)."""
    if of == 0 or count >= of:
        return 1.0
    low, high = count / of, 1.0
    for _ in range(60):
        p = 0.5 * (low + high)
        below = sum(
            math.exp(
                math.lgamma(of + 1)
                - math.lgamma(k + 1)
                - math.lgamma(of - k + 1)
                + k * math.log(p)
                + (of - k) * math.log1p(-p)
            )
            for k in range(count + 1)
        )
        low, high = (p, high) if below > 0.05 else (low, p)
    return high


def delays(scores: Iterable[Score], without: frozenset[str]) -> dict[str, list[int]]:
    """Iterations from the first faulty one to the first prefix that names it, by kind of rule."""
    found: dict[str, list[int]] = {"identity": [], "window": []}
    for score in scores:
        if score.first_right is not None and score.case.title not in without:
            kind = "identity" if set(score.case.label) & IDENTITY_RULES else "window"
            found[kind].append(score.first_right - score.case.onset)
    return found


def onset_errors(scores: Iterable[Score], without: frozenset[str]) -> list[int]:
    """First bad iteration as said − the first faulty one, of the runs whose cause was named."""
    return [
        score.first_bad - score.case.onset
        for score in scores
        if score.case.label and score.first_bad is not None and is_right(score, without)
    ]


def suppression(scores: Iterable[Score], without: frozenset[str]) -> tuple[int, int]:
    """Of the other faults said beside a cause that is right: how many are told to follow from it."""
    explained = total = 0
    for score in scores:
        if not score.case.label or not is_right(score, without) or score.cause is None:
            continue
        others = [f for f in score.findings if f.code != score.cause and f.level == "fault"]
        others = [f for f in others if f.code not in score.case.label]
        total += len(others)
        explained += sum(f.explained for f in others)
    return explained, total


def calibration(pairs: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """Brier score, expected calibration error and bins of (confidence, whether it was right)."""
    if not pairs:
        return {"brier": math.nan, "ece": math.nan, "bins": []}
    said = np.array([p for p, _ in pairs])
    right = np.array([float(r) for _, r in pairs])
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    bins = [
        {
            "from": b / BINS,
            "n": int((place == b).sum()),
            "said": float(said[place == b].mean()),
            "right": float(right[place == b].mean()),
        }
        for b in range(BINS)
        if (place == b).any()
    ]
    error = sum(each["n"] * abs(each["said"] - each["right"]) for each in bins) / len(pairs)
    return {"brier": float(((said - right) ** 2).mean()), "ece": float(error), "bins": bins}


def printed_top_1(scores: Sequence[Score], without: frozenset[str]) -> dict[str, dict[str, float]]:
    """By importer: share of faults named, named wrongly, and healthy runs with an alarm."""
    table: dict[str, dict[str, float]] = {}
    names = [name for name, *_ in scores[0].printed] if scores else []
    for place, name in enumerate(names):
        broken = [s for s in scores if s.case.label and s.case.title not in without and s.printed]
        healthy = [s for s in scores if not s.case.label and s.printed]
        kinds: dict[str, list[bool]] = defaultdict(list)
        wrong = 0
        for s in broken:
            cause = s.printed[place][2]
            kinds[s.case.kind].append(cause in s.case.label)
            wrong += cause is not None and cause not in s.case.label
        table[name] = {
            "top_1": float(np.mean([np.mean(v) for v in kinds.values()])) if kinds else math.nan,
            "wrong": wrong / max(1, len(broken)),
            "alarms": sum(s.printed[place][2] is not None for s in healthy) / max(1, len(healthy)),
        }
    return table


def summary(scores: Sequence[Score], without: frozenset[str]) -> dict[str, Any]:
    """The figures of one judging of one part."""
    broken = [s for s in scores if s.case.label]
    harmful = [s for s in broken if s.case.title not in without]
    healthy = [s for s in scores if not s.case.label]
    named = frozenset(s.case.title for s in harmful if is_right(s, without))
    kinds = by_kind(scores, without, named)
    top, low, high = macro(kinds)
    alarmed = [s for s in healthy if s.alarms]
    late = delays(scores, without)
    errors = onset_errors(scores, without)
    explained, others = suppression(scores, without)
    said = [
        (s.confidence, s.cause in s.case.label)
        for s in scores
        if s.confidence is not None and s.cause is not None and s.case.title not in without
    ]
    return {
        "broken": len(broken),
        "harmless": sorted(without & {s.case.title for s in broken}),
        "harmless_called_healthy": sum(s.cause is None for s in broken if s.case.title in without),
        "harmless_named": sum(s.cause in s.case.label for s in broken if s.case.title in without),
        "right": len(named),
        "harmful": len(harmful),
        "macro_top_1": top,
        "interval": [low, high],
        "by_fault": {kind: f"{sum(runs)}/{len(runs)}" for kind, runs in kinds.items()},
        "below_80": [kind for kind, runs in kinds.items() if np.mean(runs) < 0.8],
        "healthy": len(healthy),
        "healthy_prefixes": sum(s.iterations for s in healthy),
        "false_alarms": sum(len(s.alarms) for s in healthy),
        "alarmed_runs": len(alarmed),
        "alarm_bound": upper_bound(len(alarmed), len(healthy)),
        "delay_identity_median": _quantile(late["identity"], 0.5),
        "delay_window_p90": _quantile(late["window"], 0.9),
        "onset_error_median": _quantile([abs(e) for e in errors], 0.5),
        "onset_error_p90": _quantile([abs(e) for e in errors], 0.9),
        "suppressed": f"{explained}/{others}",
        "calibration": calibration(said),
        "guide_right": sum(guide_names(s) for s in harmful),
        "wrong": [
            {"run": s.case.title, "label": s.case.label, "cause": s.cause, "verdict": s.verdict}
            for s in harmful
            if s.case.title not in named
        ]
        + [{"run": s.case.title, "alarms": s.alarms[:3], "codes": s.alarm_codes} for s in alarmed],
    }


def guide_names(score: Score) -> bool:
    """Whether the guide's own tree stops at the section of a code of the label."""
    return any(int(code[4]) == score.guide for code in score.case.label)


def _quantile(values: Sequence[float], q: float) -> float | None:
    return float(np.quantile(values, q)) if values else None

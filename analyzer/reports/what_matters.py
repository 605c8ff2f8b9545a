"""Which curves of a run a reader wants first: the return, KL, and the numbers the cause rests on."""

from analyzer.diagnosis import Diagnosis, Finding
from analyzer.reports.series import Series, logged, measured
from analyzer.reports.wording import shown_finding
from analyzer.view import View

_RETURN = ("episode_return_mean", "reward_mean", "reward_train_mean")
_ALSO = ("entropy", "explained_variance", "gradient_norm", "step_fraction")
"""Shown beside the others where no finding says what to look at."""
_MOST = 12


def curves_that_matter(view: View, diagnosis: Diagnosis) -> tuple[Series, ...]:
    """The return, KL, then the evidence of the finding shown; at most twelve, none empty."""
    returns = next((name for name in _RETURN if _drawn(view, name)), None)
    names = [name for name in (returns, "kl") if name]
    shown = shown_finding(diagnosis)
    evidence = () if shown is None else _evidence(view, shown)
    if not evidence:
        names += _ALSO
    found = {name: logged(view, name) for name in names if _drawn(view, name)}
    found |= {series.name: series for series in evidence}  # with the bounds of the rule
    return tuple(series for series in found.values() if not series.empty)[:_MOST]


def _evidence(view: View, finding: Finding) -> tuple[Series, ...]:
    from analyzer.rules import BY_CODE

    rule = BY_CODE[finding.code]
    grade = next((g for g in rule.grades if g.title == finding.title), rule.grades[0])
    measures = {measure.name: measure for measure in grade.when.measures}
    return tuple(
        measured(view, measures[e.measure], grade.when)
        if e.measure in measures
        else logged(view, e.measure)
        for e in finding.evidence
        if not isinstance(e.value, str)  # words are no curve
        and (e.measure in measures or _drawn(view, e.measure))
    )


def _drawn(view: View, name: str) -> bool:
    """Whether the log holds a column of that name that is a number or a flag."""
    return view.run.types.get(name) in ("int64", "float64", "bool")

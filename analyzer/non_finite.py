"""A number of the update that is NaN or infinite: which column first, or what the exception said."""

import re
from dataclasses import dataclass

import numpy as np

from analyzer import measures as m
from analyzer.condition import YES, Check, Outcome
from analyzer.diagnosis import Evidence, Link
from analyzer.measure import Measure
from analyzer.view import View
from runlog.schema import BY_NAME, Group

_LINK_OF_GROUP: dict[Group, Link] = {
    "observation": "observation", "reward": "reward", "value": "critic", "advantage": "advantage",
    "gradient": "gradient", "cg": "cg", "step": "step", "line search": "line search",
}  # fmt: skip
_POLICY_IN_FORCE = ("log_std_mean", "entropy", "action_log_prob_mean")


def link_of(column: str) -> Link:
    """The link of the update that a column belongs to."""
    if column in _POLICY_IN_FORCE:
        return "policy"
    return _LINK_OF_GROUP.get(BY_NAME[column].group, "policy change")


_ENDINGS = ("exception", "crashed")
_SAYS_NON_FINITE = re.compile(
    r"\b(nan|infs?|infinity|non-?finite|not finite|invalid values?)\b", re.IGNORECASE
)
_LONGEST_WORDS = 200


def _said(view: View) -> dict[int, str]:
    """By row: the exception that ended the run after it, where it speaks of NaN or infinity."""
    return {
        event.row - 1: event.text.partition("\n")[0]
        for event in view.run.events
        if event.kind in _ENDINGS
        and 0 < event.row <= len(view)
        and _SAYS_NON_FINITE.search(event.text.partition("\n")[0])
    }


@dataclass(frozen=True, slots=True)
class NonFinite:
    """Some column of the update's chain is NaN or infinite, or the run ended over such a number.

    The evidence names the first column, or repeats the exception.
    """

    inner: Check

    @property
    def text(self) -> str:
        return "a column of the update is NaN or infinite, or an exception speaks of such a number"

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.inner.measures

    def evaluate(self, view: View) -> Outcome:
        found = self.inner.evaluate(view)
        said = np.zeros(len(view), dtype=bool)
        said[list(_said(view))] = True
        said &= found.answer != YES
        rows = np.arange(len(view))
        return Outcome(
            np.where(said, YES, found.answer).astype(np.int8),
            lambda: np.where(said, rows, found.onset),
        )

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        place = int(m.NON_FINITE.of(view).middle[row])
        if place < 0:
            words = _said(view).get(row)
            if words is None:
                return ()
            short = words[:_LONGEST_WORDS] + ("…" if len(words) > _LONGEST_WORDS else "")
            return (Evidence(measure="exception", value=short, comparison="", bound=None, unit=""),)
        name = m.CHAIN[place]
        value = view[name].at(row)
        return (Evidence(measure=name, value=value, comparison="is", bound="not finite", unit=""),)


def link_of_first(view: View, row: int) -> Link:
    """The link of the first column that is not finite at this row."""
    place = int(m.NON_FINITE.of(view).middle[row])
    return link_of(m.CHAIN[place]) if place >= 0 else "policy change"

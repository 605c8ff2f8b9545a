"""What speaks for a text being of one format: its own lines and keys that were met."""

from runlog.importers.formats.format import Format

_ENOUGH = 2
"""Different values that must be met before a text counts as a format."""


class Evidence:
    """Gathers what was met. `forced`: the user said it is this format."""

    def __init__(self, format_: Format, *, forced: bool) -> None:
        self._known = format_
        self._met: set[str] = set()
        generic = not (format_.header or format_.lines or format_.keys)
        self._enough = 1 if forced or generic else _ENOUGH
        self._own = frozenset() if forced else format_.own
        self._said_own = False

    def __contains__(self, label: str) -> bool:
        return label in self._met

    def meet(self, *labels: str) -> None:
        """A key, a line or a column of the format."""
        self._met.update(labels)

    def say(self, mark: str) -> None:
        """One of the format's sayings."""
        if mark != "cg":  # its numbers could be anybody's
            self._met.add(f"said {mark}")
            self._said_own = True

    @property
    def score(self) -> int:
        """How many of the format's own lines and keys were met."""
        return len(self._met)

    @property
    def enough(self) -> bool:
        """Whether the text can count as this format."""
        own = not self._own or self._said_own or not self._own.isdisjoint(self._met)
        return own and self.score >= self._enough

    @property
    def algorithm(self) -> str | None:
        """What the keys met tell, else what the format always is."""
        told = (name for key, name in self._known.algorithms.items() if key in self._met)
        return next(told, self._known.algorithm)

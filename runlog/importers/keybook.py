"""A format's keys as they are printed: under a section's head, cut off, after a logger's words."""

from collections.abc import Mapping

from runlog.importers.formats.format import Format, Key
from runlog.importers.pairs import normalised
from runlog.importers.templates import begins_here

_MOST = 4096
_MOST_WORDS = 12
_CUT = "..."


class Keybook:
    """Looks up what stands before a value; each spelling once."""

    def __init__(self, format_: Format, mapping: Mapping[str, str]) -> None:
        self._format = format_
        self._mapping = mapping
        self._found: dict[str, tuple[str, Key | None] | None] = {}
        names = [key for key in (*format_.keys, *format_.silent) if "*" not in key]
        self._names = tuple(names)
        words = {name.rpartition(" ")[2] for name in (*names, *mapping)}
        self._ends = words | {word.rpartition("/")[2] for word in words}
        self._wild = len(names) < len(format_.keys) + len(format_.silent)
        self._bare = {name.rpartition("/")[2]: name for name in names} if format_.sections else {}

    def is_section(self, key: str) -> bool:
        """Whether a cell without a value heads the keys below it."""
        return self._format.sections and key.endswith("/")

    def label(self, section: str, key: str, *, boxed: bool) -> tuple[str, Key | None] | None:
        """The key's full name and its column, None for one that is known and has none."""
        spelled = f"{section}\n{key}"
        if spelled not in self._found:
            if len(self._found) >= _MOST:
                self._found.clear()
            self._found[spelled] = self._look_up(section, normalised(key), boxed=boxed)
        return self._found[spelled]

    def _may_end(self, key: str) -> bool:
        """Whether some name ends in the key's last word: most lines are told from keys by that."""
        last = key.rpartition(" ")[2]
        return last in self._ends or last.endswith(_CUT) or (self._wild and "/" in last)

    def _look_up(self, section: str, key: str, *, boxed: bool) -> tuple[str, Key | None] | None:
        if not self._may_end(key):
            return None
        found = self._named(section + key) or self._cut(section + key)
        if found is None and not section and key in self._bare:
            found = self._named(self._bare[key])
        if found is None and not section and self._bare:
            found = self._cut_bare(key)
        if found is None and not boxed:
            words = key.split(" ")
            for i in range(1, min(len(words), _MOST_WORDS)):
                tail = " ".join(words[i:])
                found = self._named(tail)
                if found is not None and begins_here(key, len(key) - len(tail), 0):
                    return found
                found = None
        return found

    def _named(self, name: str) -> tuple[str, Key | None] | None:
        if name in self._mapping:
            return name, Key(self._mapping[name])
        key = self._format.plain_key(name)
        if key is not None:
            return name, key
        return (name, None) if name in self._format.silent else None

    def _cut(self, name: str) -> tuple[str, Key | None] | None:
        """The only key that begins like one that ends in dots."""
        if not name.endswith(_CUT):
            return None
        start = name.removesuffix(_CUT)
        return self._only([n for n in self._names if n.startswith(start)])

    def _cut_bare(self, key: str) -> tuple[str, Key | None] | None:
        if not key.endswith(_CUT):
            return None
        start = key.removesuffix(_CUT)
        return self._only([n for bare, n in self._bare.items() if bare.startswith(start)])

    def _only(self, names: list[str]) -> tuple[str, Key | None] | None:
        columns = {self._format.keys.get(name) for name in names}
        return self._named(names[0]) if len(columns) == 1 else None

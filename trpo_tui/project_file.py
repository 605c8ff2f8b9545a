"""`trpo-tui.toml`: what a project always wants of analyze and watch, kept in its repository."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runlog.errors import UserError

NAME = "trpo-tui.toml"
_KEYS = ("map", "ignore", "fail-on", "verify")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """What the file says.

    `mapping`: their key → our column. `ignore`: code → the reason. `fail_on`: codes, families,
    states. `verify_command`: the words that start a training of this project.
    """

    path: Path
    mapping: Mapping[str, str]
    ignore: Mapping[str, str]
    fail_on: tuple[str, ...]
    verify_command: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What it asks for, a sentence a kind."""
        maps = ", ".join(f"{theirs} as {ours}" for theirs, ours in self.mapping.items())
        said = (
            ("reads", maps),
            ("ignores", ", ".join(self.ignore)),
            ("lets analyze fail only on", ", ".join(self.fail_on)),
        )
        return tuple(f"{NAME} {does} {what}" for does, what in said if what)


def project_file(start: Path | None = None) -> ProjectFile | None:
    """The file in a folder (None: the current one) or above it, up to its repository's root."""
    here = (start or Path.cwd()).resolve()
    root = next((p for p in (here, *here.parents) if (p / ".git").exists()), here)
    for place in (here, *here.parents):
        path = place / NAME
        if path.is_file():
            return read(path)
        if place == root:
            break
    return None


def read(path: Path) -> ProjectFile:
    """Read one; raises UserError, with the line, for whatever is not understood."""
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is no UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: is no TOML: {error}") from error
    return _Reading(path, text, found).result()


@dataclass(frozen=True, slots=True)
class _Reading:
    path: Path
    text: str
    found: Mapping[str, Any]

    def result(self) -> ProjectFile:
        for key in self.found:
            if key not in _KEYS:
                from difflib import get_close_matches

                near = get_close_matches(key, _KEYS, n=1)
                hint = f"did you mean {near[0]}? " if near else ""
                raise self._wrong(key, f"unknown; {hint}there are {', '.join(_KEYS)}")
        verify = self._table("verify")
        for key in verify:
            if key != "command":
                raise self._wrong(f"verify.{key}", "unknown; there is only command")
        command = self._texts("verify.command", verify.get("command", ())) if verify else ()
        if verify and not command:
            raise self._wrong("verify.command", "empty; write the words that start the training")
        return ProjectFile(
            path=self.path,
            mapping=self._map(),
            ignore=self._ignore(),
            fail_on=self._fail_on(),
            verify_command=command,
        )

    def _map(self) -> Mapping[str, str]:
        from trpo_tui.options import column_called

        for theirs, ours in (table := self._table("map")).items():
            self._text(f"map.{theirs}", ours, 'a column\'s name, such as mean_kl = "kl"')
            self._checked(f"map.{theirs}", column_called, ours)
        return table

    def _ignore(self) -> Mapping[str, str]:
        from trpo_tui.options import code_called

        ignored = {}
        for code, reason in self._table("ignore").items():
            self._text(f"ignore.{code}", reason, 'the reason, such as TRPO605 = "short run"')
            ignored[self._checked(f"ignore.{code}", code_called, code)] = reason
        return ignored

    def _fail_on(self) -> tuple[str, ...]:
        from trpo_tui.options import failing

        names = self._texts("fail-on", self.found.get("fail-on", ()))
        return tuple(self._checked("fail-on", failing, name) for name in names)

    def _table(self, name: str) -> Mapping[str, Any]:
        table = self.found.get(name, {})
        if not isinstance(table, Mapping):
            raise self._wrong(name, f"write a table, [{name}]")
        for key in table:
            if key in _KEYS and key not in ("map", "ignore"):
                raise self._wrong(
                    f"{name}.{key}", f"stands in [{name}]; write it above every [table]"
                )
        return table

    def _texts(self, name: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise self._wrong(name, 'write a list of texts, such as ["TRPO1", "killed"]')
        return tuple(value)

    def _text(self, name: str, value: Any, wanted: str) -> None:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(name, f"write {wanted}")

    def _checked(self, name: str, check: Callable[[str], str], value: str) -> str:
        try:
            return check(value)
        except UserError as error:
            raise self._wrong(name, str(error)) from error

    def _wrong(self, name: str, what: str) -> UserError:
        return UserError(f"{self.path}:{line_of(self.text, name)}: {name}: {what}")


def line_of(text: str, name: str) -> int:
    """The line, from 1, in which a key such as `ignore.TRPO605` stands; 1 where it is not found.

    tomllib tells no lines. Its grammar has more ways to write a key than are looked for here: of
    one that is missed, the line of its table is told.
    """
    wanted, table, best = name, "", 1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]*?)\s*\]", line):
            table = _bare(header[1])
            if table and wanted.startswith(f"{table}."):
                best = number
            key = table
        elif assigned := re.match(r"\s*((?:\"[^\"]*\"|'[^']*'|[^=#\"'])+?)\s*=", line):
            key = f"{table}.{_bare(assigned[1])}".lstrip(".")
        else:
            continue
        if key == wanted:
            return number
    return best


def _bare(key: str) -> str:
    return ".".join(
        part.strip().strip("\"'") for part in re.split(r"\.(?=[^\"']*(?:$|[\"']))", key)
    )

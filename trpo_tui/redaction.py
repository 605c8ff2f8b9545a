"""What must not be published in a text: homes, names, hosts, job ids, secrets, addresses.

`known_of` collects the names that a run's own texts give away; `Redactor` cuts them, and whatever
has the shape of a secret, out of any text and counts what it cut. Where in doubt it cuts.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from runlog.schema import BY_NAME

_SECRET_WORDS = ("token", "secret", "password", "passwd", "passphrase", "pwd", "secrets", "credential",
                 "credentials", "authorization", "auth", "cookie", "apikey", "bearer")  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_KEYS: Mapping[str, str] = (
    dict.fromkeys(("host", "hostname", "node", "nodename", "node_ip"), "host")
    | dict.fromkeys(("user", "username", "user_name", "login"), "user")
    | dict.fromkeys(("job_id", "jobid", "slurm_job_id"), "job")
    | dict.fromkeys(("git_remote", "git_url", "remote_url", "repository"), "git-remote")
)
"""Names of fields and columns whose whole value is cut, and as what."""
GENERIC = frozenset(
    ("root", "user", "users", "admin", "ubuntu", "debian", "runner", "vscode", "jovyan", "home",
     "localhost", "default", "shared", "public", "none", "null", "unknown")
)  # fmt: skip
"""Names of users and hosts that tell nobody apart; only their homes are cut."""

_NAME = r"[^\\/\s\"'<>|:;,*?()\[\]{}=]+"
_SEP = r"[\\/]{1,4}"  # escaped twice at most; without a bound, a long row of them takes hours
_USERS = r"(?:users|documents and settings)"
_HOMES = rf"(?:home\d*|homes|{_USERS})"
_ROOTS = rf"(?:[A-Za-z]:)?{_SEP}{_HOMES}{_SEP}{_NAME}"
_SPACED = rf"[A-Za-z]:{_SEP}{_USERS}{_SEP}[^\\/:*?\"'<>|\r\n]+(?=[\\/])"
_BELOW = r"(?P<below>[\\/]+[^\s\"'<>|:;,*?()\[\]{}]*)?"
_HOME = re.compile(rf"[\\/]{_HOMES}{_SEP}({_NAME})", re.I)
_SPACED_HOME = re.compile(_SPACED, re.I)
_FILE = re.compile(r"[\w.+-]+\.[A-Za-z]\w{0,7}")
_LIBRARY = re.compile(r"[\\/]((?:site|dist)-packages|python3(?:\.\d+)?)(?=[\\/])")

_URL_LOGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20}://)([^/\s@\"'<>]+)@")
_PEM = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
)
_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{12,}"
    r"|gh[pousr]_\w{8,}|github_pat_\w{8,}|glpat-[\w-]{8,}|hf_[A-Za-z0-9]{8,}|sk-[\w-]{12,}"
    r"|xox[abeoprs]-[\w-]{8,}|AIza[\w-]{20,}|npm_\w{12,}|pypi-[\w-]{12,}|dop_v1_\w{12,}"
    r"|wandb_v\d_\w{8,}|(?:Bearer|Basic) [\w.~+/-]{8,}=*|eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*)"
)
_NAMED = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]++)(?:(?P<is>(?:\\*[\"'])?\s*[=:]\s*)|\s+|[\"'],\s*)"
)
_VALUE = re.compile(
    r"(?:Bearer|Basic|Token)\s+[^\s\"']+|\\*\"[^\"\n]*\"|'[^'\n]*'|[^\s\"',;&)}\]]+", re.I
)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_ADDRESS = re.compile(r"(?<![\w.=-])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_LONG = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_LEAST_LONG = 24
_RANDOM = 0.3
"""Share of neighbouring letters and digits of another class (upper, lower, digit) above which a long
word was drawn at random: 0.65 in base64, 0.47 in hexadecimal, below 0.25 in names of files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Words that must not be published, wherever they stand; `keep` are harmless long words."""

    homes: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    keep: frozenset[str] = frozenset()


def known_of(
    texts: Iterable[str], metadata: Mapping[str, Any], environment: Mapping[str, str], host: str
) -> Known:
    """What the texts, the run's metadata and this process's environment give away.

    `host`: this machine's name.
    """
    users = [environment.get(name, "") for name in ("USER", "LOGNAME", "USERNAME")]
    homes = [environment.get(name, "") for name in ("HOME", "USERPROFILE")]
    given = [value for name, value in leaves(metadata) if is_secret_name(name)]
    for text in (*texts, *homes):
        # What a name made a secret in one text may stand without the name in another.
        values = (text[start:stop].strip("\\\"'") for start, stop in secrets_named(text))
        given += [value for value in values if not value.islower() or not value.isalpha()]
        given += [login.rpartition(":")[2] for _, login in _URL_LOGIN.findall(text)]
        users += _HOME.findall(text)
        users += [re.split(r"[\\/]", found)[-1] for found in _SPACED_HOME.findall(text)]
    fields = {kind: [str(v) for k, v in metadata.items() if v and _KEYS.get(k.lower()) == kind]
              for kind in ("host", "user", "job")}  # fmt: skip
    hosts = [host, *fields["host"]]
    hosts += [environment.get(n, "") for n in ("HOSTNAME", "COMPUTERNAME", "SLURMD_NODENAME")]
    hosts += [name.partition(".")[0] for name in hosts]
    jobs = [environment.get(n, "") for n in ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")]
    return Known(
        homes=tuple(home.rstrip("\\/") for home in homes if len(re.findall(r"[\\/]\w", home)) > 1),
        users=_telling(users + fields["user"], 3),
        hosts=_telling(hosts, 3),
        jobs=_telling(jobs + fields["job"], 4),
        secrets=_telling((*_secrets_in(environment), *given), 6),
        keep=frozenset(_telling([str(metadata.get(n)) for n in ("git_commit", "run_id")], 8)),
    )


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in nested metadata, with the name it stands under."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield "", str(key)
            yield from leaves(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner, name)


def _secrets_in(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if is_secret_name(name) and not re.match(r"/|[A-Za-z]:\\", value):  # PWD, SSH_AUTH_SOCK
            yield value


def _telling(words: Iterable[str], least: int) -> tuple[str, ...]:
    found = {
        word
        for word in words
        if sum(map(str.isalnum, word)) >= least and word.lower() not in GENERIC
    }
    return tuple(sorted(found, key=lambda word: (-len(word), word)))


def secrets_named(text: str) -> Iterator[tuple[int, int]]:
    """Where the values lie that a name makes secrets: key=…, "token": "…", --password …"""
    at = 0
    while (named := _NAMED.search(text, at)) is not None:
        at = named.end() if named["is"] else named.end("name")
        option = named["name"].startswith("-")
        if not is_secret_name(named["name"]) or not (named["is"] or option):
            continue
        value = _VALUE.match(text, named.end())
        if value is not None and not (value[0].startswith("-") and not named["is"]):
            at = value.end()
            yield value.span()


def option_of(word: object) -> str | None:
    """The name of an option that stands alone, whose value is the next word."""
    alone = isinstance(word, str) and word.startswith("-") and "=" not in word
    return str(word) if alone and is_secret_name(str(word)) else None


def is_secret_name(name: str) -> bool:
    """Whether what has this name is a secret: API_KEY, hf-token, password; not max_tokens."""
    words = [word.lower() for word in _WORD.findall(name)]
    return words[-1:] == ["key"] or any(word.endswith(_SECRET_WORDS) for word in words)


@dataclass(frozen=True, slots=True)
class Redactor:
    """Cuts what must not be published; `cut` counts it by kind, never by value."""

    known: Known
    cut: Counter[str] = field(default_factory=Counter)

    def text(self, text: str) -> str:
        """The text with a mark such as <home> or <secret> for everything cut."""
        known = self.known
        text = self._all(_PEM, "secret", text)
        text = self._words(known.secrets, "secret", text)
        text = _URL_LOGIN.sub(lambda m: m[1] + self._mark("secret") + "@", text)
        text = self._named(text)
        text = self._all(_SHAPES, "secret", text)
        text = self._all(_EMAIL, "e-mail", text)
        text = self._homes(text)
        text = _LONG.sub(self._long, text)
        text = self._words(known.users, "user", text)
        text = self._words(known.hosts, "host", text)
        text = self._words(known.jobs, "job", text)
        return self._all(_ADDRESS, "address", text)

    def value(self, name: str, value: Any) -> Any:
        """What stands under a name in metadata, its own names and texts cut too."""
        whole = self.kind_of(name)
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): self.value(name if whole else str(key), inner)
                for key, inner in value.items()
            }
        if isinstance(value, list | tuple):
            # ["--token", "…"]: an option before a value names it.
            names = [name, *(option_of(inner) or name for inner in value)]
            return [self.value(*pair) for pair in zip(names, value, strict=False)]
        if value is None or isinstance(value, bool) or value == "":
            return value
        if whole is not None:
            return self._mark(whole)
        return self.text(value) if isinstance(value, str) else value

    def kind_of(self, name: str) -> str | None:
        """What a field or column of that name holds, if all of it is to be cut."""
        return "secret" if is_secret_name(name) else _KEYS.get(name.lower())

    def cuts_numbers(self, name: str) -> bool:
        """Whether a column of numbers is to be left out for its name; that is counted."""
        kind = None if name in BY_NAME else self.kind_of(name)
        if kind is not None:
            self._mark(kind)
        return kind is not None

    def _mark(self, kind: str) -> str:
        self.cut[kind] += 1
        return f"<{kind}>"

    def _all(self, pattern: re.Pattern[str], kind: str, text: str) -> str:
        return pattern.sub(lambda _: self._mark(kind), text)

    def _words(self, words: tuple[str, ...], kind: str, text: str) -> str:
        if not words:
            return text
        inner = "|".join(map(re.escape, words))
        whole = re.compile(f"(?<![A-Za-z0-9])(?:{inner})(?![A-Za-z0-9])", re.I)
        return self._all(whole, kind, text)

    def _named(self, text: str) -> str:
        pieces, end = [], 0
        for start, stop in secrets_named(text):
            value = text[start:stop]
            quotes = value[: len(value) - len(value.lstrip("\\\"'"))]
            pieces += [text[end:start], quotes, self._mark("secret"), quotes]
            end = stop
        return "".join((*pieces, text[end:]))

    def _homes(self, text: str) -> str:
        own = "".join(f"|{re.escape(home)}(?!\\w)" for home in self.known.homes)
        roots = rf"(?:{_SPACED}|{_ROOTS}|(?<![\w.])/root(?![\w.]){own})"
        quoted = (
            rf"(?P<quote>[\"'])(?P<before>[^\"'\s]*?){roots}(?P<below>[\\/][^\"'\n]*)?(?P=quote)"
        )
        text = re.sub(quoted, self._in_quotes, text, flags=re.I)
        return re.sub(roots + _BELOW, self._home, text, flags=re.I)

    def _in_quotes(self, match: re.Match[str]) -> str:
        return f"{match['quote']}{match['before']}{self._home(match)}{match['quote']}"

    def _home(self, match: re.Match[str]) -> str:
        """The mark, and of the path below it what says which file of which library it is."""
        below = match["below"] or ""
        library = _LIBRARY.search(below)
        parts = [part for part in re.split(r"[\\/]+", below) if part]
        if library is not None:
            kept = "/".join(part for part in re.split(r"[\\/]+", below[library.start() :]) if part)
        else:
            kept = parts[-1] if parts and _FILE.fullmatch(parts[-1]) else ""
        dots = "/..." if len(parts) > 1 else ""
        return self._mark("home") + (f"{dots}/{kept}" if kept else "")

    def _long(self, match: re.Match[str]) -> str:
        word = rest = match[0]
        for kept in self.known.keep:
            rest = rest.replace(kept, "")
        if len(rest) < _LEAST_LONG:
            return word
        parts = (word, *(part for part in word.split("/") if len(part) >= _LEAST_LONG))
        drawn = any(_share_of_changes(part) >= _RANDOM for part in parts)
        return self._mark("secret") if drawn else word


def _share_of_changes(word: str) -> float:
    letters = [c for c in word if c.isalnum()]
    classes = [c.isdigit() + 2 * c.isupper() for c in letters]
    changes = sum(a != b for a, b in pairwise(classes))
    return changes / max(1, len(letters) - 1)

"""Questions a login asks, put to the user on the terminal itself, and their answers."""

import getpass
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runlog.errors import UserError

if TYPE_CHECKING:
    import asyncssh

TERMINAL = "/dev/tty"
_ATTEMPTS = 3
_KEY_NAMES = ("id_ed25519", "id_ecdsa", "id_rsa", "id_dsa")


def plain(text: object) -> str:
    """What another machine says, on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in str(text)).strip()


class Questions:
    """Asks on the terminal while it may; remembers that something would have been asked."""

    def __init__(self, who: str, *, allowed: bool) -> None:
        self.who = who
        self.allowed = allowed
        self.wanted: str | None = None
        """What would have been asked, had it been allowed."""
        self.troubles: list[str] = []
        """Why a way to log in could not be tried."""
        self.seconds = 0.0
        """Time spent waiting for answers."""

    def ask(self, question: str, *, shown: bool = False) -> str | None:
        """The answer; None where nobody can be asked. `shown`: what is typed may be seen."""
        question = plain(question)
        if not self.allowed or not _terminal_there():
            self.wanted = question
            return None
        began = time.monotonic()
        try:
            return _ask_openly(question) if shown else getpass.getpass(f"{question} ")
        except EOFError:
            raise UserError(f"{self.who}: no answer to {question!r}; not logged in") from None
        finally:
            self.seconds += time.monotonic() - began


def _terminal_there() -> bool:
    if os.name == "nt":
        return True
    try:
        os.close(os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _ask_openly(question: str) -> str:
    if os.name == "nt":
        return input(f"{question} ")
    with Path(TERMINAL).open("r", encoding="utf-8") as keys, Path(TERMINAL).open("w") as screen:
        screen.write(f"{question} ")
        screen.flush()
        line = keys.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")


def client_of(questions: Questions, options: "asyncssh.SSHClientConnectionOptions") -> type[Any]:
    """The class asyncssh asks for what it needs to log in: passphrases, passwords, codes."""
    import asyncssh

    class Client(asyncssh.SSHClient):
        def __init__(self) -> None:
            self._locked = _locked_keys(options)
            self._passwords = 0

        def public_key_auth_requested(self) -> Any:
            # Asked last: a key that an agent holds, or that has no passphrase, has been tried.
            while self._locked:
                path = self._locked.pop(0)
                if _needs_bcrypt(path):
                    questions.troubles.append(
                        f"{path} has a passphrase: ssh-add it, or pip install bcrypt"
                    )
                    continue
                for _ in range(_ATTEMPTS):
                    phrase = questions.ask(f"Passphrase for {path}:")
                    if not phrase:
                        break
                    with suppress(asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
                        return [asyncssh.read_private_key(path, phrase)]
            return None

        def password_auth_requested(self) -> str | None:
            self._passwords += 1
            if self._passwords > _ATTEMPTS:
                return None
            return questions.ask(f"{questions.who}'s password:")

        def kbdint_auth_requested(self) -> str | None:
            self._passwords += 1
            return "" if self._passwords <= _ATTEMPTS else None

        def kbdint_challenge_received(
            self, name: str, instructions: str, _lang: str, prompts: Sequence[tuple[str, bool]]
        ) -> Sequence[str] | None:
            said = " ".join(filter(None, map(plain, (name, instructions))))
            answers = []
            for prompt, shown in prompts:
                question = f"{said} {prompt}" if said else prompt
                answer = questions.ask(f"{questions.who}: {question}", shown=shown)
                if answer is None:
                    return None
                answers.append(answer)
                said = ""
            return answers

    return Client


def _needs_bcrypt(path: Path) -> bool:
    """Whether a key in OpenSSH's own form cannot be opened for want of a library."""
    return b"OPENSSH PRIVATE KEY" in path.read_bytes() and find_spec("bcrypt") is None


def _locked_keys(options: "asyncssh.SSHClientConnectionOptions") -> list[Path]:
    """The private keys that need a passphrase, among those that ssh would try."""
    import asyncssh

    named = options.config.get("IdentityFile")
    paths = [str(name) for name in named] if isinstance(named, list) else None
    found = []
    for name in paths if paths is not None else [f"~/.ssh/{key}" for key in _KEY_NAMES]:
        path = Path(name).expanduser()
        with suppress(OSError):
            data = path.read_bytes()
            try:
                asyncssh.import_private_key(data)
            except asyncssh.KeyImportError as error:
                if "assphrase" in str(error):
                    found.append(path)
    return found

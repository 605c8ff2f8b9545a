"""A real tmux on a private socket, for tests that look at a terminal."""

import shutil
import subprocess
import time
from pathlib import Path


class Tmux:
    """One window of a server of its own."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        assert shutil.which("tmux"), "tmux is not installed"

    def run(self, *arguments):
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    def open(self, command, columns=80, rows=23):
        """Run a shell command in the window; it stays open when the command has ended."""
        command = f"{command}; echo left with $?; cat"
        self.run("-u", "new-session", "-d", "-x", str(columns), "-y", str(rows), command)
        self.run("set", "-g", "status", "off")

    def keys(self, *keys):
        self.run("send-keys", *keys)

    def until(self, *said):
        for _ in range(150):
            text = self.run("capture-pane", "-p")
            if all(word in text for word in said):
                return text
            time.sleep(0.2)
        raise AssertionError(f"{said} never appeared:\n{text}")

"""An SSH server with SFTP inside the test, on a port of its own; and a line to it that can be cut."""

import asyncio
import contextlib
import socket
import threading
import time
from pathlib import Path

import asyncssh


class Door(asyncssh.SSHServer):
    """Lets in by key, by password, or by a code that is asked for."""

    def __init__(self, server):
        self.server = server

    def connection_made(self, connection):
        self.server.connections.append(connection)

    def public_key_auth_supported(self):
        return self.server.accepts == "key"

    def validate_public_key(self, username, key):
        return key.public_data == self.server.user_key.public_data

    def password_auth_supported(self):
        return self.server.accepts == "password"

    def validate_password(self, username, password):
        return password == "open sesame"  # noqa: S105

    def kbdint_auth_supported(self):
        return self.server.accepts == "code"

    def connection_requested(self, host, port, from_host, from_port):
        return self.server.accepts == "key"

    def get_kbdint_challenge(self, username, lang, submethods):
        return "", "Two factors.", "", [("Password: ", False), ("One-time\x1b[2J code: ", True)]

    def validate_kbdint_response(self, username, responses):
        return list(responses) == ["open sesame", "123456"]


class SshServer:
    """A server on 127.0.0.1 that can go away and come back on the same port."""

    def __init__(self, home, *, accepts="key", sftp=True):
        self.home, self.accepts, self.sftp = Path(home), accepts, sftp
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.connections = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._acceptor = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.start()
        folder = self.home / ".ssh"
        folder.mkdir(exist_ok=True)
        self.user_key.write_private_key(folder / "id_ed25519")
        (folder / "id_ed25519").chmod(0o600)
        self.trust()

    def trust(self, *, port=None, key=None, name="127.0.0.1", marker=""):
        entry = (key or self.host_key).export_public_key().decode()
        line = f"{marker}[{name}]:{port or self.port} {entry}"
        (self.home / ".ssh" / "known_hosts").write_text(line)

    def url(self, path, port=None):
        return f"ssh://user@127.0.0.1:{port or self.port}{path}"

    def start(self):
        self._acceptor = self._do(
            asyncssh.create_server(
                lambda: Door(self),
                "127.0.0.1",
                self.port,
                server_host_keys=[self.host_key],
                sftp_factory=self.sftp,
                reuse_address=True,
            )
        )
        self.port = self._acceptor.get_port()

    def stop(self):
        """No listening socket, and every line cut."""
        self._loop.call_soon_threadsafe(self._acceptor.close)
        self.cut()
        self._do(asyncio.sleep(0))

    def cut(self):
        for connection in self.connections:
            self._loop.call_soon_threadsafe(connection.abort)
        self.connections.clear()

    def close(self):
        self.stop()
        self._do(asyncio.sleep(0.05))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work):
        async def done():
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(20)


class SlowLine:
    """A TCP proxy that holds every byte back for a while, and counts them."""

    def __init__(self, port, seconds):
        self.to, self.seconds = port, seconds
        self.up = self.down = 0
        self.turns = 0
        """How often bytes went up after bytes had come down: round trips."""
        self._last = "down"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        self._loop.run_until_complete(self._serve())

    async def _serve(self):
        server = await asyncio.start_server(self._carry, sock=self._listener)
        self._over = asyncio.Event()
        await self._over.wait()
        server.close()

    async def _carry(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        await asyncio.gather(self._pump(reader, back, "up"), self._pump(there, writer, "down"))

    async def _pump(self, source, target, way):
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                setattr(self, way, getattr(self, way) + len(data))
                if way == "up" and self._last == "down":
                    self.turns += 1
                self._last = way
                loop.call_later(self.seconds, target.write, data)
        loop.call_later(self.seconds, target.close)

    def close(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


def until(condition, seconds=20.0):
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
    return found

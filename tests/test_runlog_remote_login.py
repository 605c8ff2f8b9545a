"""Whom a login trusts, what it asks, and how each refusal is told."""

import getpass
import os
import pty
import subprocess
import sys
import time

import asyncssh
import pytest
from ssh_server import SshServer, until

from runlog import remote, remote_connection, remote_follow, remote_login
from runlog.errors import UserError
from runlog.remote_config import config_of
from runlog.writer import RunLog


@pytest.fixture
def home(tmp_path, monkeypatch):
    place = tmp_path / "home"
    place.mkdir()
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(place))
    yield place
    remote_connection.close_all()


@pytest.fixture
def served(home, request):
    """A server; the test's parameter says how it lets in."""
    made = SshServer(home, **getattr(request, "param", {}))
    yield made
    made.close()


@pytest.fixture
def answers(monkeypatch):
    """What the user will type, and what was asked."""
    waiting, asked = [], []

    def answer(question, stream=None):
        asked.append(question)
        return waiting.pop(0)

    monkeypatch.setattr(remote_login, "_terminal_there", lambda: True)
    monkeypatch.setattr(getpass, "getpass", answer)
    monkeypatch.setattr(remote_login, "_ask_openly", answer)
    return waiting, asked


def refusal(server, path="/", **how):
    with pytest.raises(UserError) as refused:
        remote.connect(server.url(path), **how)
    line = str(refused.value)
    assert line.isprintable()
    assert line.startswith("ssh://user@127.0.0.1")
    return line


def config(home, *lines):
    (home / ".ssh" / "config").write_text("\n".join(lines) + "\n")


def test_a_known_host_and_a_key_are_enough(served):
    assert remote.connect(served.url("/")) == "folder"


def test_an_unknown_host_is_refused_and_how_to_add_it_is_said(served, home):
    (home / ".ssh" / "known_hosts").unlink()
    line = refusal(served)
    assert "is not in known_hosts" in line
    assert f"`ssh -p {served.port} 127.0.0.1` once" in line


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_another_host_key_is_refused(served, kind):
    served.trust(key=asyncssh.generate_private_key(kind))
    line = refusal(served)
    assert "not the one in known_hosts" in line
    assert f"ssh-keygen -R '[127.0.0.1]:{served.port}'" in line


def test_a_revoked_host_key_is_refused(served, home):
    served.trust()
    trusted = (home / ".ssh" / "known_hosts").read_text()
    served.trust(marker="@revoked ")
    with (home / ".ssh" / "known_hosts").open("a") as file:
        file.write(trusted)
    assert "revoked" in refusal(served)


def test_no_option_switches_the_check_of_the_host_key_off(served, home):
    (home / ".ssh" / "known_hosts").unlink()
    config(home, "Host *", "StrictHostKeyChecking no", "UserKnownHostsFile none")
    assert "is not in known_hosts" in refusal(served)


def test_hashed_names_and_another_known_hosts_file_are_honoured(served, home):
    known = home / ".ssh" / "known_hosts"
    subprocess.run(["ssh-keygen", "-H", "-f", str(known)], check=True, capture_output=True)
    assert "127.0.0.1" not in known.read_text()
    known.rename(home / "elsewhere")
    config(home, "Host 127.0.0.1", f"UserKnownHostsFile {home}/elsewhere /dev/null")
    assert remote.connect(served.url("/")) == "folder"


def test_a_host_key_alias_is_honoured(served, home):
    served.trust(name="cluster")
    config(home, "Host *", "HostKeyAlias cluster")
    assert remote.connect(served.url("/")) == "folder"


def test_the_key_of_another_name_with_the_same_address_is_not_trusted(served, home):
    served.trust(name="127.0.0.1")
    config(home, "Host box", "HostName localhost", f"Port {served.port}", "User user")
    with pytest.raises(UserError, match="is not in known_hosts"):
        remote.connect("ssh://box/")


def test_the_configuration_names_host_port_user_and_key(served, home):
    (home / ".ssh" / "id_ed25519").rename(home / "key")
    (home / ".ssh" / "more").write_text(
        f"Host box\n  HostName 127.0.0.1\n  Port {served.port}\n  User user\n  IdentityFile ~/key\n"
    )
    config(home, "Include more")
    assert remote.connect("ssh://box/") == "folder"


def test_a_key_of_the_configuration_that_is_not_there_is_passed_over(served, home):
    config(home, "Host *", "IdentityFile ~/.ssh/gone", "IdentityFile ~/.ssh/id_ed25519")
    assert remote.connect(served.url("/")) == "folder"


def test_the_public_half_of_a_key_chooses_it_from_the_agent(served, home):
    key = home / ".ssh" / "id_ed25519"
    served.user_key.write_public_key(home / ".ssh" / "chosen.pub")
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(home / "agent")], stdout=subprocess.DEVNULL
    )
    try:
        until((home / "agent").exists)
        command = ["ssh-add", "-q", str(key)]
        environment = os.environ | {"SSH_AUTH_SOCK": str(home / "agent")}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        key.unlink()
        config(
            home, "Host *", f"IdentityAgent {home}/agent", "IdentitiesOnly yes",
            "IdentityFile ~/.ssh/chosen.pub",
        )  # fmt: skip
        assert remote.connect(served.url("/")) == "folder"
    finally:
        agent.terminate()
        agent.wait()


def test_a_name_that_cannot_be_spelled_is_one_line(home):
    (home / ".ssh").mkdir()
    with pytest.raises(UserError, match="no host of that name"):
        remote.connect(f"ssh://{'a' * 70}/x")


def test_a_jump_host_is_checked_and_gone_through(served, home):
    config(home, f"Host 127.0.0.1\n  ProxyJump user@localhost:{served.port}")
    with pytest.raises(UserError, match="localhost is not in known_hosts"):
        remote.connect(served.url("/"))
    known = home / ".ssh" / "known_hosts"
    known.write_text(known.read_text() + known.read_text().replace("127.0.0.1", "localhost"))
    assert remote.connect(served.url("/")) == "folder"
    assert len(served.connections) == 3  # one was given up, one leads to the other


def test_a_proxy_command_carries_the_line(served, home):
    code = (
        "import socket,sys,threading,os;s=socket.create_connection(('127.0.0.1',int(sys.argv[1])));"
        "sys.stderr.write('noise'*99);"
        "threading.Thread(target=lambda:[os.write(1,d) for d in iter(lambda:s.recv(9999),b'')],"
        "daemon=True).start();"
        "[s.sendall(d) for d in iter(lambda:os.read(0,9999),b'')]"
    )
    config(home, "Host *", f'ProxyCommand {sys.executable} -c "{code}" %p')
    assert remote.connect(served.url("/")) == "folder"


def test_jumps_that_run_in_a_circle_are_refused(served, home):
    config(home, "Host *", "ProxyJump 127.0.0.1")
    assert "circle" in refusal(served)


def test_options_that_are_not_honoured_are_named(served, home):
    config(
        home,
        "Host *",
        "RevokedHostKeys /etc/revoked",
        "ControlPath ~/.ssh/%r",
        "GSSAPIAuthentication no",
    )
    found = config_of("box", user=None, port=None)
    assert found.ignored == ("RevokedHostKeys",)
    assert found.lacking == ("ControlPath",)
    remote.connect(served.url("/"))
    (note,) = remote.notes_of(served.url("/"))
    assert "RevokedHostKeys" in note


def test_a_broken_configuration_is_one_line(served, home):
    config(home, "Host *", "Port many")
    with pytest.raises(UserError, match=r"ssh configuration cannot be used.*line 2"):
        remote.connect(served.url("/"))


def test_a_refused_login_is_one_line_with_the_way_round(served, home):
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(home / ".ssh" / "id_ed25519")
    config(home, "Host *", "ControlPath ~/.ssh/%r")
    line = refusal(served, "/a b/train.log")
    assert "login was refused; not honoured here: ControlPath" in line
    assert line.endswith(
        f"ssh -p {served.port} user@127.0.0.1 tail -n +1 -F '/a b/train.log' | trpo-tui watch -"
    )


@pytest.mark.parametrize("served", [{"sftp": False}], indirect=True)
def test_a_server_without_sftp_is_one_line(served):
    assert "no SFTP" in refusal(served)


def test_a_host_that_is_not_there_is_one_line(served):
    served.stop()
    assert "cannot be reached (Connection refused)" in refusal(served)
    with pytest.raises(UserError, match="no host of that name"):
        remote.connect("ssh://nowhere.invalid/x")
    served.start()


@pytest.mark.parametrize("served", [{"accepts": "password"}], indirect=True)
def test_a_password_is_asked_for_once_and_again_when_it_was_wrong(served, answers):
    waiting, asked = answers
    waiting += ["guess", "open sesame"]
    assert remote.connect(served.url("/")) == "folder"
    assert asked == ["user@127.0.0.1's password: "] * 2


@pytest.mark.parametrize("served", [{"accepts": "code"}], indirect=True)
def test_a_one_time_code_is_asked_for_without_obeying_what_the_server_says(served, answers):
    waiting, asked = answers
    waiting += ["open sesame", "123456"]
    assert remote.connect(served.url("/")) == "folder"
    assert asked[0] == "user@127.0.0.1: Two factors. Password: "
    assert asked[1] == "user@127.0.0.1: One-time [2J code:"


def test_a_passphrase_is_asked_for_where_a_key_needs_one(served, home, answers):
    waiting, asked = answers
    waiting += ["wrong", "right"]
    key = home / ".ssh" / "id_ed25519"
    served.user_key.write_private_key(key, "pkcs8-pem", "right")
    assert remote.connect(served.url("/")) == "folder"
    assert asked == [f"Passphrase for {key}: "] * 2


def test_a_key_that_cannot_be_opened_here_is_named(served, home, monkeypatch):
    key = home / ".ssh" / "id_ed25519"
    key.unlink()
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)]
    subprocess.run(command, check=True)
    monkeypatch.setattr(remote_login, "find_spec", lambda name: None)
    assert f"{key} has a passphrase: ssh-add it, or pip install bcrypt" in refusal(served)


@pytest.mark.parametrize("served", [{"accepts": "password"}], indirect=True)
def test_without_a_terminal_a_password_is_one_line(served, monkeypatch):
    monkeypatch.setattr(remote_login, "_terminal_there", lambda: False)
    assert "the login asks (user@127.0.0.1's password)" in refusal(served)


@pytest.mark.parametrize("served", [{"accepts": "password"}], indirect=True)
def test_a_reconnect_that_would_ask_stops_and_says_so(served, answers, tmp_path, monkeypatch):
    monkeypatch.setattr(remote_follow, "POLL_SECONDS", 0.0)
    answers[0].append("open sesame")
    log = RunLog(tmp_path / "run")
    log.iteration(iteration=1)
    follower = remote.follow_remote(served.url(tmp_path / "run"))
    served.cut()
    monkeypatch.setattr(remote_connection, "RETRY_SECONDS", (0.1,))
    assert follower.poll().notes == ("connection lost, retrying in 0 s",)
    time.sleep(0.15)
    with pytest.raises(UserError, match="again; start the command once more"):
        follower.poll()
    log.close()


@pytest.mark.parametrize("served", [{"accepts": "password"}], indirect=True)
def test_the_question_is_put_on_the_terminal_and_the_answer_is_not_shown(served, tmp_path):
    with RunLog(tmp_path / "run") as log:
        log.iteration(iteration=1, kl=0.01)
    command = [sys.executable, "-m", "trpo_tui", "analyze", served.url(tmp_path / "run")]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)  # noqa: S606
    said = b""
    typed = False
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        said += piece
        if b"password:" in said and not typed:
            os.write(terminal, b"open sesame\n")
            typed = True
        if not piece:
            break
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, said
    assert b"sesame" not in said
    assert b"1 iteration" in said

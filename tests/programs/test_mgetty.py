"""mgetty: answers a data call, has somebody log in or a program run; with AutoPPP, has pppd run for who speaks PPP."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.drivers.base.secret import Secret
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.serial import locks
from rig.run.owner import Owner
from tests.programs.ppp import comes_up, etc_ppp, goes_down, secret_is_in_no_argv
from tests.programs.running import eventually, running, surround, written
from tests.programs.station import calling
from tests.unit.exchange_process import Town

NUMBER = "555-0160"
DEVICE = Path("/dev/rig-modem")
"""mgetty takes names below /dev alone. The link has it find the port again, which is another pty after each call."""
PORT = "port rig-modem\nspeed 115200\ndata-only y\ntoggle-dtr n\ndebug 9\n"
BOARD = "#!/bin/sh\necho welcome, $1\nread word\necho you said $word\n"
CALLER = Secret("caller", "a caller's own")
OURS, THEIRS = "203.0.113.1", "203.0.113.2"


@contextmanager
def as_init_does(
    command: Sequence[str], network: NetworkNamespace | None, folders: Mapping[str, Path]
) -> Iterator[subprocess.Popen[bytes]]:
    """In a session without a terminal: mgetty makes the port its own, so that a hangup reaches what it runs."""
    prepare = functools.partial(surround, network, folders)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=prepare) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


class Getty:
    """Where mgetty stands, and what it logs."""

    def __init__(self, folder: Path, device: str = DEVICE.name) -> None:
        self.device = device
        self.settings, self.logs = folder / "mgetty", folder / "log"
        self.logs.mkdir()
        self.ppp = etc_ppp(folder / "ppp", CALLER, options=f"{OURS}:{THEIRS}\nnoipv6\nnodefaultroute\n")

    @property
    def folders(self) -> dict[str, Path]:
        """What mgetty finds in place of the system's."""
        return {"/etc/mgetty": self.settings, "/var/log/mgetty": self.logs, "/etc/ppp": self.ppp}

    @property
    def _file(self) -> Path:
        return self.logs / f"mg_{self.device.replace('/', '-')}.log"

    @property
    def log(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return self._file.read_text(errors="replace")
        return ""

    def waits(self) -> None:
        """It is ready for a call."""
        try:
            eventually("mgetty to wait for a call", lambda: "waiting..." in self.log)
        except AssertionError as error:
            raise AssertionError(f"{error}; its log:\n{self.log}") from None

    @contextmanager
    def running(
        self, login: str, settings: str = PORT, network: NetworkNamespace | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """As init runs it, for one call."""
        written(self.settings, "mgetty.config", settings, 0o644)
        written(self.settings, "login.config", login)
        written(self.settings, "board", BOARD, 0o755)
        self._file.unlink(missing_ok=True)
        with as_init_does(["/sbin/mgetty", self.device], network, self.folders) as process:
            self.waits()
            yield process


@pytest.fixture
def port(town: Town) -> Iterator[str]:
    with town.modem(number=NUMBER) as (_, port):
        yield port


@pytest.fixture
def getty(port: str, tmp_path: Path) -> Iterator[Getty]:
    """The lock file of what mgetty became stays for the next mgetty, which clears it."""
    DEVICE.symlink_to(port)
    try:
        yield Getty(tmp_path)
    finally:
        DEVICE.unlink()
        (locks.FOLDER / f"LCK..{DEVICE.name}").unlink(missing_ok=True)


def test_a_caller_gets_a_prompt_and_a_program_and_the_next_one_too(town: Town, getty: Getty) -> None:
    """Catches a modem that mgetty cannot initialize, and a port that is not there for the second call."""
    for _ in range(2):
        with getty.running("* - - /etc/mgetty/board @\n"), calling(town, NUMBER) as caller:
            caller.hears(b"CONNECT 115200\r\n")
            caller.hears(b"login:")
            caller.say(b"guest\r")
            caller.hears(b"welcome, guest")
            caller.say(b"thanks\r")
            caller.hears(b"you said thanks")
            assert caller.is_hung_up()
        eventually("the end of the call", lambda: town.control.ask("calls") == [])


def test_login_asks_for_a_password(town: Town, getty: Getty) -> None:
    """Debian's own login.config."""
    with getty.running("* - - /bin/login @\n"), calling(town, NUMBER) as caller:
        caller.hears(b"login:")
        caller.say(b"guest\r")
        caller.hears(b"Password:")


def test_a_caller_who_hangs_up_ends_what_runs(town: Town, getty: Getty) -> None:
    """Carrier counts as soon as it is there (ignore-carrier n, the default): a call without a caller costs money."""
    with getty.running("* - - /etc/mgetty/board @\n") as process:
        with calling(town, NUMBER) as caller:
            caller.hears(b"login:")
            caller.say(b"guest\r")
            caller.hears(b"welcome, guest")
            assert process.poll() is None
        assert process.wait(5) is not None
    assert town.control.ask("calls") == []


def test_with_ptys_own_name_there_is_no_second_call(town: Town, port: str, tmp_path: Path) -> None:
    """The opposite of the link: the pty of the first call is gone with it."""
    device = os.path.realpath(port).removeprefix("/dev/")
    getty = Getty(tmp_path, device)
    with getty.running("* - - /etc/mgetty/board @\n") as process:
        with calling(town, NUMBER) as caller:
            caller.hears(b"login:")
        process.wait(5)
    with as_init_does(["/sbin/mgetty", device], None, getty.folders) as process:
        assert process.wait(10) != 0
    assert "cannot open line" in getty.log
    (locks.FOLDER / f"LCK..{device.replace('/', '_')}").unlink(missing_ok=True)


def test_what_a_pty_lacks_is_logged_and_does_no_harm(town: Town, getty: Getty) -> None:
    """toggle-dtr and fax are mgetty's defaults: neither keeps it from answering."""
    with getty.running("* - - /etc/mgetty/board @\n", "speed 115200\ndebug 9\n"), calling(town, NUMBER) as caller:
        caller.hears(b"login:")
        assert "TIOCMBIC failed" in getty.log
        assert "no faxing available" in getty.log


def test_a_caller_who_speaks_ppp_gets_pppd(
    town: Town, getty: Getty, network: NetworkNamespace, owner: Owner, tmp_path: Path
) -> None:
    """AutoPPP. Both ends are pppd; the secret is in their pap-secrets."""
    login = "/AutoPPP/ - a_ppp /usr/sbin/pppd auth require-pap refuse-chap\n* - - /bin/login @\n"
    away = owner.namespace("caller")
    chat = f"chat ABORT BUSY ABORT 'NO CARRIER' '' ATZ OK ATDT{NUMBER} CONNECT ''"
    with town.modem() as (_, port), getty.running(login, network=network):
        command = (
            "pppd", os.path.realpath(port), "115200", "nodetach", "debug", "noauth", "noipdefault", "nodefaultroute",
            "modem", "user", CALLER.user, "remotename", "peer", "connect", chat,
        )  # fmt: skip
        with running(command, network=away, folders={"/etc/ppp": etc_ppp(tmp_path / "away", CALLER)}) as caller:
            caller.shows("PAP authentication succeeded")
            assert comes_up(away) == THEIRS
            assert comes_up(network) == OURS
            assert secret_is_in_no_argv(CALLER)
            caller.type("\x03")
            caller.ends()
        goes_down(network)

"""One charon (strongSwan), in a namespace and with a /run of its own, driven by vici; nothing of the machine's own
configuration is read.

vici gives values and names as bytes, and raises what an initiation came to at the first message that is asked of it.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import vici

from rig.drivers.base.errors import CannotRunError, NetworkError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.program import Program
from rig.drivers.ipsec import events, ike_keys, xfrm
from rig.drivers.ipsec.association import Association
from rig.drivers.ipsec.events import Event
from rig.drivers.net.isolation import isolate
from rig.drivers.net.namespace import NetworkNamespace

PATH = Path("/usr/lib/ipsec/charon")
PLUGINS = "random nonce openssl kernel-netlink socket-default vici"
INSTALL = "apt-get install strongswan-charon libstrongswan-standard-plugins strongswan-swanctl"
"""Debian has charon's plugins in several packages: openssl in the second, vici in the last."""
READY_SECONDS, STOP_SECONDS = 20.0, 5.0
KEPT_LINES = 200
ONE_MEMORY = {"MALLOC_ARENA_MAX": "1", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
"""Each of its sixteen threads would have an arena, and a cache, of its own, which are filled over hundreds of
connections: a leak could not be told from that (mallopt(3); the GNU C library's manual, Memory Allocation Tunables)."""
L2TP_PORT = 1701
L2TP = f"[udp/{L2TP_PORT}]"
"""What of an address is meant, as strongSwan writes it."""
KEYS = "ike.keys"
LOG, KEYS_LOG = "stderr {\n default = 1\n }", f"keys {{\n path = /run/{KEYS}\n {ike_keys.LOG} }}"


def _settings(*logs: str) -> str:
    """strongswan.conf(5)."""
    return f"""\
charon {{
  load_modular = no
  load = {PLUGINS}
  plugins {{ vici {{ socket = unix:///run/charon.vici }} }}
  filelog {{
    {" ".join(logs)}
  }}
  retransmit_tries = 3
  retransmit_timeout = 1.0
  retransmit_base = 1.5
}}
"""


class IkeError(NetworkError):
    """No security association came about, or it is no more."""

    outcome = "NO VPN"


@dataclass(frozen=True)
class Policy:
    """What is offered, or taken: strongSwan's names of proposals, the best first. Seconds before an SA is made anew:
    ``rekey``, drawn from it and ``spread`` less; after ``life`` it is over. A peer is asked whether it is there after
    ``silence`` seconds without a word from it, and given up after ``patience``. ``window``: of packets that may come
    late; what comes twice, or later, is dropped (RFC 4303 §3.4.3). Phase 1 is made anew before ``ike_rekey`` seconds
    are over, and ended after ``ike_life``."""

    ike: tuple[str, ...]
    esp: tuple[str, ...]
    rekey: int = 1980
    spread: int = 360
    life: int = 2400
    silence: int = 30
    patience: int = 90
    window: int = 32
    ike_rekey: int = 4 * 3600
    ike_life: int = 4 * 3600 + 1440


class Charon:
    """``line`` is told each line that it logs, ``told`` what becomes of its connections, in a thread of its own;
    ``path``: of its socket. Raises CannotRunError when it is not installed, or does not start."""

    def __init__(
        self, namespace: NetworkNamespace, folder: Path, line: Callable[[str], None] = lambda line: None
    ) -> None:
        if not PATH.exists():
            raise CannotRunError(f"{PATH} is missing", INSTALL)
        self.namespace = namespace
        self.lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._line = line
        self._run = folder
        self._run.mkdir(mode=0o700)
        self.path = str(self._run / "charon.vici")
        (self._run / "strongswan.conf").write_text(_settings(LOG))
        self._program = Program(
            str(PATH),
            [],
            line=self._said,
            prepare=functools.partial(isolate, namespace, {"/run": self._run}),
            environment={"STRONGSWAN_CONF": "/run/strongswan.conf", **ONE_MEMORY},
        )
        self.told: Callable[[Event], None] = lambda event: None
        self._socket, self._listening = (socket.socket(socket.AF_UNIX) for _ in range(2))
        self._session: vici.Session | None = None
        self._asking = threading.RLock()  # one question at a time: vici's answers bear no name
        self._listener: threading.Thread | None = None

    def _said(self, line: str) -> None:
        self.lines.append(line)
        self._line(line)

    def wait_ready(self) -> None:
        """Until it takes commands. Raises CannotRunError when it lacks a plugin, ends, or does not within
        READY_SECONDS."""
        end = time.monotonic() + READY_SECONDS
        while not self._connected():
            with waiting():
                ended = self._program.wait(0.02)
            if lacking := self._lacking():
                raise CannotRunError(f"charon has no plugin {', '.join(lacking)}", INSTALL)
            if ended or time.monotonic() > end:
                raise CannotRunError(f"charon did not start: {'; '.join(list(self.lines)[-4:])}")
        self._session = vici.Session(self._socket)
        self._listening.connect(self.path)
        self._listener = threading.Thread(target=self._listen, name="charon", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        """Tell what happens, until charon or we are gone."""
        with contextlib.suppress(OSError, vici.exception.SessionException):
            for label, values in vici.Session(self._listening).listen(events.KINDS):
                for event in events.events_in(label, values):
                    self.told(event)

    def _lacking(self) -> list[str]:
        """The plugins that it has not loaded, once it has said which it has; it goes on without them."""
        for line in list(self.lines):
            _, said, loaded = line.partition("loaded plugins:")
            if said:
                return [plugin for plugin in PLUGINS.split() if plugin not in loaded.split()]
        return []

    def _connected(self) -> bool:
        """Whether it takes connections: its socket is there a moment before that."""
        try:
            self._socket.connect(self.path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    @property
    def session(self) -> vici.Session:
        assert self._session is not None
        return self._session

    def load(
        self,
        name: str,
        own: IPv4Address,
        peer: IPv4Address | None,
        policy: Policy,
        secret: str,
    ) -> None:
        """A connection by IKEv1 with a shared secret, tunnel mode, through which L2TP goes and nothing else; ``peer``
        None: whoever comes. With what the kernel needs for it; and from now on L2TP goes through it or not at all."""
        remote = {"auth": "psk", **({"id": str(peer)} if peer else {})}
        ours, theirs = [f"{own}/32{L2TP}"], [f"{peer}/32{L2TP}" if peer else f"0.0.0.0/0{L2TP}"]
        child = {
            "mode": "tunnel", "local_ts": ours, "remote_ts": theirs, "esp_proposals": list(policy.esp),
            "rekey_time": f"{policy.rekey}s", "rand_time": f"{policy.spread}s", "life_time": f"{policy.life}s",
            "replay_window": f"{policy.window}",
        }  # fmt: skip
        connection = {
            "version": "1", "local_addrs": [str(own)], "remote_addrs": [str(peer) if peer else "%any"],
            "proposals": list(policy.ike), "local": {"auth": "psk", "id": str(own)}, "remote": remote,
            "children": {name: child}, "dpd_delay": f"{policy.silence}s", "dpd_timeout": f"{policy.patience}s",
            "rekey_time": f"{policy.ike_rekey}s", "over_time": f"{policy.ike_life - policy.ike_rekey}s",
        }  # fmt: skip
        xfrm.load_algorithms(self.namespace, policy.esp)
        xfrm.block_clear(self.namespace, own, peer, L2TP_PORT)
        owners = [str(own), *([str(peer)] if peer else [])]
        shared = {"id": name, "type": "ike", "data": secret, "owners": owners if peer else []}
        with self._asking:
            self.session.load_shared(shared)
            self.session.load_conn({name: connection})

    def initiate(self, name: str, seconds: float) -> Association:
        """Bring a connection up. Raises IkeError, which says what was not agreed on."""
        with self._asking:
            return self._initiate(name, seconds)

    def _initiate(self, name: str, seconds: float) -> Association:
        said = []  # of this try, in the order of vici's own messages: the log comes by another way, and may be late
        try:
            with waiting():
                for event in self.session.initiate({"child": name, "timeout": f"{round(seconds * 1000)}"}):
                    said.append(event["msg"].decode(errors="replace"))  # noqa: PERF401 - kept when it raises
        except vici.exception.CommandException as error:
            raise IkeError(*_why(" ".join(said), str(error))) from error
        found = self.association(name)
        if found is None:
            raise IkeError("the VPN was no more as soon as it was there")
        return found

    def association(self, name: str) -> Association | None:
        """What is agreed on now; None where there is no child SA that is installed."""
        with self._asking:
            listed = list(self.session.list_sas())
        for each in listed:
            for sa in each.values():
                for child in sa.get("child-sas", {}).values():
                    if child["name"].decode() == name and child["state"] == b"INSTALLED":
                        return _association(sa, child)
        return None

    def log_keys(self) -> Path:
        """Write the keys of each ISAKMP SA to come where nobody else can read: the file. See ike_keys."""
        file = self._run / KEYS
        file.touch(mode=0o600)
        (self._run / "strongswan.conf").write_text(_settings(LOG, KEYS_LOG))
        with self._asking:
            self.session.reload_settings()
        return file

    def terminate(self, name: str) -> None:
        """Take a connection down, where it is up."""
        with self._asking, contextlib.suppress(vici.exception.CommandException):  # where there was none
            for _ in self.session.terminate({"ike": name, "timeout": "3000"}):
                pass

    @property
    def pid(self) -> int:
        return self._program.pid

    def kill(self) -> None:
        """It dies without a word to anybody. :meth:`stop` is to be called all the same."""
        self._program.kill_with_children()

    def stop(self) -> None:
        self._socket.close()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listener.join(STOP_SECONDS)
        self._listening.close()
        self._program.stop(STOP_SECONDS)


_FAILURES = (
    ("NO_PROPOSAL_CHOSEN", "no proposal in common", "does the server speak what the bench's policy offers?"),
    ("could not decrypt payloads", "the shared secrets differ", "is the secret right?"),
    ("AUTHENTICATION_FAILED", "the shared secrets differ", "is the secret right?"),
    ("giving up after", "the server is silent", "do UDP 500, and 4500 or ESP, pass the customer's firewall?"),
)
"""charon's words for what keeps a VPN from coming about, ours, and what to try."""


def _why(said: str, error: str) -> tuple[str, str]:
    """Message and advice, by what was said on the way."""
    found = next(((why, advice) for words, why, advice in _FAILURES if words in said), None)
    return (f"no VPN: {found[0]}", found[1]) if found else (f"no VPN: {error}", "")


def _association(sa: dict[str, Any], child: dict[str, Any]) -> Association:
    def words(values: dict[str, Any], *names: str) -> str:
        return ", ".join(values[name].decode() for name in names if name in values)

    return Association(
        words(sa, "encr-alg", "integ-alg", "prf-alg", "dh-group"),
        words(child, "encr-alg", "encr-keysize", "integ-alg"),
        words(child, "mode"),
        "encap" in child,
    )

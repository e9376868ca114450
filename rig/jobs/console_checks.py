"""What any console is held to, one of the rig's own or a device under test: how it speaks; and what is sent to it by
those who are no consoles of its customer's."""

from __future__ import annotations

import socket
import ssl
from ipaddress import IPv4Address

from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.consoles.announcement import MAGIC, PORT, TLS_PORT
from rig.parts.consoles.emulated import EmulatedConsole
from rig.run.control import ControlError
from rig.verdict.verdict import CheckResult

EPHEMERAL_SUITES = ("TLS_", "ECDHE-", "DHE-")
"""What suites begin with whose keys are agreed on anew: all of TLS 1.3, of 1.2 those with ephemeral Diffie-Hellman."""
FLOOD = 10_000
FLOODING = MAGIC + b"\1" + bytes(200)
"""What is no announcement of a customer's: its HMAC is none."""
TLS_SECONDS = 5.0


def spoken(end: EmulatedConsole, number: str, who: str, target: str) -> CheckResult:
    """It speaks with a console that it has found, and that is ``who`` it is, by keys that are agreed on anew."""
    name, expected = "speaks by ephemeral keys", "as the other"
    try:
        told = end.control.ask("speak", number=number)
    except ControlError as error:
        return CheckResult(name, target, expected, str(error), held=False)
    suite, group = told["suite"], told["group"]
    held = told["name"] == who and suite.startswith(EPHEMERAL_SUITES) and bool(group)
    return CheckResult(name, target, expected, f"{told['version']}, {suite}, {group or 'no group'}", held)


def shout(who: NetworkNamespace, everybody: IPv4Address, datagram: bytes, times: int = 1, source: str = "") -> None:
    """To everybody on a subnet."""
    with who.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.bind((source, 0))
        for _ in range(times):
            sender.sendto(datagram, (str(everybody), PORT))


def refused_to_anybody(who: NetworkNamespace, address: IPv4Address, target: str) -> CheckResult:
    """A console speaks with nobody who has no certificate of its customer's: such a one hears nothing."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        with who.entered():
            plain = socket.create_connection((str(address), TLS_PORT), TLS_SECONDS)
        with plain, anybody.wrap_socket(plain) as secured:
            secured.sendall(b'{"id": "", "name": "anybody"}\n')
            heard = secured.recv(100)
        said, held = (f"it said {heard[:40]!r}", False) if heard else ("the connection was ended", True)
    except TimeoutError:
        said, held = f"no answer in {TLS_SECONDS:g} s", False
    except ssl.SSLError as error:
        said, held = f"by TLS: {error.reason}", True
    except OSError as error:
        said, held = f"the connection was ended: {error.strerror}", isinstance(error, ConnectionResetError)
    return CheckResult("who has no certificate", target, "refused", said, held)

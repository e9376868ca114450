"""What programs that speak PPP share: a folder of their own as /etc/ppp, and what their network has come to."""

from __future__ import annotations

from pathlib import Path

from rig.drivers.base.secret import Secret
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp.pppd import quote
from rig.fixtures.line import Gateway
from rig.parts.rack import FarEnd
from tests.programs.running import eventually, written

GATEWAY = "1-800-555-0100"
POOL = "198.51.100."


def etc_ppp(folder: Path, *accounts: Secret, options: str = "") -> Path:
    """An /etc/ppp: the secrets are in a file that its owner alone may read, never in argv."""
    lines = (f"{quote(account.user)} * {quote(account.password)} *\n" for account in accounts)
    written(folder, "options", options, 0o644)
    for name in ("pap-secrets", "chap-secrets"):
        written(folder, name, "".join(lines) if name == "pap-secrets" else "")
    return folder


def secret_is_in_no_argv(secret: Secret) -> bool:
    """Of every process there is."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes())
        except OSError:
            continue
    return not any(secret.password.encode() in words for words in found)


def addresses(network: NetworkNamespace, interface: str = "ppp0") -> list[str]:
    return network.addresses(interface)


def comes_up(network: NetworkNamespace, seconds: float = 30) -> str:
    """Wait for an address of PPP in a network; that."""
    eventually("an address of ppp0", lambda: addresses(network), seconds)
    return addresses(network)[0]


def goes_down(network: NetworkNamespace, seconds: float = 20) -> None:
    eventually("the end of ppp0", lambda: not addresses(network), seconds)


def sessions(far_end: FarEnd) -> int:
    """How many callers the gateway has."""
    return int(far_end.lig.ask("session_count"))


def idle(far_end: FarEnd) -> None:
    """Wait until every line of the gateway waits for its next call."""
    Gateway(far_end.lig).wait_idle()

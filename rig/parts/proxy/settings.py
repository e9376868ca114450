"""What squid and tinyproxy are told, for the same thing: whom they let where, and who has to say who it is."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from rig.config.destinations import HTTPS, Destinations
from rig.drivers.base.secret import Secret

REALM = "customer's proxy"
PLACES = {"squid": "/etc/squid", "tinyproxy": "/etc/tinyproxy"}
"""Where each sees its folder: squid becomes another user, who is let into no folder of the run's."""
SQUID_USER = "proxy"
"""Debian's; squid will not be root."""


@dataclass(frozen=True)
class ProxyPlan:
    """``address``, ``port``: where it listens; ``folder`` for its own files, which it sees at PLACES; ``account``: who
    may use it, anybody where there is none."""

    namespace: str
    address: IPv4Address
    port: int
    allowed: Destinations
    account: Secret | None
    folder: Path


def squid(plan: ProxyPlan) -> list[str]:
    """The arguments; its files are written. No cache, nothing on disk but in the folder."""
    place = PLACES["squid"]
    targets = "" if plan.allowed.anybody else f"acl servers dst {' '.join(map(str, plan.allowed.servers))}\n"
    known = ""
    if plan.account is not None:
        users = plan.folder / "users"
        _private(users, f"{plan.account.user}:{_hashed(plan.account)}\n")
        known = (
            f"auth_param basic program /usr/lib/squid/basic_ncsa_auth {place}/users\n"
            f"auth_param basic realm {REALM}\nauth_param basic children 1 startup=1 idle=1\n"
            "acl known proxy_auth REQUIRED\nhttp_access deny !known\n"
        )
    settings = plan.folder / "squid.conf"
    settings.write_text(
        f"http_port {plan.address}:{plan.port}\n"
        f"acl https port {HTTPS}\nacl CONNECT method CONNECT\n{targets}"
        f"{known}"
        "http_access deny !CONNECT\nhttp_access deny !https\n"
        + ("http_access allow all\n" if plan.allowed.anybody else "http_access allow servers\nhttp_access deny all\n")
        + "cache deny all\ncache_mem 1 MB\nmaximum_object_size_in_memory 0 KB\npid_filename none\n"
        f"access_log stdio:{place}/squid-access.log\ncache_log {place}/squid.log\n"
        f"coredump_dir {place}\nshutdown_lifetime 0 seconds\nvisible_hostname proxy\nforwarded_for off\n"
        f"cache_effective_user {SQUID_USER}\nnetdb_filename none\ndns_nameservers 127.0.0.1\nhosts_file none\n"
        "connect_timeout 5 seconds\npinger_enable off\n"
    )
    for file in (plan.folder, *plan.folder.iterdir()):
        shutil.chown(file, SQUID_USER)
    return ["-N", "-f", f"{place}/squid.conf"]


def _hashed(account: Secret) -> str:
    """As basic_ncsa_auth reads it: {SHA} is no longer known to it, an MD5 of user, realm and password neither; a plain
    MD5 in hexadecimal is (helpers/basic_auth/NCSA). The secret is this run's own."""
    return hashlib.md5(account.password.encode(), usedforsecurity=False).hexdigest()


def tinyproxy(plan: ProxyPlan) -> list[str]:
    """The same for tinyproxy."""
    place = PLACES["tinyproxy"]
    lines = [
        f"Port {plan.port}", f"Listen {plan.address}", "Timeout 120", "MaxClients 50", "LogLevel Connect",
        f'LogFile "{place}/tinyproxy.log"', f'PidFile "{place}/tinyproxy.pid"',
        f"ConnectPort {HTTPS}", "DisableViaHeader Yes",
    ]  # fmt: skip
    if plan.account is not None:
        lines.append(f"BasicAuth {plan.account.user} {plan.account.password}")
    if not plan.allowed.anybody:
        filter_file = plan.folder / "tinyproxy.filter"
        quoted = (str(server).replace(".", r"\.") for server in plan.allowed.servers)
        filter_file.write_text("".join(f"^{server}$\n" for server in quoted))
        lines += [f'Filter "{place}/tinyproxy.filter"', "FilterDefaultDeny Yes", "FilterExtended On"]
    settings = plan.folder / "tinyproxy.conf"
    _private(settings, "\n".join([*lines, ""]))
    return ["-d", "-c", f"{place}/tinyproxy.conf"]


def _private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)

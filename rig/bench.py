"""Bench files: TOML into frozen, typed structures; whatever is wrong names the file, the key and what it takes."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Literal

import msgspec

from drivers import profile
from drivers.errors import ConfigError, UsageError
from drivers.modem import check_number
from drivers.ports import FILTERS
from drivers.tables import Table, convert, read
from drivers.tls import TLSLITE_CIPHERS, TLSLITE_VERSIONS, Policy
from rig.fence import Fence

HW_CONFIG = Path(__file__).resolve().parent.parent / "hw-config"
LONGEST_WAIT = 1_000_000
"""Seconds, eleven days: poll(2) takes its milliseconds as an int."""
REGISTERED_RATES = range(300, 115201)


class FilterTable(Table, frozen=True):
    """Ports by what udev says of them; see ports.FILTERS."""

    vendor: str = ""
    model: str = ""
    serial: str = ""
    path: str = ""
    interface: str = ""
    link: str = ""

    @property
    def filters(self) -> dict[str, str]:
        """The udev properties asked for."""
        return {name: getattr(self, name) for name in FILTERS if getattr(self, name)}


class ModemTable(FilterTable, frozen=True):
    """The near end's modem: one of ``emulated``, ``port`` (a device path), ``url`` (pyserial), or udev filters.

    ``bus``: what an emulated one is on; ``speed`` of the port in bit/s, 0 for the profile's; ``profile``: a name
    of hw-config/modems, for a modem that is not recognised by what it says; ``init``: an AT command line of the
    user's own, sent after the rig's;
    ``carrier_wait`` in seconds (S7).
    """

    emulated: bool = False
    bus: Literal["pty", "usb"] = "pty"
    port: str = ""
    url: str = ""
    speed: int = 0
    profile: str = ""
    init: str = ""
    carrier_wait: int = 50


class SecretTable(Table, frozen=True):
    """Where a secret is: a file that its owner alone may read, or an environment variable."""

    file: str = ""
    environment: str = ""


class RemoteModemTable(Table, frozen=True):
    """A modem that an i5/OS partition lends over L2TP (§2.1.4.2). ``partition``: its address; ``secret`` of the
    tunnel, where there is one; ``timeout`` in seconds for its answers; ``hello``: after so many seconds of silence it
    is asked whether it is there.
    """

    partition: IPv4Address
    secret: Literal["none"] | SecretTable = "none"  # noqa: S105
    timeout: float = 20.0
    hello: float = 60.0


class PppTable(Table, frozen=True):
    """``timeout`` in seconds from CONNECT to IP up; ``options`` are pppd's own, added to the rig's."""

    timeout: float = 30.0
    options: tuple[str, ...] = ()


class AllowTable(Table, frozen=True):
    """Something that the customer lets in at the near end, on PPP as on every interface (the note of §2.1.1).

    ``ports``: one, or a range ("30000-30009"); none for ICMP.
    """

    protocol: Literal["tcp", "udp", "icmp"]
    ports: str = ""
    source: IPv4Network = IPv4Network("0.0.0.0/0")


class NearEndTable(Table, frozen=True):
    """``allow``: the near end's own firewall; without it, only what the near end opened comes back."""

    account: str = ""
    user_id: str = ""
    secret: Literal["generated"] | SecretTable = msgspec.field(default_factory=SecretTable)
    number: str = ""
    modem: ModemTable = msgspec.field(default_factory=ModemTable)
    ppp: PppTable = msgspec.field(default_factory=PppTable)
    allow: tuple[AllowTable, ...] = ()
    remote_modem: RemoteModemTable | None = None

    @property
    def user(self) -> str:
        """What PAP sends: account and user ID (the paper's §3.1)."""
        return f"{self.account}.{self.user_id}" if self.user_id else self.account


class NumberTable(Table, frozen=True):
    """A number of the emulated exchange; see exchange.Listing for the kinds that are no gateway."""

    number: str
    kind: Literal["lig", "modem", "busy", "no-answer", "voice"]
    lines: int = 1
    accounts: Literal["near-end", "none"] = "near-end"
    drop_after: int | None = None


class ExchangeTable(Table, frozen=True):
    """Seconds, and bit/s."""

    rate: Literal["instant"] | int = 33600
    setup: float = 1.0
    ring_every: float = 6.0
    training: float = 3.0
    patience: float = 10.0
    numbers: tuple[NumberTable, ...] = ()


class LigTable(Table, frozen=True):
    """The gateway that the rig stands in for: its own PPP address, the pool it assigns from, its utility services.

    ``modem``: the real modem that it answers, on a bench without an emulated exchange.
    """

    address: IPv4Address
    pool: IPv4Network
    name_servers: tuple[IPv4Address, ...]
    names: dict[str, IPv4Address] = msgspec.field(default_factory=dict)
    modem: ModemTable | None = None


class I5osTable(Table, frozen=True):
    """The i5/OS partition that the rig stands in for: how many ``modems`` it lends, and ``numbers`` that may be
    dialled, as patterns. The Ethernet to it: ``delay`` in milliseconds each way, ``loss`` and ``reorder`` in percent.
    """

    modems: int = 1
    numbers: tuple[str, ...] = ("*",)
    delay: float = 0.0
    loss: float = 0.0
    reorder: float = 0.0


class PartitionTable(Table, frozen=True):
    """A logical partition of the managed system. ``address``: the alternate one at which an inbound call reaches it,
    where it is ``allowed`` to."""

    name: str
    address: IPv4Address
    allowed: bool = True


class InboundTable(Table, frozen=True):
    """What an inbound call may do (§2.2.1).

    ``ppp_address``: the value of the panel's field, and the near end's own address; ``remote``: the caller's.
    ``key``: what the one-time credentials are derived from; ``account``: what they are on a device that derives them
    otherwise, and then ``key`` is its secret. ``console``: whether the ports of §5.3 are open. Times in seconds:
    ``waiting`` for the call, ``authentication``, ``idle``, ``total``. ``rings`` before it is answered; ``answer``: by
    ATA, or by the modem itself, S0.
    """

    ppp_address: IPv4Address
    remote: IPv4Address
    key: Literal["generated"] | SecretTable = msgspec.field(default_factory=SecretTable)
    account: str = ""
    auth: Literal["pap", "chap"] = "pap"
    console: bool = False
    rings: int = 1
    answer: Literal["ata", "s0"] = "ata"
    waiting: float = 3600.0
    authentication: float = 30.0
    idle: int = 600
    total: int = 14400
    partitions: tuple[PartitionTable, ...] = ()


class HostsTable(Table, frozen=True):
    """The service hosts that the rig stands in for. ``tls``: as whom they speak it, a name of hw-config/tls."""

    tls: Literal["today", "paper-2007"] = "today"


class ExpectTable(Table, frozen=True):
    """What the checks hold the gateway to; a check whose key is not given is reported as not run.

    ``ca``: a PEM file with whom the servers' certificates must be signed by; ``tls``: what of it is acceptable, a
    name of hw-config/tls or the path of a file.
    """

    pool: IPv4Network | None = None
    name: str = ""
    name_address: IPv4Address | None = None
    unauthorized_host: IPv4Address | None = None
    ca: str = ""
    tls: str = "today"


class Bench(Table, frozen=True):
    """A whole bench. ``name`` and ``folder`` are the file's own, not keys in it.

    ``vpn``: whether the gateway lets a caller speak to the VPN servers of §5.2 (a VPN over the modem, §2.2.2).
    """

    name: str = ""
    folder: str = ""
    description: str = ""
    extends: str = ""
    region: str = "americas"
    fence: str = "hmc-2007"
    vpn: bool = False
    near_end: NearEndTable = msgspec.field(default_factory=NearEndTable)
    exchange: ExchangeTable | None = None
    lig: LigTable | None = None
    inbound: InboundTable | None = None
    i5os: I5osTable | None = None
    hosts: HostsTable = msgspec.field(default_factory=HostsTable)
    expect: ExpectTable = msgspec.field(default_factory=ExpectTable)
    untouched: tuple[FilterTable, ...] = ()

    @property
    def emulated(self) -> bool:
        return self.near_end.modem.emulated


class FenceFile(Table, frozen=True):
    """A fence file: addresses by region, each table with the paper's section."""

    source: str
    servers: dict[str, tuple[IPv4Address, ...]]
    vpn: dict[str, tuple[IPv4Address, ...]] = msgspec.field(default_factory=dict)
    inbound: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both_tables = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both_tables else value
    return merged


def find(name: str) -> Path:
    """The file of a bench: a path, or a name in hw-config/benches."""
    if "/" in name or name.endswith(".toml"):
        return Path(name)
    shipped = HW_CONFIG / "benches" / f"{name}.toml"
    if not shipped.exists():
        known = sorted(path.stem for path in shipped.parent.glob("*.toml"))
        raise ConfigError(f"there is no bench {name!r}", f"one of {', '.join(known)}, or the path of a file")
    return shipped


def _with_base(path: Path, depth: int = 0) -> dict[str, Any]:
    data = read(path)
    base = data.get("extends")
    if not base:
        return data
    if depth > 8 or not isinstance(base, str):
        raise ConfigError(f"{path}: key 'extends': benches extend each other in a circle")
    beside = path.parent / f"{base}.toml"
    return _merge(_with_base(beside if beside.exists() else find(base), depth + 1), data)


def load(name: str) -> Bench:
    """The bench of a name or file. Raises ConfigError."""
    path = find(name)
    data = _with_base(path)
    for reserved in ("name", "folder"):
        if reserved in data:
            raise ConfigError(f"{path}: unknown key {reserved!r}; a bench's name is its file's")
    bench: Bench = convert(path, data | {"name": path.stem, "folder": str(path.resolve().parent)}, Bench)
    _validate(path, bench)
    return bench


def _validate(path: Path, bench: Bench) -> None:
    """What types alone cannot say."""

    def wrong(key: str, what: str) -> ConfigError:
        return ConfigError(f"{path}: key {key!r}: {what}")

    modem = bench.near_end.modem
    _validate_modem(modem, "near-end.modem", wrong)
    if bench.lig is not None and bench.lig.modem is not None:
        _validate_modem(bench.lig.modem, "lig.modem", wrong)
    if bench.lig is not None and (bench.lig.modem is None) == (bench.exchange is None):
        raise wrong("lig", "it answers either the emulated [exchange] or one real modem, [lig.modem]")
    if modem.emulated and (bench.exchange is None or bench.lig is None):
        raise wrong("near-end.modem.emulated", "an emulated modem needs the tables [exchange] and [lig]")
    if bench.near_end.secret == "generated" and bench.lig is None:  # noqa: S105
        raise wrong("near-end.secret", "a real gateway does not know a generated secret; name a file or a variable")
    _validate_allow(bench.near_end.allow, wrong)
    if bench.near_end.ppp.timeout <= 0:
        raise wrong("near-end.ppp.timeout", "it takes a number of seconds above 0")
    if bench.exchange is not None:
        _validate_exchange(bench.exchange, wrong)
        if not modem.emulated:
            raise wrong("exchange", "a real modem is not on it; near-end.modem.emulated = true is")
    if bench.lig is not None and bench.lig.pool.num_addresses < 4:
        raise wrong("lig.pool", "it takes a network of at least four addresses")
    if bench.inbound is not None:
        _validate_inbound(bench.inbound, bench.lig is None, wrong)
    load_fence(bench)
    load_tls_policy(bench)


def _validate_inbound(inbound: InboundTable, real: bool, wrong: Any) -> None:
    addresses = [inbound.ppp_address, inbound.remote, *(partition.address for partition in inbound.partitions)]
    if len(set(addresses)) < len(addresses):
        raise wrong("inbound", "ppp-address, remote and each partition's address must differ")
    names = [partition.name for partition in inbound.partitions]
    if len(set(names)) < len(names) or not all(re.fullmatch(r"[a-z0-9-]{1,10}", name) for name in names):
        raise wrong("inbound.partitions.name", "it takes up to ten of a-z, 0-9 and -, each name once")
    if not 1 <= inbound.rings <= 20:
        raise wrong("inbound.rings", "it takes 1 to 20")
    for name in ("waiting", "authentication", "idle", "total"):
        if not 0 < getattr(inbound, name) <= LONGEST_WAIT:
            raise wrong(f"inbound.{name}", f"it takes a number of seconds above 0, up to {LONGEST_WAIT}")
    if inbound.key == "generated" and real:
        raise wrong("inbound.key", "a caller from outside does not know a generated key; name a file or a variable")


def _validate_modem(modem: ModemTable, key: str, wrong: Any) -> None:
    ways = [bool(modem.emulated), bool(modem.port), bool(modem.url), bool(modem.filters)]
    if sum(ways) > 1:
        raise wrong(key, "name the modem one way: emulated, port, url, or udev properties")
    if modem.profile:
        try:
            profile.named(modem.profile)
        except UsageError as error:
            raise wrong(f"{key}.profile", f"{error}; {error.advice}") from None
    if not 1 <= modem.carrier_wait <= 255:
        raise wrong(f"{key}.carrier-wait", "it takes 1 to 255 seconds (S7)")


def _validate_exchange(exchange: ExchangeTable, wrong: Any) -> None:
    if exchange.rate != "instant" and exchange.rate not in REGISTERED_RATES:
        raise wrong("exchange.rate", 'it takes 300 to 115200 bit/s, or "instant"')
    for name in ("setup", "ring_every", "training", "patience"):
        if not 0 <= getattr(exchange, name) <= 600:
            raise wrong(f"exchange.{name.replace('_', '-')}", "it takes 0 to 600 seconds")
    for entry in exchange.numbers:
        try:
            check_number(entry.number)
        except UsageError as error:
            raise wrong("exchange.numbers.number", str(error)) from None
        if not 1 <= entry.lines <= 64:
            raise wrong("exchange.numbers.lines", "it takes 1 to 64")


def port_range(text: str) -> range:
    """The ports of "22" or "30000-30009". Raises ValueError, which says what it takes."""
    first, dash, last = text.partition("-")
    try:
        ports = range(int(first), int(last if dash else first) + 1)
    except ValueError:
        ports = range(0)
    if not ports or ports[0] < 1 or ports[-1] > 65535:
        raise ValueError(f"{text!r}: it takes a port from 1 to 65535, or two with a dash between them")
    return ports


def _validate_allow(allowed: tuple[AllowTable, ...], wrong: Any) -> None:
    for entry in allowed:
        if (entry.protocol == "icmp") == bool(entry.ports):
            raise wrong("near-end.allow.ports", 'tcp and udp take a port or a range, "22" or "30000-30009"; icmp none')
        try:
            if entry.ports:
                port_range(entry.ports)
        except ValueError as error:
            raise wrong("near-end.allow.ports", str(error)) from None


def load_fence_file(name: str) -> FenceFile:
    path = Path(name) if "/" in name else HW_CONFIG / "fences" / f"{name}.toml"
    fence: FenceFile = convert(path, read(path), FenceFile)
    for key, ports in fence.inbound.items():
        for text in ports:
            try:
                port_range(text)
            except ValueError as error:
                raise ConfigError(f"{path}: key 'inbound.{key}': {error}") from None
    return fence


def load_fence(bench: Bench) -> Fence:
    """The fence that a bench's gateway is held to."""
    file = load_fence_file(bench.fence)
    if bench.region not in file.servers:
        where = Path(bench.folder) / f"{bench.name}.toml"
        raise ConfigError(f"{where}: key 'region': it takes {' or '.join(map(repr, file.servers))}")
    return Fence(
        file.servers[bench.region],
        bench.lig.name_servers if bench.lig else (),
        file.vpn.get("servers", ()),
        bench.vpn,
        tuple(port_range(text) for ports in file.inbound.values() for text in ports),
    )


def load_tls_policy(bench: Bench) -> Policy:
    """What TLS a bench accepts. Raises ConfigError."""
    name = bench.expect.tls
    path = Path(name) if "/" in name else HW_CONFIG / "tls" / f"{name}.toml"
    policy: Policy = convert(path, read(path), Policy)
    unknown = [version for version in policy.versions if version not in TLSLITE_VERSIONS]
    if unknown or not (policy.versions and policy.ciphers and policy.keys):
        takes = f"some of {', '.join(TLSLITE_VERSIONS)}"
        raise ConfigError(f"{path}: key 'versions': it takes {takes}; 'ciphers' and 'keys' may not be empty")
    if policy.spoken_by == "tlslite-ng" and not set(policy.ciphers) <= set(TLSLITE_CIPHERS):
        raise ConfigError(f"{path}: key 'ciphers': with tlslite-ng it takes {', '.join(TLSLITE_CIPHERS)}")
    return policy

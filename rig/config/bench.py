"""What a bench file says, as frozen, typed structures; bench_files.py reads them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Literal

import msgspec

from rig.drivers.base.tables import Table
from rig.drivers.faults.messages import Kind, kind_of
from rig.drivers.faults.rule import Action, Rule, parse
from rig.drivers.modem.number import Number
from rig.drivers.serial.ports import FILTERS
from rig.drivers.sound.impairments import Impairments


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
    is asked whether it is there. For a partition that is not the rig's own: the network ``interface`` towards it,
    which the near end takes for the run, and the near end's ``address`` there, with its prefix length.
    """

    partition: IPv4Address
    interface: str = ""
    address: IPv4Interface | None = None
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
    """``number`` of its own telephone line; ``allow``: its own firewall; without it, only what the near end opened
    comes back."""

    account: str = ""
    user_id: str = ""
    secret: Literal["generated"] | SecretTable = msgspec.field(default_factory=SecretTable)
    number: Number | None = None
    modem: ModemTable = msgspec.field(default_factory=ModemTable)
    ppp: PppTable = msgspec.field(default_factory=PppTable)
    allow: tuple[AllowTable, ...] = ()
    remote_modem: RemoteModemTable | None = None

    @property
    def user(self) -> str:
        """What PAP sends: account and user ID (the paper's §3.1)."""
        return f"{self.account}.{self.user_id}" if self.user_id else self.account


class NumberTable(Table, frozen=True):
    """A number of the emulated exchange; see exchange.Listing for the kinds that are no gateway. ``manner``: of one
    that is ``misbehaving``, by its name in drivers/ppp/misbehaving."""

    number: Number
    kind: Literal["lig", "modem", "misbehaving", "busy", "no-answer", "voice"]
    lines: int = 1
    accounts: Literal["near-end", "none"] = "near-end"
    drop_after: int | None = None
    manner: str = ""


class SoundCardTable(Table, frozen=True):
    """The near end's telephone line led out through a sound card, to a real modem. ``device``: its name, part of it, or
    its number, as ``python3 -m sounddevice`` lists them; the default one if there is none. ``louder_in`` and
    ``louder_out``: dB by which what it hears, and what it plays, is made louder; its full scale is 3.14 dBm0."""

    device: str = ""
    louder_in: float = 0.0
    louder_out: float = 0.0


class ExchangeTable(Table, frozen=True):
    """Seconds, and bit/s. ``line``: what it carries, bytes as they are, or sound, in which modems hear each other; then
    ``rate`` is the fastest that they try, ``training`` is theirs, ``pace`` says whether the line's time is the world's
    or passes as fast as the machine can make sound, and ``impairments`` are the line's; ``sound_card``: by which the
    near end's line leads outside, to a real modem, and whose pace is the line's time."""

    line: Literal["wired", "analogue"] = "wired"
    pace: Literal["real", "instant"] = "real"
    impairments: Impairments = Impairments()
    sound_card: SoundCardTable | None = None
    rate: Literal["instant"] | int = 33600
    setup: float = 1.0
    ring_every: float = 6.0
    training: float = 3.0
    patience: float = 10.0
    numbers: tuple[NumberTable, ...] = ()


class LigTable(Table, frozen=True):
    """The gateway that the rig stands in for: its own PPP address, the pool it assigns from, its utility services.

    ``modem``: the real modem that it answers, on a bench without an emulated exchange. ``broken``: on purpose, in one
    of the ways of rig.parts.fence_mutants, to see that it is found; ``manner``: what answers that modem is no gateway,
    but a PPP peer that misbehaves, by its name in drivers/ppp/misbehaving. ``patience``: seconds that a caller
    may take from his call to his address.
    """

    address: IPv4Address
    pool: IPv4Network
    name_servers: tuple[IPv4Address, ...]
    names: dict[str, IPv4Address] = msgspec.field(default_factory=dict)
    modem: ModemTable | None = None
    broken: str = ""
    manner: str = ""
    patience: float = 60.0


class I5osTable(Table, frozen=True):
    """The i5/OS partition that the rig stands in for: how many ``modems`` of the emulated exchange it lends, or
    which real ones, each a table ``modem``; ``numbers`` that may be dialled, as patterns. The Ethernet to it: ``delay``
    in milliseconds each way, ``loss`` and ``reorder`` in percent.

    For a device under test: the network ``interface`` that it is reached by, and the partition's ``address`` there,
    with its prefix length; the ``peers`` that may have a tunnel, and the ``secret`` of it, where there is one.
    """

    modems: int = 1
    modem: tuple[ModemTable, ...] = ()
    interface: str = ""
    address: IPv4Interface | None = None
    peers: tuple[IPv4Address, ...] = ()
    secret: Literal["none"] | SecretTable = "none"  # noqa: S105
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


class InternetTable(Table, frozen=True):
    """The customer's network (§2.1.2): a router between the console and the Internet, which the rig stands in for.

    ``console``: the console's address there, with its prefix length; ``router``: the router's own; ``outside``: the
    router's address towards the Internet, by which the servers see the console: ``masking`` by it as a ``fixed`` one,
    by ``masquerade``, or ``none``. ``limited``: whether only the region's servers may be reached, or anybody on TCP
    443. ``local_network``: the console's address on a second network card, which leads to the systems it manages.

    ``interface``: this machine's network interface at which a device under test is, which is the console then.
    ``broken``: on purpose, in one of the ways of rig.parts.router.mutants.
    """

    console: IPv4Interface
    router: IPv4Address
    outside: IPv4Interface
    masking: Literal["fixed", "masquerade", "none"] = "fixed"
    limited: bool = True
    local_network: IPv4Interface | None = None
    interface: str = ""
    broken: str = ""


class ProxyTable(Table, frozen=True):
    """The proxy between the console and the router of [internet] (§2.1.2.2), a real one that the rig runs.

    ``address``: its machine's own towards the router, with its prefix length; towards the console it is
    [internet] ``router``. ``limited``: whether it lets nobody beyond the region's servers. ``account`` and ``secret``:
    who may use it, anybody where there is none; ``credentials``: whether the console sends them before it is asked.
    """

    address: IPv4Interface
    engine: Literal["squid", "tinyproxy"] = "squid"
    port: int = 3128
    limited: bool = True
    account: str = ""
    secret: Literal["generated"] | SecretTable = "generated"  # noqa: S105
    credentials: Literal["when-asked", "first"] = "when-asked"


class VpnTable(Table, frozen=True):
    """A VPN over [internet] (§2.1.3), to a gateway that the rig stands in for: ``server``, an address of §5.2;
    ``secret`` shared with it; ``account`` and ``chap``: what PPP says by CHAP; ``policy``: what is offered and taken,
    as the paper has it or as of today; ``own`` of the gateway's LNS, ``pool``: its callers'. Seconds: new keys after
    ``rekey``, drawn from it and ``rekey_spread`` less (§3.3: around every 30 minutes), the old ones end after
    ``lifetime``; a peer that is silent for ``silence`` is asked whether it is there, and given up after ``patience``;
    ``timeout`` for IKE, and for each answer of the LNS behind it.

    ``interface``: this machine's network interface by which a gateway is reached that is a device under test. The
    console of [internet] stands there, and its ``router``, where the gateway has no address of that network.
    """

    server: IPv4Address
    secret: Literal["generated"] | SecretTable = "generated"  # noqa: S105
    account: str = "HMCACCT"
    chap: Literal["generated"] | SecretTable = "generated"
    policy: Literal["paper-2007", "today"] = "paper-2007"
    rekey: int = 1980
    rekey_spread: int = 360
    lifetime: int = 2400
    silence: int = 30
    patience: int = 90
    timeout: float = 20.0
    own: IPv4Address = IPv4Address("198.51.100.65")
    pool: IPv4Network = IPv4Network("198.51.100.72/29")
    interface: str = ""


class ConsoleTable(Table, frozen=True):
    """One of a customer's consoles (§5.4). ``on``: the subnets, by name, that its network cards are on, eth0 the first;
    ``looks-on``: the cards on which it looks for others, all where none is named; ``systems`` that it manages;
    ``server``: whether it calls home for others."""

    name: str
    on: tuple[str, ...]
    looks_on: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    server: bool = False

    @property
    def cards(self) -> tuple[str, ...]:
        """Its network cards, in their order."""
        return tuple(f"eth{at}" for at in range(len(self.on)))

    @property
    def looking(self) -> tuple[str, ...]:
        """Those on which it looks for others."""
        return self.looks_on or self.cards


class SystemTable(Table, frozen=True):
    """A managed system, through which the consoles that manage it find each other. ``on``: its subnets."""

    name: str
    on: tuple[str, ...]


class ConsoleDeviceTable(Table, frozen=True):
    """A console that is a device under test, on the network at this machine's ``interface``, where the rig is another
    console, at ``address``. ``name``: what the device calls itself; ``secret``: what its customer's consoles share."""

    name: str
    interface: str
    address: IPv4Interface
    secret: SecretTable = msgspec.field(default_factory=SecretTable)


class ConsolesTable(Table, frozen=True):
    """Consoles beside each other (§5.4.1), or one beside a ``device`` under test. ``every``: seconds between two
    announcements."""

    console: tuple[ConsoleTable, ...] = ()
    system: tuple[SystemTable, ...] = ()
    every: float = 5.0
    device: ConsoleDeviceTable | None = None


class FaultsTable(Table, frozen=True):
    """What is done on their way to control messages of PPP, on the emulated [exchange]; of L2TP, on the cable to
    [i5os]; and of IKE, on that to [internet]'s router: each a message, or several; see rig.drivers.faults.rule."""

    drop: str | tuple[str, ...] = ()
    duplicate: str | tuple[str, ...] = ()
    replay: str | tuple[str, ...] = ()
    delay: str | tuple[str, ...] = ()
    corrupt: str | tuple[str, ...] = ()

    def written(self) -> Iterator[tuple[Action, str]]:
        """Each, as it is written, and what is to be done."""
        for action in Action:
            texts: str | tuple[str, ...] = getattr(self, action.value)
            yield from ((action, text) for text in ((texts,) if isinstance(texts, str) else texts))

    def rules(self, *kinds: Kind) -> tuple[Rule, ...]:
        """Those about messages of some kinds, in an order that is no matter. Raises ValueError for one that is none."""
        found = (parse(action, text) for action, text in self.written())
        return tuple(rule for rule in found if kind_of(rule.message) in kinds)


class HostsTable(Table, frozen=True):
    """The service hosts that the rig stands in for. ``tls``: as whom they speak it, a name of hw-config/tls;
    ``broken``: their service centre, on purpose, in one of the ways of rig.parts.service_centre.faults."""

    tls: Literal["today", "paper-2007"] = "today"
    broken: str = ""


class CallHomeTable(Table, frozen=True):
    """What is sent (§4). ``catalogue`` of its files and reasons: a name of hw-config/call-home, or the path of a
    file; ``forbidden``: a file of patterns that may be in nothing that is sent, beside the bench's own."""

    catalogue: str = "hmc-2007"
    forbidden: str = ""


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
    internet: InternetTable | None = None
    proxy: ProxyTable | None = None
    vpn_gateway: VpnTable | None = None
    faults: FaultsTable = msgspec.field(default_factory=FaultsTable)
    hosts: HostsTable = msgspec.field(default_factory=HostsTable)
    call_home: CallHomeTable = msgspec.field(default_factory=CallHomeTable)
    consoles: ConsolesTable | None = None
    expect: ExpectTable = msgspec.field(default_factory=ExpectTable)
    untouched: tuple[FilterTable, ...] = ()

    @property
    def gateway_number(self) -> Number | None:
        """The emulated LIG's; None where only the user knows the gateway's."""
        listed = self.exchange.numbers if self.exchange else ()
        return next((entry.number for entry in listed if entry.kind == "lig"), None)

    @property
    def instant(self) -> bool:
        """Whether its telephone lines are emulated ones whose time is not the world's: a rate says nothing then."""
        if self.exchange is None or self.exchange.sound_card is not None:
            return False
        return self.exchange.rate == "instant" or (self.exchange.line, self.exchange.pace) == ("analogue", "instant")

    @property
    def dials(self) -> bool:
        """Whether its way home is a modem's, of its own or borrowed."""
        return self.internet is None and (self.consoles is None or self.lig is not None)

    @property
    def usb(self) -> bool:
        """Whether its modem is on a software USB device."""
        return self.near_end.modem.bus == "usb"

    @property
    def emulated(self) -> bool:
        """Whether nothing of it is real: no modem, and no network interface."""
        if self.consoles is not None:
            return self.consoles.device is None
        interfaces = [each.interface for each in (self.i5os, self.near_end.remote_modem) if each is not None]
        if self.internet is not None:
            return not self.internet.interface and not (self.vpn_gateway and self.vpn_gateway.interface)
        return self.near_end.modem.emulated and not any(interfaces)


class FenceFile(Table, frozen=True):
    """A fence file: addresses by region, each table with the paper's section."""

    source: str
    servers: dict[str, tuple[IPv4Address, ...]]
    vpn: dict[str, tuple[IPv4Address, ...]] = msgspec.field(default_factory=dict)
    inbound: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

"""Bench files read and validated: whatever is wrong names the file, the key and what it takes."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from rig.config import broken, profiles
from rig.config.bench import (
    AllowTable,
    Bench,
    ConsolesTable,
    ConsoleTable,
    ExchangeTable,
    FenceFile,
    InboundTable,
    InternetTable,
    ModemTable,
    ProxyTable,
    SecretTable,
    SystemTable,
    VpnTable,
)
from rig.config.destinations import EVERY_VPN_SERVICE, Destinations
from rig.config.shipped import HW_CONFIG
from rig.drivers.base.errors import ConfigError, UsageError
from rig.drivers.base.tables import convert, read
from rig.drivers.faults.messages import Kind, kind_of
from rig.drivers.faults.rule import parse
from rig.drivers.sound.impairments import Impairments
from rig.drivers.tls.policy import TLSLITE_CIPHERS, TLSLITE_VERSIONS, Policy

LONGEST_WAIT = 1_000_000
"""Seconds, eleven days: poll(2) takes its milliseconds as an int."""
MOST_CONSOLES = 16
REGISTERED_RATES = range(300, 115201)
ANALOGUE_RATES = (300, 1200, 2400)


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


DEFAULT = "default"


def load_or_default(name: str) -> Bench:
    """The bench of a name or file; DEFAULT is one of nothing but the modem that udev finds. Raises ConfigError."""
    return Bench(name=DEFAULT) if name == DEFAULT else load(name)


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
        _validate_real_modem(bench.lig.modem, "lig.modem", wrong)
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
        _validate_sound_card(bench, bench.exchange, wrong)
    if bench.lig is not None and bench.lig.broken not in ("", *broken.LIG):
        raise wrong("lig.broken", f"it takes {', '.join(broken.LIG)}")
    if bench.lig is not None and bench.lig.patience <= 0:
        raise wrong("lig.patience", "it takes more than 0 seconds, which a caller has until he has an address")
    if bench.lig is not None and bench.lig.manner:
        if bench.lig.modem is None:
            raise wrong("lig.manner", "it is for the modem of lig.modem; of an exchange each number has its own")
        if bench.lig.manner not in broken.MANNERS:
            raise wrong("lig.manner", f"it takes {', '.join(broken.MANNERS)}")
    for number in bench.exchange.numbers if bench.exchange is not None else ():
        misbehaves = number.kind == "misbehaving"
        if misbehaves != bool(number.manner) or number.manner not in ("", *broken.MANNERS):
            fault = "" if misbehaves else f'{number.number} is not of the kind "misbehaving", which alone has one: '
            raise wrong("exchange.numbers.manner", f"{fault}it takes {', '.join(broken.MANNERS)}")
    if bench.lig is not None and bench.lig.pool.num_addresses < 4:
        raise wrong("lig.pool", "it takes a network of at least four addresses")
    _validate_remote_modem(bench, wrong)
    if bench.internet is not None:
        _validate_internet(bench, bench.internet, wrong)
    if bench.vpn_gateway is not None:
        _validate_vpn(bench, bench.vpn_gateway, wrong)
    if bench.proxy is not None:
        _validate_proxy(bench.proxy, bench.internet, wrong)
    if bench.inbound is not None:
        _validate_inbound(bench.inbound, bench.lig is None and bench.vpn_gateway is None, wrong)
        if bench.exchange is not None and bench.near_end.number is None:
            raise wrong("near-end.number", "it is missing: who is on the emulated [exchange] has a number to call")
    if bench.consoles is not None:
        _validate_consoles(bench, bench.consoles, wrong)
    _validate_faults(bench, wrong)
    if bench.hosts.broken not in ("", *broken.CENTRE):
        raise wrong("hosts.broken", f"it takes {', '.join(broken.CENTRE)}")
    load_destinations(bench)
    load_tls_policy(bench)


def _validate_faults(bench: Bench, wrong: Any) -> None:
    passes = {
        Kind.PPP: (
            bench.exchange is not None and bench.consoles is None and bench.exchange.sound_card is None,
            "an emulated [exchange], which its calls go over as bytes that the rig has",
        ),
        Kind.L2TP: (bench.i5os is not None, "an [i5os], whose cable its messages go over"),
        Kind.IKE: (
            bench.vpn_gateway is not None and bench.internet is not None and not bench.vpn_gateway.interface,
            "a [vpn-gateway] over [internet], whose router's cable its messages go over",
        ),
    }
    for action, text in bench.faults.written():
        try:
            kind = kind_of(parse(action, text).message)
        except ValueError as error:
            raise wrong(f"faults.{action.value}", str(error)) from None
        there, what = passes[kind]
        if not there:
            raise wrong(f"faults.{action.value}", f"{text!r} is {kind.value}, which takes {what}")


def _validate_remote_modem(bench: Bench, wrong: Any) -> None:
    remote, table = bench.near_end.remote_modem, bench.i5os
    for key, place in (("near-end.remote-modem", remote), ("i5os", table)):
        if place is not None and bool(place.interface) != (place.address is not None):
            raise wrong(f"{key}.interface", "it goes with the key address, for example 192.0.2.1/24, and not without")
    if remote is not None and (table is None) != bool(remote.interface):
        raise wrong(
            "near-end.remote-modem", "it takes either [i5os], the rig's own partition, or interface and address"
        )
    if table is None:
        return
    if remote is None and not (table.interface and table.peers):
        raise wrong(
            "i5os",
            "for a device under test it takes interface, address and peers; to lend a modem to the near end, the "
            "bench takes near-end.remote-modem",
        )
    if remote is not None and (table.interface or table.peers):
        raise wrong("i5os", "interface and peers are for a device under test, in the place of near-end.remote-modem")
    for entry in table.modem:
        _validate_real_modem(entry, "i5os.modem", wrong)
    hops = bench.vpn_gateway is not None
    if (bench.exchange is None) != bool(table.modem) and not hops:
        raise wrong("i5os", "its modems are on the emulated [exchange], or are real ones: [[i5os.modem]]")
    if not 1 <= table.modems <= 64 and not (hops and table.modems == 0):
        raise wrong("i5os.modems", "it takes 1 to 64")
    for name, most in (("delay", 10_000), ("loss", 100), ("reorder", 100)):
        if not 0 <= getattr(table, name) <= most:
            raise wrong(f"i5os.{name}", f"it takes 0 to {most}")


def _validate_internet(bench: Bench, internet: InternetTable, wrong: Any) -> None:
    others = ("lig", bench.lig), ("exchange", bench.exchange), ("i5os", bench.i5os), ("inbound", bench.inbound)
    hops = bench.vpn_gateway is not None  # a partition may make the VPN, a representative may come through it
    for name, table in (*others, ("near-end.remote-modem", bench.near_end.remote_modem)):
        if table is not None and not (hops and name in ("i5os", "inbound", "near-end.remote-modem")):
            raise wrong(name, "a bench has one way home: the tables of a modem, or [internet]")
    network = internet.console.network
    for name, address in (("console", internet.console), ("outside", internet.outside)):
        if not _is_a_host(address):
            raise wrong(f"internet.{name}", f"it takes a machine's address, which {address} is not")
    if internet.router not in network or internet.router == internet.console.ip:
        raise wrong("internet.router", f"it takes another address of the console's network, {network}")
    if internet.outside.ip in network or internet.outside.network.num_addresses < 4:
        raise wrong("internet.outside", "it takes an address outside the console's network, and its prefix length")
    local = internet.local_network
    if local is not None and (
        not _is_a_host(local) or local.network.overlaps(network) or local.network.num_addresses < 4
    ):
        raise wrong("internet.local-network", f"it takes an address of a network apart from {network}")
    ways = broken.ROUTER_OF_A_VPN if bench.vpn_gateway is not None else broken.ROUTER
    if internet.broken not in ("", *ways):
        raise wrong("internet.broken", f"it takes {', '.join(ways)}")


def _is_a_host(address: IPv4Interface) -> bool:
    """Whether it is one that a machine can have: not the network's own, nor that of all."""
    network = address.network
    return network.num_addresses >= 4 and address.ip not in (network.network_address, network.broadcast_address)


def _validate_proxy(proxy: ProxyTable, internet: InternetTable | None, wrong: Any) -> None:
    if internet is None:
        raise wrong("proxy", "it stands between the console and the router of the table [internet], which is missing")
    network = proxy.address.network
    if network.num_addresses < 4 or network.overlaps(internet.console.network):
        raise wrong("proxy.address", f"it takes an address of a network apart from {internet.console.network}")
    if not 1 <= proxy.port <= 65535:
        raise wrong("proxy.port", "it takes 1 to 65535")
    if not _is_a_host(proxy.address):
        raise wrong("proxy.address", f"it takes a machine's address, which {proxy.address} is not")
    if isinstance(proxy.secret, SecretTable) and not proxy.account:
        raise wrong("proxy.account", 'it goes with the key secret, for example "hmc"; without it the proxy asks nobody')
    if set(proxy.account) & set(": \t") or not proxy.account.isprintable():
        raise wrong("proxy.account", "it takes a name without blanks and colons (RFC 2617 §2)")


def _validate_vpn(bench: Bench, vpn: VpnTable, wrong: Any) -> None:
    if bench.proxy is not None or (bench.internet is None and bench.lig is None):
        raise wrong("vpn-gateway", "it is reached over the table [internet], or [lig], and not through a [proxy]")
    if bench.internet is None and not bench.vpn:
        raise wrong("vpn", "it takes true: the LIG's fence must let the VPN through to reach [vpn-gateway]")
    known = load_destinations(bench).vpn_servers
    if vpn.server not in known:
        raise wrong("vpn-gateway.server", f"it takes an address of §5.2: {', '.join(map(str, known))}")
    if not 0 <= vpn.rekey_spread < vpn.rekey < vpn.lifetime:
        raise wrong("vpn-gateway.rekey", "it takes seconds, more than rekey-spread and fewer than lifetime")
    if vpn.interface:
        _validate_vpn_device(bench, vpn, wrong)
    if not 1 <= vpn.silence < vpn.patience:
        raise wrong("vpn-gateway.silence", "it takes seconds, fewer than patience")
    if vpn.own in vpn.pool or vpn.pool.num_addresses < 4:
        raise wrong("vpn-gateway.pool", "it takes a network of at least four addresses, which own is not of")


def _validate_vpn_device(bench: Bench, vpn: VpnTable, wrong: Any) -> None:
    """A gateway that is a device under test, at an interface of this machine's."""
    if bench.internet is None or bench.internet.interface:
        raise wrong(
            "vpn-gateway.interface", "it takes [internet] for the console's address, without an interface there"
        )
    for name, table in (("inbound", bench.inbound), ("near-end.remote-modem", bench.near_end.remote_modem)):
        if table is not None:
            raise wrong(name, "it goes with the rig's own VPN gateway, and not with a device at vpn-gateway.interface")
    for key, secret in (("secret", vpn.secret), ("chap", vpn.chap)):
        if secret == "generated":  # noqa: S105 - the bench's word
            raise wrong(f"vpn-gateway.{key}", "a device does not know a generated secret; name a file or a variable")


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


def _validate_consoles(bench: Bench, table: ConsolesTable, wrong: Any) -> None:
    others = ("internet", bench.internet), ("inbound", bench.inbound), ("i5os", bench.i5os)
    for name, other in others:
        if other is not None:
            raise wrong(name, "[consoles] beside each other call home by the emulated modems of a [lig] and [exchange]")
    if bench.lig is not None:
        if bench.gateway_number is None:
            raise wrong("exchange.numbers", "a gateway's number is missing, which call-home servers dial")
        if len({one.server for one in table.console}) == 1:
            raise wrong("consoles.console.server", "beside a [lig], some call home, for some that do not")
        if own := [one.name for one in table.console if one.name in ("lig", "ibm")]:
            raise wrong("consoles.console.name", f"{own[0]} is what the gateway's side is called here")
    if not 0.5 <= table.every <= 60:
        raise wrong("consoles.every", "it takes 0.5 to 60 seconds")
    if table.device is not None:
        if table.console or table.system or bench.lig is not None:
            raise wrong("consoles.device", "the rig is one console beside it: there are no others, and no gateway")
        return
    all_of_them: tuple[ConsoleTable | SystemTable, ...] = (*table.console, *table.system)
    names = [one.name for one in all_of_them]
    if len(set(names)) < len(names) or not all(re.fullmatch(r"[a-z0-9-]{1,8}", name) for name in names):
        raise wrong("consoles.console.name", "it takes up to eight of a-z, 0-9 and -, each name once")
    if not 2 <= len(table.console) <= MOST_CONSOLES:
        raise wrong("consoles.console", f"it takes 2 to {MOST_CONSOLES} of them, or a device under test")
    subnets = {subnet for each in all_of_them for subnet in each.on}
    if not all(each.on for each in all_of_them):
        raise wrong("consoles.console.on", "it takes a subnet for each network card, one at least")
    if not all(re.fullmatch(r"[a-z0-9-]{1,8}", subnet) for subnet in subnets):
        raise wrong("consoles.console.on", "a subnet's name has up to eight of a-z, 0-9 and -")
    systems = {one.name for one in table.system}
    for one in table.console:
        if missing := [card for card in one.looks_on if card not in one.cards]:
            raise wrong("consoles.console.looks-on", f"{one.name} has {', '.join(one.cards)}, and no {missing[0]}")
        if missing := [name for name in one.systems if name not in systems]:
            raise wrong("consoles.console.systems", f"there is no [[consoles.system]] {missing[0]}")


def _validate_real_modem(modem: ModemTable, key: str, wrong: Any) -> None:
    """One that a far end answers, or lends: on a bench without an exchange, which is where emulated ones are."""
    if modem.emulated:
        raise wrong(f"{key}.emulated", "it takes a real modem; emulated ones are on the table [exchange]")
    _validate_modem(modem, key, wrong)


def _validate_modem(modem: ModemTable, key: str, wrong: Any) -> None:
    ways = [bool(modem.emulated), bool(modem.port), bool(modem.url), bool(modem.filters)]
    if sum(ways) > 1:
        raise wrong(key, "name the modem one way: emulated, port, url, or udev properties")
    if modem.profile:
        try:
            profiles.named(modem.profile)
        except UsageError as error:
            raise wrong(f"{key}.profile", f"{error}; {error.advice}") from None
    if not 1 <= modem.carrier_wait <= 255:
        raise wrong(f"{key}.carrier-wait", "it takes 1 to 255 seconds (S7)")


def _validate_exchange(exchange: ExchangeTable, wrong: Any) -> None:
    if exchange.line == "analogue":
        if exchange.rate not in ANALOGUE_RATES:
            raise wrong("exchange.rate", f"modems that make sound take {', '.join(map(str, ANALOGUE_RATES))} bit/s")
    elif exchange.impairments != Impairments():
        raise wrong("exchange.impairments", 'they are of a line that carries sound: line = "analogue"')
    elif exchange.rate != "instant" and exchange.rate not in REGISTERED_RATES:
        raise wrong("exchange.rate", 'it takes 300 to 115200 bit/s, or "instant"')
    for name in ("setup", "ring_every", "training", "patience"):
        if not 0 <= getattr(exchange, name) <= 600:
            raise wrong(f"exchange.{name.replace('_', '-')}", "it takes 0 to 600 seconds")
    for entry in exchange.numbers:
        if not 1 <= entry.lines <= 64:
            raise wrong("exchange.numbers.lines", "it takes 1 to 64")


def _validate_sound_card(bench: Bench, exchange: ExchangeTable, wrong: Any) -> None:
    card, modem = exchange.sound_card, bench.near_end.modem
    if card is None:
        if not modem.emulated:
            raise wrong("exchange", "a real modem is not on it; near-end.modem.emulated = true is, or a sound-card")
        return
    if modem.emulated:
        raise wrong("exchange.sound-card", "a real modem is behind it: name it in near-end.modem")
    if exchange.line != "analogue":
        raise wrong("exchange.sound-card", 'it takes lines that carry sound: line = "analogue"')
    if bench.i5os is not None:
        raise wrong("exchange.sound-card", "it is the near end's own line, and [i5os] lends others")
    for name in ("louder_in", "louder_out"):
        if not -60 <= getattr(card, name) <= 60:
            raise wrong(f"exchange.sound-card.{name.replace('_', '-')}", "it takes -60 to 60 dB")


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


def load_destinations(bench: Bench) -> Destinations:
    """The fence that a bench's gateway is held to."""
    file = load_fence_file(bench.fence)
    if bench.region not in file.servers:
        where = Path(bench.folder) / f"{bench.name}.toml"
        raise ConfigError(f"{where}: key 'region': it takes {' or '.join(map(repr, file.servers))}")
    own = file.servers[bench.region]
    others = {server for servers in file.servers.values() for server in servers} - set(own)
    return Destinations(
        own,
        bench.lig.name_servers if bench.lig else (),
        file.vpn.get("servers", ()),
        EVERY_VPN_SERVICE if bench.vpn else (),
        tuple(port_range(text) for ports in file.inbound.values() for text in ports),
        bench.internet is not None and not bench.internet.limited,
        tuple(sorted(others)),
    )


def catalogue_file(bench: Bench) -> Path:
    """Of what a bench's console sends; see rig.callhome.catalogue, which loads it."""
    name = bench.call_home.catalogue
    return Path(name) if "/" in name else HW_CONFIG / "call-home" / f"{name}.toml"


def forbidden_file(bench: Bench) -> Path | None:
    """Of what may not leave; see rig.callhome.forbidden, which loads it. None where the bench names none."""
    name = bench.call_home.forbidden
    return Path(bench.folder) / Path(name).expanduser() if name else None


def load_tls_policy(bench: Bench) -> Policy:
    """What TLS a bench accepts. Raises ConfigError."""
    return load_tls_file(bench.expect.tls)


def load_tls_file(name: str) -> Policy:
    """A policy by its name in hw-config/tls, or its path. Raises ConfigError."""
    path = Path(name) if "/" in name else HW_CONFIG / "tls" / f"{name}.toml"
    policy: Policy = convert(path, read(path), Policy)
    unknown = [version for version in policy.versions if version not in TLSLITE_VERSIONS]
    if unknown or not (policy.versions and policy.ciphers and policy.keys):
        takes = f"some of {', '.join(TLSLITE_VERSIONS)}"
        raise ConfigError(f"{path}: key 'versions': it takes {takes}; 'ciphers' and 'keys' may not be empty")
    if policy.spoken_by == "tlslite-ng" and not set(policy.ciphers) <= set(TLSLITE_CIPHERS):
        raise ConfigError(f"{path}: key 'ciphers': with tlslite-ng it takes {', '.join(TLSLITE_CIPHERS)}")
    return policy

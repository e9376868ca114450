"""The bench as a drawing: who is joined to whom, by what, with addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rig.config.bench import Bench, ConsolesTable, InternetTable
from rig.config.bench_files import load_destinations
from rig.report.subject import Subject


@dataclass
class Box:
    """One party. ``joint``: what joins it to the next; ``stand_in``: the rig plays it."""

    name: str
    lines: list[str] = field(default_factory=list)
    joint: str = ""
    stand_in: bool = False


def boxes(subject: Subject) -> list[Box]:
    """From the near end on, in the order in which a call passes them; none where they stand elsewhere."""
    bench, verdict = subject.bench, subject.verdict
    if bench is None:
        return []
    if bench.consoles is not None:
        return _beside(bench.consoles)
    if bench.internet is not None:
        return _network(subject, bench, bench.internet)
    inbound = subject.far == "caller"
    cable = bench.near_end.modem.profile == "null-modem"
    found = [_near_end(subject, bench), *([] if cable else _modem(bench, verdict))]
    found[-1].joint = "null-modem cable" if cable else "telephone line"
    if bench.exchange is not None:
        rate = "without pacing" if bench.exchange.rate == "instant" else f"{bench.exchange.rate} bit/s"
        rate += ", by sound" if bench.exchange.line == "analogue" else ""
        numbers = [f"{bench.near_end.number}: the near end"] if inbound else _numbers(bench, verdict)
        found.append(Box("telephone exchange", [rate, *numbers], "telephone line", True))
    if inbound and bench.vpn_gateway is None:
        found.append(_caller(bench))
        return found
    if subject.far == "device under test":
        found.append(Box(subject.far, [*_dialled(verdict), *_session(verdict)]))
        return found
    found.append(_gateway(bench, verdict))
    return [*found, *_beyond(subject, bench, stand_in=bench.lig is not None)]


def _beyond(subject: Subject, bench: Bench, *, stand_in: bool = True) -> list[Box]:
    """Behind the fence: the VPN gateway where there is one, and who is reached, or who comes from there."""
    found = []
    if bench.vpn_gateway is not None:
        lines = [f"{bench.vpn_gateway.server}", f"policy {bench.vpn_gateway.policy}", f"PPP: {bench.vpn_gateway.own}"]
        found.append(Box("VPN gateway", lines, "service network", True))
    if subject.far == "caller":
        return [*found, _caller(bench)]
    servers = [f"{server}, TCP 443" for server in load_destinations(bench).servers]
    return [*found, Box("authorized servers", servers, stand_in=stand_in)]


def _beside(table: ConsolesTable) -> list[Box]:
    """Consoles, and the systems that they manage, each with its subnets."""
    found = [
        Box(one.name, [", ".join(f"{card}: {subnet}" for card, subnet in zip(one.cards, one.on, strict=True)),
                       *(f"manages {name}" for name in one.systems), *(["call-home server"] if one.server else [])],
            "Ethernet", True)
        for one in table.console
    ]  # fmt: skip
    found += [Box(f"system {one.name}", [", ".join(one.on)], "Ethernet", True) for one in table.system]
    found[-1].joint = ""
    return found


def _network(subject: Subject, bench: Bench, table: InternetTable) -> list[Box]:
    """The customer's network, and what is beyond it."""
    console = Box("console", ["the rig, as the HMC", f"{table.console}"], "Ethernet")
    remote = bench.near_end.remote_modem
    if remote is not None:
        console.lines[1:], console.joint = [], "Ethernet, L2TP in clear"
        partition = Box("i5/OS partition", [f"{remote.partition}, UDP 1701", f"{table.console}"], "Ethernet", True)
    if table.local_network is not None:
        console.lines.append(f"second card: {table.local_network}")
    found = [console] if remote is None else [console, partition]
    if bench.proxy is not None:
        asks = f"account {bench.proxy.account}" if bench.proxy.account else "asks nobody who he is"
        lines = [f"{table.router}:{bench.proxy.port}", asks, f"{bench.proxy.address}"]
        found.append(Box(bench.proxy.engine, lines, "Ethernet", True))
    reached = "the region's servers, TCP 443" if table.limited else "anybody on TCP 443"
    if bench.vpn_gateway is not None:
        reached = "IKE and ESP to the VPN gateway"
    mask = {"fixed": "SNAT", "masquerade": "masquerading", "none": "addresses as they are"}[table.masking]
    lines = ([] if bench.proxy else [f"{table.router}"]) + [reached, f"{mask}: {table.outside.ip}"]
    found.append(Box("customer's router", lines, "the Internet", True))
    return [*found, *_beyond(subject, bench)]


def _numbers(bench: Bench, verdict: dict[str, Any]) -> list[str]:
    """Who is there at the numbers that were dialled."""
    assert bench.exchange is not None
    kinds = {entry.number: entry.kind for entry in bench.exchange.numbers}
    dialled = [attempt["number"] for attempt in verdict.get("attempts", [])] or list(verdict.get("numbers", []))
    return [f"{number}: {kinds.get(number, 'nobody')}" for number in dialled]


def _near_end(subject: Subject, bench: Bench) -> Box:
    ppp = subject.verdict.get("ppp") or {}
    remote = bench.near_end.remote_modem
    role = "the rig, as the representative" if subject.far == "device under test" else "the rig, as the HMC"
    box = Box("near end", [role], "Ethernet, L2TP" if remote is not None else "serial port")
    if ppp:
        box.lines.append(f"{ppp['local']} on {ppp['interface']}")
    if subject.far == "caller" and bench.inbound is not None:
        box.lines.append(f"{bench.inbound.ppp_address}")
        box.lines += [
            f"partition {one.name}, {one.address}" + ("" if one.allowed else ", not allowed")
            for one in bench.inbound.partitions
        ]
    return box


def _modem(bench: Bench, verdict: dict[str, Any]) -> list[Box]:
    """The modem, and the partition that lends it where it is one."""
    report = verdict.get("modem") or {}
    words = " ".join(filter(None, (report.get("manufacturer"), report.get("model"), report.get("revision"))))
    profile = [f"profile {report['profile']}"] if report.get("profile") else []
    remote = bench.near_end.remote_modem
    if remote is None:
        where = str(verdict.get("port", "")).rpartition("/")[2]
        lines = [*filter(None, (words, where)), *profile]
        return [Box("modem", lines, stand_in=bench.near_end.modem.emulated)]
    lent = f"{bench.i5os.modems} modem(s)" if bench.i5os is not None else "its own modem"
    mine = bench.i5os is not None
    return [Box("i5/OS partition", [f"{remote.partition}, UDP 1701", *([words] if words else []), lent], stand_in=mine)]


def _dialled(verdict: dict[str, Any]) -> list[str]:
    return [attempt["number"] for attempt in verdict.get("attempts", [])][-1:]


def _session(verdict: dict[str, Any]) -> list[str]:
    """What the far end was in the session."""
    ppp = verdict.get("ppp")
    if not ppp:
        return []
    return [f"{ppp['peer']}, {ppp['auth']}", *(f"name server {address}" for address in ppp["dns"])]


def _gateway(bench: Bench, verdict: dict[str, Any]) -> Box:
    session = _session(verdict)
    box = Box("gateway (LIG)", [*_dialled(verdict), *session], "fenced network", bench.lig is not None)
    if bench.lig is not None and not session:
        box.lines.append(f"{bench.lig.address}")
    if bench.lig is not None:
        box.lines.append(f"assigns from {bench.lig.pool}")
    return box


def _caller(bench: Bench) -> Box:
    remote = [f"{bench.inbound.remote}"] if bench.inbound is not None else []
    return Box("service representative", remote, stand_in=bench.emulated)

"""The bench as a drawing: who is joined to whom, by what, with addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rig.bench import Bench
from rig.bench_files import load_fence
from rig.report.subject import Subject


@dataclass
class Box:
    """One party. ``joint``: what joins it to the next; ``stand_in``: the rig plays it."""

    name: str
    lines: list[str] = field(default_factory=list)
    joint: str = ""
    stand_in: bool = False


def boxes(subject: Subject) -> list[Box]:
    """From the near end on, in the order in which a call passes them."""
    bench, verdict = subject.bench, subject.verdict
    inbound = "arming" in verdict
    found = [_near_end(bench, verdict, inbound), *_modem(bench, verdict)]
    found[-1].joint = "telephone line"
    if bench.exchange is not None:
        rate = "without pacing" if bench.exchange.rate == "instant" else f"{bench.exchange.rate} bit/s"
        numbers = [f"{bench.near_end.number}: the near end"] if inbound else _numbers(bench, verdict)
        found.append(Box("telephone exchange", [rate, *numbers], "telephone line", True))
    if inbound:
        found.append(_caller(bench))
        return found
    found.append(_gateway(bench, verdict))
    fence = load_fence(bench)
    servers = [f"{server}, TCP 443" for server in fence.servers]
    found.append(Box("authorized servers", servers, stand_in=bench.lig is not None))
    return found


def _numbers(bench: Bench, verdict: dict[str, Any]) -> list[str]:
    """Who is there at the numbers that were dialled."""
    assert bench.exchange is not None
    kinds = {entry.number: entry.kind for entry in bench.exchange.numbers}
    dialled = [attempt["number"] for attempt in verdict.get("attempts", [])] or list(verdict.get("numbers", []))
    return [f"{number}: {kinds.get(number, 'nobody')}" for number in dialled]


def _near_end(bench: Bench, verdict: dict[str, Any], inbound: bool) -> Box:
    ppp = verdict.get("ppp") or {}
    remote = bench.near_end.remote_modem
    box = Box("near end", ["the rig, as the HMC"], "Ethernet, L2TP" if remote is not None else "serial port")
    if ppp:
        box.lines.append(f"{ppp['local']} on {ppp['interface']}")
    if inbound and bench.inbound is not None:
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


def _gateway(bench: Bench, verdict: dict[str, Any]) -> Box:
    ppp = verdict.get("ppp") or {}
    dialled = [attempt["number"] for attempt in verdict.get("attempts", [])][-1:]
    box = Box("gateway (LIG)", dialled, "fenced network", bench.lig is not None)
    if ppp:
        box.lines.append(f"{ppp['peer']}, {ppp['auth']}")
        box.lines += [f"name server {address}" for address in ppp["dns"]]
    elif bench.lig is not None:
        box.lines.append(f"{bench.lig.address}")
    if bench.lig is not None:
        box.lines.append(f"assigns from {bench.lig.pool}")
    return box


def _caller(bench: Bench) -> Box:
    remote = [f"{bench.inbound.remote}"] if bench.inbound is not None else []
    return Box("service representative", remote, stand_in=bench.emulated)

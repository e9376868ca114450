"""``rig consoles``: a customer's consoles beside each other (§5.4.1), and what they are held to: who finds whom, where
and how soon; how their conversations are secured; that strangers, replays and floods change nothing; that who goes is
missed."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Address

from rig import lab
from rig.checks.check import not_run
from rig.config.bench import Bench, ConsolesTable, ConsoleTable
from rig.jobs.call_home_servers import CallHomeServers
from rig.jobs.console_checks import FLOOD, FLOODING, shout, spoken
from rig.jobs.console_device import BesideDevice
from rig.jobs.ending import to_its_end
from rig.parts.consoles.emulated import Consoles, EmulatedConsole
from rig.probes import observer
from rig.run.control import ControlError
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.callhome import counted
from rig.verdict.consoles import ConsolesVerdict
from rig.verdict.verdict import CheckResult

FOUND_SECONDS = 2.0
"""From the last one's start until all know each other; through a system it may take one announcement more."""
GOODBYE_SECONDS = 1.0
UDP_HEAD = 28
Places = dict[str, list[str]]
"""By a console's name, where it is to be found."""


def run(bench: Bench, progress: Progress) -> ConsolesVerdict:
    """Everything up, checked, and down again."""
    table = bench.consoles
    assert table is not None
    verdict = ConsolesVerdict(bench=bench.name, lab=lab.current())
    with to_its_end(verdict, progress, None, "taking everything down") as owner:
        beside = _beside(bench, table, owner, progress)
        for result in beside.checks():
            verdict.checks.append(result)
            progress.note(result.line())
        verdict.judge_by(verdict.checks)
    return verdict


def _beside(bench: Bench, table: ConsolesTable, owner: Owner, progress: Progress) -> Beside | BesideDevice:
    if table.device is not None:
        with progress.step(f"a console at {table.device.interface}"):
            return BesideDevice(bench, table.device, table.every, owner)
    with progress.step(f"{counted(len(table.console), 'console')}, {counted(len(table.system), 'system')}"):
        servers = CallHomeServers(bench, owner) if bench.lig is not None else None
        return Beside(table, Consoles(owner, table.every), servers)


class Beside:
    """A bench's consoles, started. ``servers``: what those that call home do it with."""

    def __init__(self, table: ConsolesTable, customer: Consoles, servers: CallHomeServers | None = None) -> None:
        self.table = table
        self.customer = customer
        self.servers = servers
        self.systems = {
            one.name: dict(zip(one.on, customer.system(one.name, *one.on), strict=True)) for one in table.system
        }
        self.ends = {one.name: self._console(one) for one in table.console}
        for end in self.ends.values():
            end.process.wait_ready()
        self.ready = time.monotonic()

    def _console(self, one: ConsoleTable) -> EmulatedConsole:
        reached = [
            address for name in one.systems for subnet, address in self.systems[name].items() if subnet in one.on
        ]
        on = dict(zip(one.cards, one.on, strict=True))
        way = self.servers.way if self.servers is not None and one.server else None
        return self.customer.console(one.name, on, reached, looks_on=one.looking, server=one.server, way=way)

    def again(self, name: str) -> None:
        """Start a console once more, whether it has ended or not."""
        self.ends[name].process.stop()
        self.ends[name] = self.customer.again(self.ends[name])
        self.ends[name].process.wait_ready()

    # --- what is to be so ----------------------------------------------------------------------------------------

    def wanted(self, one: ConsoleTable) -> Places:
        """Whom a console is to find, and where: on the subnets of cards that both look on, and through systems that
        both manage and reach by such a card."""
        found: Places = {}
        for other in self.table.console:
            places = [*self._on_subnets(one, other), *self._through_systems(one, other)] if other is not one else []
            if places:
                found[other.name] = sorted(places)
        return found

    def _looked(self, one: ConsoleTable) -> dict[str, str]:
        """By card, the subnet, of those that a console looks on."""
        return {card: subnet for card, subnet in zip(one.cards, one.on, strict=True) if card in one.looking}

    def _on_subnets(self, one: ConsoleTable, other: ConsoleTable) -> Iterator[str]:
        theirs = set(self._looked(other).values())
        yield from (card for card, subnet in self._looked(one).items() if subnet in theirs)

    def _through_systems(self, one: ConsoleTable, other: ConsoleTable) -> Iterator[str]:
        for name in set(one.systems) & set(other.systems):
            reached = self.systems[name]
            if set(self._looked(other).values()) & set(reached):
                for card, subnet in self._looked(one).items():
                    if subnet in reached:
                        yield f"{card} through {reached[subnet]}"

    # --- the checks ----------------------------------------------------------------------------------------------

    def checks(self) -> Iterator[CheckResult]:
        """One after the other; the last has a console end."""
        for one in self.table.console:
            yield self.found(one)
        for one in self.table.console:
            yield from self.conversations(one)
        yield self.strangers()
        yield self.replays()
        if self.servers is not None:
            yield from self.servers.checks(self.ends, self.again)
        yield self.goodbye()

    def _known(self, name: str, wanted: Places, seconds: float) -> tuple[Places, float]:
        """Whom a console knows once that is as it is to be, or so many seconds have passed; and when that was."""
        end = time.monotonic() + seconds
        control, seen = self.ends[name].control, -1
        while True:
            try:
                found = control.ask("found", seen=seen)
            except ControlError:  # it has died, and knows nobody
                return {}, time.monotonic()
            places = {who: about["places"] for who, about in found["known"].items()}
            if places == wanted or time.monotonic() >= end:
                return places, time.monotonic()
            seen = len(found["events"])

    def found(self, one: ConsoleTable) -> CheckResult:
        """It knows whom it is to know, everywhere, soon, and nobody else."""
        wanted = self.wanted(one)
        seconds = FOUND_SECONDS + (self.table.every if one.systems else 0.0)
        places, at = self._known(one.name, wanted, seconds - (time.monotonic() - self.ready))
        took = at - self.ready
        held, said = places == wanted and took <= seconds, f"{_told(places)}, {took:.1f} s after the last one's start"
        return CheckResult("finds", one.name, _told(wanted), said, held)

    def conversations(self, one: ConsoleTable) -> Iterator[CheckResult]:
        """With each that it has found, if a way leads there, it speaks by keys that are agreed on anew."""
        for who in self.wanted(one):
            if not set(self._looked(one).values()) & set(self._looked(self._table(who)).values()):
                continue  # found through a system: no way of this bench's leads there
            yield spoken(self.ends[one.name], self.ends[who].plan.id, who, f"{one.name} with {who}")

    def _table(self, name: str) -> ConsoleTable:
        return next(one for one in self.table.console if one.name == name)

    def strangers(self) -> CheckResult:
        """A console of somebody else's on every subnet, and a flood, change nothing of what is known, and nobody hears
        of them."""
        subnets = list(self.customer.subnets)
        cards = {f"eth{at}": subnet for at, subnet in enumerate(subnets)}
        stranger = self.customer.console("stranger", cards, secret=b"a guess")
        stranger.process.wait_ready()
        for subnet in subnets:
            shout(stranger.namespace, self._everybody(subnet), FLOODING, FLOOD // len(subnets))
        wrong = self._changed()
        believed = stranger.control.ask("found")["known"]
        counts = [self._rejected(name, "a stranger's, or altered") for name in self.ends]
        observed = wrong or f"{min(counts)} to {max(counts)} datagrams counted, nobody believed"
        held = not wrong and not believed and all(counts)
        return CheckResult("strangers, and a flood", f"{FLOOD} datagrams", "nothing changes", observed, held)

    def _everybody(self, subnet: str) -> IPv4Address:
        return self.customer.subnets[subnet].network.broadcast_address

    def _changed(self) -> str:
        """Whose knowledge is not as it is to be; "" while all of it is."""
        for one in self.table.console:
            wanted = self.wanted(one)
            places, _ = self._known(one.name, wanted, FOUND_SECONDS)
            if places != wanted:
                return f"{one.name} knows {', '.join(places) or 'nobody'}"
        return ""

    def _rejected(self, name: str, kind: str) -> int:
        """How many datagrams a console has taken for that; none where it has died."""
        try:
            return int(self.ends[name].control.ask("found")["rejected"].get(kind, 0))
        except ControlError:
            return 0

    def replays(self) -> CheckResult:
        """An announcement that is sent again, as it was, from where it came: it was heard before."""
        heard, said = self._pair()
        card, subnet = next(iter(self._looked(heard).items()))
        source = self._address(said, subnet)
        target, expected = f"{said.name}'s, to {heard.name}", "counted, and nothing changes"
        with closing(observer.arriving(self.ends[heard.name].namespace, card)) as wire:
            if not wire.wait_for(lambda packet: _announces(packet, source), 2 * self.table.every):
                return not_run("replays", target, "nothing was announced that could be sent again")
            packet = next(one for one in wire.packets if _announces(one, source))
        before = self._rejected(heard.name, "heard before")
        where = self.ends[said.name].namespace
        shout(where, self._everybody(subnet), packet[UDP_HEAD:], source=str(source))
        wrong = self._changed()
        counted = self._rejected(heard.name, "heard before") - before
        return CheckResult("replays", target, expected, wrong or f"{counted} counted", counted > 0 and not wrong)

    def _pair(self) -> tuple[ConsoleTable, ConsoleTable]:
        """Two that look on one subnet, that by the first card of the first."""
        for one in self.table.console:
            first = next(iter(self._looked(one).values()))
            for other in self.table.console:
                if other is not one and first in self._looked(other).values():
                    return one, other
        raise AssertionError

    def _address(self, one: ConsoleTable, subnet: str) -> IPv4Address:
        card = next(card for card, its in self._looked(one).items() if its == subnet)
        return IPv4Address(self.ends[one.name].namespace.addresses(card)[0].partition("/")[0])

    def goodbye(self) -> CheckResult:
        """One that ends is known to nobody, at once."""
        last = self.table.console[-1]
        self.ends[last.name].process.stop()
        began, left = time.monotonic(), []
        for one in self.table.console[:-1]:
            wanted = {who: where for who, where in self.wanted(one).items() if who != last.name}
            places, _ = self._known(one.name, wanted, GOODBYE_SECONDS - (time.monotonic() - began))
            left += [one.name] if last.name in places else []
        observed = f"{', '.join(left)} know it still" if left else "known to nobody"
        return CheckResult("goes", last.name, f"known to nobody within {GOODBYE_SECONDS:g} s", observed, not left)


def _told(places: Places) -> str:
    return ", ".join(f"{who} ({'; '.join(where)})" for who, where in places.items()) or "nobody"


def _announces(packet: bytes, source: IPv4Address) -> bool:
    is_udp = packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_UDP and packet[12:16] == source.packed
    return is_udp and packet[UDP_HEAD : UDP_HEAD + 4] == b"RIGC"

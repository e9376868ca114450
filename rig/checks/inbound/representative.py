"""The service representative who dials in, and verifies what the answering side lets through (§2.2.1).

Each check is named for the promise that it holds the other side to. Where the answering side is the rig's own, what
got in is seen behind its filters; a device under test is judged by what it answers.
"""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Literal, Protocol

from rig.checks.check import not_run
from rig.checks.inbound.questions import ANSWER_SECONDS, SILENCE, Question, Said, ask_all
from rig.checks.inbound.sweep import ALL_PORTS, COLLECT_EVERY, Answers, TcpSweep
from rig.checks.session import asked_who_it_is
from rig.drivers.net.link_end import LinkEnd
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp.up import PppUp
from rig.probes import observer, packets
from rig.probes.engine import Sender
from rig.probes.observer import Watcher
from rig.verdict.verdict import CheckResult

ECHO_SECONDS = 25.0
"""For the answer to an LCP echo request: one is sent every twenty seconds (near_end.PPP_OPTIONS)."""
UDP_SAMPLE = 1000
PARTITION_PORT = 22
FIRST_EPHEMERAL = 32768
"""Where the kernel's own ports begin: those of probes are below."""


@dataclass(frozen=True)
class Promised:
    """What the answering side is held to. ``console``: its open ports, none where access is disabled; ``partitions``:
    name and alternate address of those that are allowed, ``others`` of those that are not; ``elsewhere``: addresses of
    the console's other networks. ``name``: what its console calls itself; ``strangers``: whether its services may
    be anybody's, and tell no name of ours; ``auth``: how it is to have the caller say who he is, "" where it
    is not to.
    """

    console: tuple[range, ...]
    partitions: tuple[tuple[str, IPv4Address], ...]
    others: tuple[tuple[str, IPv4Address], ...]
    elsewhere: tuple[IPv4Address, ...] = ()
    name: str = "the console"
    auth: str = "pap"
    strangers: bool = False

    @property
    def ports(self) -> set[int]:
        return {port for ports in self.console for port in ports}


@dataclass(frozen=True)
class Behind:
    """Where one can look on the answering side: the console, its end of the call, and each partition. Empty on a
    device under test."""

    console: NetworkNamespace | None = None
    interface: str = ""
    partitions: tuple[tuple[str, NetworkNamespace], ...] = field(default=())


class Caller(Protocol):
    """Who calls: a near end, or somebody behind a VPN gateway."""

    @property
    def namespace(self) -> NetworkNamespace: ...

    def line_seconds(self) -> float:
        """How long the line takes for what may be queued before it."""

    def line_is_alive(self, seconds: float) -> bool:
        """Whether the other end of the line says something of itself within so many seconds."""


class Verification:
    """Everything that is verified while one call is up. The first packets go out as it is made. ``end``: the caller's
    of the link, where that is no PPP interface."""

    def __init__(
        self,
        caller: Caller,
        up: PppUp,
        promised: Promised,
        behind: Behind,
        tcp_ports: Sequence[int] = ALL_PORTS,
        seed: int = 2007,
        end: LinkEnd | None = None,
    ) -> None:
        self.caller = caller
        self.up = up
        self.promised = promised
        self.behind = behind
        self._tcp_ports = tcp_ports
        self._random = random.Random(seed)  # noqa: S311 - drawn again from the same seed
        self._end = end or LinkEnd(caller.namespace, up.interface)

    def run(self) -> Iterator[CheckResult]:
        """The checks, in their order: what must hold from the first packet on comes first."""
        yield self.first_packets()
        if self.promised.auth:
            yield asked_who_it_is(self.up, self.promised.auth.upper())
        yield from self.console_ports()
        yield self.other_tcp_ports()
        yield self.other_udp_ports()
        yield from self.partitions()
        yield self.partitions_not_allowed()
        yield self.other_networks()
        yield self.false_sources()
        yield self.other_protocols()
        yield self.outward()

    # --- what is promised to be open ---------------------------------------------------------------------------

    def console_ports(self) -> Iterator[CheckResult]:
        """Each port of §5.3 is the console's own, by TCP and UDP."""
        name, target = "listed ports of the console", str(self.up.peer)
        if not self.promised.console:
            yield not_run(name, target, "access to the console is disabled: the other checks hold that it is shut")
            return
        ports = sorted(self.promised.ports)
        for protocol in ("TCP", "UDP"):
            said = self._asked([Question(protocol, self.up.peer, port) for port in ports])
            wrong = {question.port: each for question, each in said.items() if not self._is(each, self.promised.name)}
            shown = ", ".join(f"{port} {each.text}" for port, each in list(wrong.items())[:4])
            if protocol == "UDP" and self.promised.strangers and set(wrong.values()) == {SILENCE}:
                why = f"{len(wrong)} say nothing: a service may be silent to a stranger"
                yield not_run(f"{name}, UDP", target, why)
                continue
            observed = f"{len(wrong)} of {len(ports)} were not: {shown}" if wrong else f"all {len(ports)}"
            expected = "something is there" if self.promised.strangers else f"{self.promised.name} says so"
            yield CheckResult(f"{name}, {protocol}", target, expected, observed, not wrong)

    def _is(self, said: Said, name: str) -> bool:
        """Whether it is the service of that name; of a stranger, who says no name of ours, whether there is one."""
        return said.name == name or (self.promised.strangers and said.answered and not said.name)

    def partitions(self) -> Iterator[CheckResult]:
        """Each allowed partition is reached at its alternate address, and is the one that it should be."""
        for name, address in self.promised.partitions:
            protocols: tuple[Literal["TCP", "UDP"], ...] = ("TCP",) if self.promised.strangers else ("TCP", "UDP")
            said = self._asked([Question(protocol, address, PARTITION_PORT) for protocol in protocols]).values()
            observed = " and ".join(sorted({each.text for each in said}))
            held = all(self._is(each, name) for each in said)
            yield CheckResult(f"partition {name}", str(address), name, observed, held)

    def _asked(self, questions: Sequence[Question]) -> dict[Question, Said]:
        with self.caller.namespace.entered():
            return ask_all(questions, ANSWER_SECONDS + self.caller.line_seconds())

    # --- what is promised to be shut ---------------------------------------------------------------------------

    def first_packets(self) -> CheckResult:
        """What must be shut from the first moment on: rules that come after the address are too late."""
        shut = [port for port in (7, 111, 6000, 8080) if port not in self.promised.ports]
        return self._shut(
            "first packets of the call", f"{self.up.peer} ports {shut}", [self.up.peer], shut, "ICMP echo"
        )

    def other_tcp_ports(self) -> CheckResult:
        """Every TCP port that is not listed."""
        ports = [port for port in self._tcp_ports if port not in self.promised.ports]
        with self._watching() as (near, inside):
            sweep = TcpSweep(self._end, self.up.local, self.up.peer, near, inside)
            sweep.send(ports)
            dead = self._settle()
            found = sweep.answers()
        return self._judged("other TCP ports of the console", f"{self.up.peer}, {len(ports)} ports", found, dead)

    def other_udp_ports(self) -> CheckResult:
        """A sample of the UDP ports that are not listed, and those beside the listed ones."""
        beside = {port + step for ports in self.promised.console for port, step in ((ports[0], -1), (ports[-1], 1))}
        drawn = {*beside, *self._random.sample(ALL_PORTS, UDP_SAMPLE)} - self.promised.ports
        made = [
            packets.udp(self.up.local, self.up.peer, port, number) for number, port in enumerate(sorted(drawn), start=1)
        ]
        return self._sent("other UDP ports of the console", f"{self.up.peer}, {len(drawn)} ports", made)

    def partitions_not_allowed(self) -> CheckResult:
        """No address leads to a partition that is not allowed."""
        names = ", ".join(name for name, _ in self.promised.others)
        addresses = [address for _, address in self.promised.others]
        if not addresses:
            return not_run("partitions that are not allowed", "", "the bench has none")
        return self._shut("partitions that are not allowed", names, addresses, [22, 23, 443], "ICMP echo", "UDP")

    def other_networks(self) -> CheckResult:
        """Nothing of the console's other networks is reached through the call."""
        others = self.promised.elsewhere
        if not others:
            return not_run("the console's other networks", "", "none of their addresses is known")
        target = ", ".join(map(str, others))
        return self._shut("the console's other networks", target, others, [22, 443], "ICMP echo", "UDP", "ESP")

    def false_sources(self) -> CheckResult:
        """What does not come from the caller's assigned address is not the caller's."""
        sources = (IPv4Address("192.0.2.7"), self.up.local + 1, self.up.peer, IPv4Address("127.0.0.1"))
        targets = [(self.up.peer, port) for port in sorted(self.promised.ports)[:2]]
        targets += [(address, PARTITION_PORT) for _, address in self.promised.partitions]
        made = [
            packets.tcp(source, address, port, number, flags=2)
            for number, (source, (address, port)) in enumerate(
                ((source, target) for source in sources for target in targets), start=1
            )
        ]
        if not made:
            return not_run("false source addresses", "", "nothing is open that they could reach")
        if self.behind.console is None:
            return not_run("false source addresses", "", "what answers them goes to others; only who is behind sees it")
        return self._sent("false source addresses", ", ".join(map(str, sources)), made)

    def other_protocols(self) -> CheckResult:
        """Only TCP and UDP are let through to the console."""
        kinds = ("ICMP echo", "ICMP unreachable", "ESP", "GRE", "IP in IP")
        made = [packets.KINDS[kind](self.up.local, self.up.peer, number) for number, kind in enumerate(kinds, start=1)]
        return self._sent("other protocols to the console", ", ".join(kinds), made)

    def outward(self) -> CheckResult:
        """From the console and the partitions nothing new may be opened through the call."""
        name, target = "connections outward through the call", str(self.up.local)
        if self.behind.console is None:
            return not_run(name, target, "only who is on the answering side can try that")
        with closing(observer.arriving(self.caller.namespace, self.up.interface)) as near:
            for namespace in (self.behind.console, *(one for _, one in self.behind.partitions)):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    self._try_to_open(namespace, kind)
            if dead := self._settle():
                return not_run(name, target, dead)
            near.collect()
            came = [packet for packet in near.packets if _opens(packet)]
        observed = f"{len(came)} packets came" if came else "nothing came"
        return CheckResult(name, target, "nothing", observed, not came)

    def _try_to_open(self, namespace: NetworkNamespace, kind: int) -> None:
        with namespace.entered():
            opener = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
        with opener, contextlib.suppress(OSError):
            opener.connect((str(self.up.local), 9))
            opener.send(b"rig")

    def talk(self) -> None:
        """Ask whoever is promised whose they are, as an exchange of packets both ways."""
        targets = [(self.up.peer, port) for port in sorted(self.promised.ports)[:1]]
        targets += [(address, PARTITION_PORT) for _, address in self.promised.partitions]
        self._asked([Question("TCP", address, port) for address, port in targets])

    def shut(self, name: str, addresses: Sequence[IPv4Address], ports: Sequence[int]) -> CheckResult:
        """Nothing gets to any of these."""
        return self._shut(name, ", ".join(map(str, addresses)), addresses, ports, "ICMP echo", "UDP")

    # --- sending and looking -----------------------------------------------------------------------------------

    def _shut(
        self, name: str, target: str, addresses: Sequence[IPv4Address], ports: Sequence[int], *kinds: str
    ) -> CheckResult:
        made, number = [], 0
        for address in addresses:
            for port in ports:
                number += 1
                made.append(packets.tcp(self.up.local, address, port, number))
            for kind in kinds:
                number += 1
                made.append(packets.KINDS[kind](self.up.local, address, number))
        return self._sent(name, target, made)

    def _sent(self, name: str, target: str, made: Sequence[bytes]) -> CheckResult:
        """None of these may get in, or be answered."""
        found = Answers()
        with self._watching() as (near, inside), closing(Sender(self._end)) as sender:
            for sent, packet in enumerate(made, start=1):
                sender.put(packet)
                if sent % COLLECT_EVERY == 0:
                    near.collect()
                    inside.collect()
            dead = self._settle()
            near.collect()
            asked = {packet[16:20] for packet in made}
            found.other = {at for at, packet in enumerate(near.packets) if _answers(packet, asked)}
            inside.collect()
            ours = {(packet[16:20], packet[9], packet[20:24]) for packet in made}
            found.inside = {
                at for at, packet in enumerate(inside.packets) if (packet[16:20], packet[9], packet[20:24]) in ours
            }
        return self._judged(name, target, found, dead)

    def _judged(self, name: str, target: str, found: Answers, dead: str) -> CheckResult:
        """Shut is what nobody answered, and what did not get in where one can look; unless the line was ``dead``."""
        if dead and not (found.inside or found.opened or found.other):
            return not_run(name, target, dead)
        if found.inside:
            ports = ", ".join(map(str, sorted(found.inside)[:6]))
            observed = f"{len(found.inside)} got in" + (f": ports {ports}" if "ports" in name else "")
        elif found.opened or found.other:
            ports = ", ".join(map(str, sorted(found.opened | found.other)[:6]))
            observed = f"{len(found.opened)} open, {len(found.other)} answered otherwise: {ports}"
        elif self.behind.console is not None:
            observed = "none got in"
        else:
            observed = "no answer; nobody could look behind the filter"
        return CheckResult(name, target, "shut", observed, not (found.inside or found.opened or found.other))

    @contextlib.contextmanager
    def _watching(self) -> Iterator[tuple[Watcher, Watcher]]:
        """This end of the call, and the insides of console and partitions where one can look."""
        hosts = [self.behind.console] if self.behind.console else []
        hosts += [namespace for _, namespace in self.behind.partitions]
        with contextlib.ExitStack() as stack:
            near = stack.enter_context(closing(observer.arriving(self.caller.namespace, self.up.interface)))
            yield near, stack.enter_context(closing(observer.inside(*hosts)))

    def _settle(self) -> str:
        """Wait until what was sent has crossed a line that is alive; otherwise why nothing is known of it.

        By an answer to something allowed, sent behind it; where nothing is allowed, by the last packet as the other
        end of the line sees it; on a device that allows nothing, by its next answer to an LCP echo request.
        """
        if self.promised.console or self.promised.partitions:
            target = self.up.peer if self.promised.console else self.promised.partitions[0][1]
            port = min(self.promised.ports) if self.promised.console else PARTITION_PORT
            question = Question("TCP", target, port)
            said = self._asked([question])[question]
            dead = f"TCP {target}:{port}, asked behind it, gave {said.text}: silence proves nothing"
            return "" if said.answered else dead
        if self.behind.console is not None:
            return "" if self._crossed(self.behind.console) else "what was sent behind it did not cross the line"
        seconds = ECHO_SECONDS + self.caller.line_seconds()
        dead = f"the line was dead: no LCP echo within {seconds:.0f} s"
        return "" if self.caller.line_is_alive(seconds) else dead

    def _crossed(self, console: NetworkNamespace) -> bool:
        mark = self._random.randrange(1, 65536)
        with closing(observer.arriving(console, self.behind.interface)) as there, closing(Sender(self._end)) as sender:
            sender.put(packets.KINDS["UDP"](self.up.local, self.up.peer, mark))
            seconds = 10 * ANSWER_SECONDS + self.caller.line_seconds()
            return there.wait_for(lambda packet: packets.number_in(packet) == mark, seconds)


def _opens(packet: bytes) -> bool:
    """Whether a packet begins something: a SYN, a datagram to our discard port, an echo request."""
    if packet[0] >> 4 != 4:
        return False
    body = packet[(packet[0] & 15) * 4 :]
    if packet[9] == packets.TCP:
        return body[13] & 0x12 == 0x02
    return (packet[9] == packets.UDP and body[2:4] == b"\0\x09") or (packet[9] == packets.ICMP and body[0] == 8)


def _answers(packet: bytes, asked: set[bytes]) -> bool:
    """Whether a packet answers one of ours: it comes from whom we asked, to a port that only probes have."""
    if packet[0] >> 4 != 4 or packet[12:16] not in asked:
        return False
    if packet[9] not in (packets.TCP, packets.UDP):
        return True
    at = (packet[0] & 15) * 4
    return packets.FIRST_PORT <= int.from_bytes(packet[at + 2 : at + 4], "big") < FIRST_EPHEMERAL

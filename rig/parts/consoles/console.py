"""A console's process: announcements by each of its cards, conversations by TLS."""

from __future__ import annotations

import contextlib
import logging
import select
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import msgspec

from rig.callhome.transaction import Manifest
from rig.drivers.base.errors import RigError
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.consoles.announcement import LARGEST, PORT, TLS_PORT, Announcement
from rig.parts.consoles.brokering import SILENCE_SECONDS
from rig.parts.consoles.call_home_server import CallHomeServer
from rig.parts.consoles.conversation import Hello, Talk, answer, talk
from rig.parts.consoles.handing_on import WayHome
from rig.parts.consoles.identity import Identity
from rig.parts.consoles.neighbours import EVERY, Neighbours
from rig.parts.consoles.requests import Requests
from rig.run.control import serve_in_thread

ROOM = 4
EVERYBODY = "255.255.255.255"
RTMGRP_LINK, RTMGRP_IPV4_IFADDR = 0x1, 0x10
LONGEST_WAIT = 3600.0
AT_ONCE = 256
"""Datagrams of a card that are read before anything else is done: a flood is not to keep a console from speaking."""
ASKED_SECONDS = 5.0
"""How long who asks may be kept waiting; less than a question may take (control.ANSWER_SECONDS)."""

_log = logging.getLogger("console")


@dataclass(frozen=True)
class ConsolePlan:
    """``cards``: on which it is to look for others, and no other; ``systems`` that it manages; ``secret`` of the
    customer's consoles; ``server``: whether it calls home for others, and ``room``: for how many of their requests at
    once; ``every``: see Neighbours."""

    id: str
    name: str
    namespace: str
    folder: Path
    cards: tuple[str, ...]
    systems: tuple[IPv4Address, ...] = ()
    server: bool = False
    every: float = EVERY
    room: int = ROOM
    secret: bytes = field(repr=False, default=b"")

    @property
    def control_path(self) -> Path:
        return self.folder / f"{self.name}.sock"


class ConsoleEnd:
    """One console among others. ``way``: home, where it calls home for them."""

    def __init__(self, plan: ConsolePlan, way: WayHome | None = None) -> None:
        self.plan = plan
        self.events: list[dict[str, Any]] = []
        self._names: dict[str, str] = {}
        self._namespace = NetworkNamespace(plan.namespace)
        self._identity = Identity.made(plan.id, plan.secret, plan.folder)
        self._hello = Hello(plan.id, plan.name)
        own = Announcement(
            plan.id, plan.name, time.time_ns() // 1_000_000, 0, "", self._identity.fingerprint, server=plan.server
        )
        self.neighbours = Neighbours(own, plan.secret, plan.systems, plan.every)
        self._using = threading.Condition()
        self._serving = CallHomeServer(way, plan.room, plan.folder / "requests") if way is not None else None
        self.requests = Requests(self._talk_with, self._name_of, ASKED_SECONDS)
        self._sockets: dict[str, socket.socket] = {}
        self._wake, self._woken = socket.socketpair()
        self._stopped = False
        with self._namespace.entered():
            self._links = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            self._links.bind((0, RTMGRP_LINK | RTMGRP_IPV4_IFADDR))
            self._server = socket.create_server(("", TLS_PORT), backlog=64)
        self._look_at_cards()
        self._thread = threading.Thread(target=self._run, daemon=True, name="announcements")
        self._thread.start()
        threading.Thread(target=self._take, daemon=True, name="conversations").start()

    # --- announcements -------------------------------------------------------------------------------------------

    def _look_at_cards(self) -> None:
        """Which of them are up, with an address."""
        now = time.monotonic()
        with self._namespace.netlink() as link:
            up = {one.get_attr("IFLA_IFNAME") for one in link.get_links() if one["state"] == "up"}
            addresses = {one.get_attr("IFA_LABEL"): one.get_attr("IFA_ADDRESS") for one in link.get_addr(family=2)}
        for card in self.plan.cards:
            address = addresses.get(card) if card in up else None
            if address is None and card in self._sockets:
                self.neighbours.remove_card(card)
                self._sockets.pop(card).close()
            elif address is not None:
                if card not in self._sockets:
                    self._sockets[card] = self._opened(card)
                self.neighbours.add_card(card, IPv4Address(address), now)

    def _opened(self, card: str) -> socket.socket:
        with self._namespace.entered():
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, card.encode())
        made.bind(("", PORT))
        return made

    def _run(self) -> None:
        while not self._stopped:
            with self._using:
                self._step()
                deadline = self.neighbours.deadline
            wait = LONGEST_WAIT if deadline is None else max(0.0, deadline - time.monotonic())
            select.select([*self._sockets.values(), self._links, self._woken], [], [], wait)

    def _step(self) -> None:
        """Everything that is there, and everything that is due."""
        with contextlib.suppress(BlockingIOError):
            while self._links.recv(65536, socket.MSG_DONTWAIT):
                self._look_at_cards()
        for card, one in list(self._sockets.items()):
            with contextlib.suppress(BlockingIOError, OSError):
                for _ in range(AT_ONCE):
                    datagram, (source, _port) = one.recvfrom(LARGEST + 1)
                    self.neighbours.receive(datagram, card, IPv4Address(source), time.monotonic())
        self.neighbours.tick(time.monotonic())
        self._send()
        told, self.neighbours.events = self.neighbours.events, []
        for event in told:
            _log.info("%s", event)
            what = {name: str(value) if name == "address" else value for name, value in asdict(event).items()}
            self.events.append({"kind": type(event).__name__, "at": time.monotonic(), **what})
        if told:
            self._names |= {number: one.said.name for number, one in self.neighbours.known.items()}
            self.requests.servers([number for number, one in self.neighbours.known.items() if one.said.server])
            self._using.notify_all()

    def _send(self) -> None:
        out, self.neighbours.out = self.neighbours.out, []
        for each in out:
            if (one := self._sockets.get(each.card)) is None:
                continue
            for address in (EVERYBODY, *map(str, self.plan.systems)):
                with contextlib.suppress(OSError):  # a card that is going, a system that is not behind this one
                    one.sendto(each.datagram, (address, PORT))

    # --- conversations -------------------------------------------------------------------------------------------

    def _take(self) -> None:
        context = self._identity.context(server=True)
        while True:
            try:
                plain, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(context, plain), daemon=True).start()

    def _converse(self, context: ssl.SSLContext, plain: socket.socket) -> None:
        plain.settimeout(5.0)
        with plain:
            try:
                with context.wrap_socket(plain, server_side=True) as secured:
                    who, stream = answer(secured, self._hello)
                    _log.info("%s asks who is here", who.name)
                    if self._serving is not None:
                        secured.settimeout(SILENCE_SECONDS)
                        self._serving.converse(who, stream)
            except OSError as error:
                _log.info("a conversation that came to nothing: %s", error)

    @contextlib.contextmanager
    def _talk_with(self, number: str) -> Iterator[Talk]:
        """A conversation with a console that was found. Raises RigError where it is not known, OSError."""
        with self._using:
            known = self.neighbours.known.get(number)
            if known is None:
                raise RigError(f"no console {number} has been found")
            said, place = known.said, next(iter(known.places.values()))
        place_of = place.address, said.port, said.fingerprint
        with talk(self._namespace, self._identity, self._hello, *place_of) as made:
            yield made

    def _name_of(self, number: str) -> str:
        """For people; its id, where it has never been found."""
        return self._names.get(number, number)

    def speak_with(self, number: str) -> dict[str, Any]:
        """Ask a console that was found who it is. Raises as a conversation does."""
        with self._talk_with(number) as made:
            return asdict(made.spoken)

    # --- requests ------------------------------------------------------------------------------------------------

    def hand_in(self, manifest: dict[str, Any], files: dict[str, str]) -> None:
        """A request to be called home with; ``files`` by their names in its manifest."""
        paths = {name: Path(path) for name, path in files.items()}
        self.requests.hand_in(msgspec.convert(manifest, Manifest), paths)

    def carries(self, least: int = 0) -> dict[str, Any]:
        """What it carries for others; see CallHomeServer.state. Raises RigError where it calls home for nobody."""
        if self._serving is None:
            raise RigError(f"{self.plan.name} calls home for nobody")
        return self._serving.state(least, ASKED_SECONDS)

    # --- what is asked -------------------------------------------------------------------------------------------

    def found(self, seen: int = -1) -> dict[str, Any]:
        """Who is known, and where; and how many datagrams were taken for nothing. Once there are more events than so
        many, or ASKED_SECONDS have passed."""
        with self._using:
            self._using.wait_for(lambda: len(self.events) > seen, ASKED_SECONDS)
            known = {
                one.said.name: {
                    "id": one.said.id,
                    "server": one.said.server,
                    "places": sorted(one.places),
                    "address": str(next(iter(one.places.values())).address),
                }
                for one in self.neighbours.known.values()
            }
            return {"known": known, "rejected": dict(self.neighbours.rejected), "events": list(self.events)}

    def stop(self) -> None:
        """Say goodbye, and end."""
        self._stopped = True
        self._wake.send(b"\n")
        self._thread.join()
        self.neighbours.leave()
        self._send()
        self._server.close()
        if self._serving is not None:
            self._serving.stop()


def main(plan: ConsolePlan, way: Callable[[], WayHome] | None, *, ready: Callable[[], None]) -> None:
    """Run one until SIGTERM. ``way``: makes that home."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", force=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    end = ConsoleEnd(plan, way() if way is not None else None)
    serve_in_thread(
        plan.control_path,
        {"found": end.found, "speak": end.speak_with, "hand_in": end.hand_in, "requests": end.requests.all,
         "carries": end.carries},
    )  # fmt: skip
    ready()
    stop.wait()
    end.stop()

"""The gateway's utility name service answers as a provider's does (§3.1)."""

from __future__ import annotations

import secrets
import socket
import threading
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest

from rig.drivers.base.dissection import dpkt
from rig.probes.names import ask_name
from rig.run.owner import Owner

if TYPE_CHECKING:
    from rig.fixtures.line import Session

NOERROR, NXDOMAIN = 0, 3


@pytest.mark.paper("3.1")
@pytest.mark.parametrize(
    ("name", "kind", "code", "answers"),
    [
        ("", dpkt.dns.DNS_A, NOERROR, 1),
        ("", dpkt.dns.DNS_AAAA, NOERROR, 0),
        ("no-such-name.example", dpkt.dns.DNS_A, NXDOMAIN, 0),
        ("no-such-name.example", dpkt.dns.DNS_AAAA, NXDOMAIN, 0),
    ],
    ids=["A of a name", "AAAA of a name that has none", "A of no name", "AAAA of no name"],
)
def test_a_question_that_has_no_answer_is_answered_so(
    session: Session, name: str, kind: int, code: int, answers: int
) -> None:
    """Catches REFUSED, by which a resolver takes the server for broken: EAI_AGAIN, and the next one is asked."""
    asked = name or session.surroundings.expect.name
    query = dpkt.dns.DNS(id=secrets.randbelow(65536), qd=[dpkt.dns.DNS.Q(name=asked, type=kind)])
    with session.line.near.namespace.entered():
        connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with connection:
        connection.settimeout(10)
        connection.sendto(bytes(query), (str(session.up.dns[0]), 53))
        answer = dpkt.dns.DNS(connection.recv(4096))
    assert (answer.id, answer.rcode, len(answer.an)) == (query.id, code, answers)


def test_an_answer_that_cannot_be_read_is_said_to_be_one(owner: Owner) -> None:
    """Catches a traceback in the place of a check that does not hold."""
    namespace = owner.namespace("garbage")
    with namespace.entered():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with server:
        server.bind(("127.0.0.1", 53))

        def answer() -> None:
            _, asker = server.recvfrom(512)
            server.sendto(b"\x00\x01", asker)

        thread = threading.Thread(target=answer)
        thread.start()
        said = ask_name(namespace, IPv4Address("127.0.0.1"), "service.hmc.example", 3.0)
        thread.join()
    assert said.startswith("an answer that cannot be read")

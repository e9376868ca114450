"""What conntrack makes of a packet that belongs to no flow, and which headers there are for it at all.

From Linux' nf_conntrack_proto_tcp.c (its table of flags, and what begins a connection, with ``nf_conntrack_tcp_loose``)
and nf_conntrack_proto_icmp.c (what begins an exchange). A flow may be begun by any other protocol.
"""

from __future__ import annotations

from rig.proof.header import FLAGS, ICMP, TCP, Field, Header, State
from rig.proof.rules import Masked
from rig.proof.space import Set, Space

BEGINS = FLAGS["SYN"] | FLAGS["RST"] | FLAGS["ACK"] | FLAGS["FIN"]
"""The flags that are looked at where nothing is known of a connection; URG and PSH go with a SYN or an ACK."""
FIRST = (FLAGS["SYN"], FLAGS["ACK"])
"""A SYN; an ACK, of a connection that is older than conntrack's memory."""
QUERIES = (8, 13, 15, 17)
"""ICMP that asks, and begins an exchange of two."""


def state_alone(protocol: int, flags: int, icmp_type: int) -> State:
    """What a packet is taken for that is the first of its kind. An ICMP error about nothing is INVALID."""
    if protocol == TCP and flags & BEGINS not in FIRST:
        return State.INVALID
    if protocol == ICMP and icmp_type not in QUERIES:
        return State.INVALID
    return State.NEW


LOOKED_INTO = (33, 132)
"""DCCP and SCTP: conntrack wants to see a whole association begin, which a header does not show."""


def can_be_sent(header: Header) -> bool:
    """Whether one packet alone is this: nothing has to be open before."""
    if header.protocol in LOOKED_INTO:
        return False
    return header.state is state_alone(header.protocol, header.flags, header.to_port >> 8)


def tracked(space: Space) -> Set:
    """The headers that can be at a gateway that tracks: a first packet is one that begins something, and flags are
    TCP's alone."""
    flags = space.exactly(Field.PROTOCOL, TCP) | space.exactly(Field.FLAGS, 0)
    return flags & (~space.exactly(Field.STATE, State.NEW) | _begins(space))


def alone(space: Space) -> Set:
    """The headers for which :func:`can_be_sent` is so."""
    simple = ~space.one_of(space.exactly(Field.PROTOCOL, protocol) for protocol in LOOKED_INTO)
    new, invalid = space.exactly(Field.STATE, State.NEW), space.exactly(Field.STATE, State.INVALID)
    begins = _begins(space)
    return simple & ((new & begins) | (invalid & ~begins))


def _begins(space: Space) -> Set:
    tcp, icmp = space.exactly(Field.PROTOCOL, TCP), space.exactly(Field.PROTOCOL, ICMP)
    first = space.one_of(space.matching([Masked(BEGINS, flags)]) for flags in FIRST)
    asks = space.one_of(space.within(Field.TO_PORT, kind << 8, kind << 8 | 255) for kind in QUERIES)
    return (~tcp | first) & (~icmp | asks)

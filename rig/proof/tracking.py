"""What conntrack makes of a packet that belongs to no flow, and which headers there are for it at all.

From Linux' nf_conntrack_proto_tcp.c (its table of flags, and what begins a connection, with ``nf_conntrack_tcp_loose``)
and nf_conntrack_proto_icmp.c (what begins an exchange). A flow may be begun by any other protocol.
"""

from __future__ import annotations

from collections.abc import Iterable

from rig.proof.header import FLAGS, ICMP, ICMPV6, TCP, Field, Header, State
from rig.proof.rules import Masked
from rig.proof.space import Set, Space

BEGINS = FLAGS["SYN"] | FLAGS["RST"] | FLAGS["ACK"] | FLAGS["FIN"]
"""The flags that are looked at where nothing is known of a connection; URG and PSH go with a SYN or an ACK."""
FIRST = (FLAGS["SYN"], FLAGS["ACK"])
"""A SYN; an ACK, of a connection that is older than conntrack's memory."""
QUERIES = {ICMP: (8, 13, 15, 17), ICMPV6: (128, 139)}
"""ICMP that asks, and begins an exchange of two; of IPv6 echo and node information."""
NEIGHBOURS = (130, 131, 132, 133, 134, 135, 136, 143)
"""ICMPv6 that conntrack leaves alone: what neighbours and routers say to each other, and who listens to a group."""


def state_alone(protocol: int, flags: int, icmp_type: int) -> State:
    """What a packet is taken for that is the first of its kind. An ICMP error about nothing is INVALID."""
    if protocol == TCP and flags & BEGINS not in FIRST:
        return State.INVALID
    if protocol == ICMPV6 and icmp_type in NEIGHBOURS:
        return State.UNTRACKED
    if icmp_type not in QUERIES.get(protocol, (icmp_type,)):
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
    begins, left_alone = _begins(space), _left_alone(space)
    untracked = space.exactly(Field.STATE, State.UNTRACKED) & left_alone
    return simple & ((new & begins) | (invalid & ~begins & ~left_alone) | untracked)


def _begins(space: Space) -> Set:
    tcp = space.exactly(Field.PROTOCOL, TCP)
    begins = ~tcp | space.one_of(space.matching([Masked(BEGINS, flags)]) for flags in FIRST)
    for protocol, kinds in QUERIES.items():
        begins &= ~space.exactly(Field.PROTOCOL, protocol) | _of_types(space, kinds)
    return begins


def _left_alone(space: Space) -> Set:
    return space.exactly(Field.PROTOCOL, ICMPV6) & _of_types(space, NEIGHBOURS)


def _of_types(space: Space, kinds: Iterable[int]) -> Set:
    return space.one_of(space.within(Field.TO_PORT, kind << 8, kind << 8 | 255) for kind in kinds)

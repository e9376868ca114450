"""Control messages in order and once, over datagrams that are lost, late and doubled (RFC 2661 §5.8)."""

from __future__ import annotations

import collections
from dataclasses import dataclass

from rig.drivers.l2tp.header import Header, pack

FIRST_WAIT, LONGEST_WAIT = 1.0, 8.0
"""Seconds until a message is sent again, doubled each time, and where that ends (§5.8)."""
TRIES = 6
"""So often a message is sent before the peer counts as gone: after 1 + 2 + 4 + 8 + 8 + 8 s."""
CYCLE = sum(min(FIRST_WAIT * 2**tried, LONGEST_WAIT) for tried in range(TRIES))
"""Seconds for which a peer may go on to send a message again."""
DEFAULT_WINDOW = 4
"""Of a peer that does not say (§4.4.3, Receive Window Size)."""
KEPT = 32
"""Messages that came too early and are kept: more than any window that we announce."""
HALF = 0x8000
MOST = 0xFFFF
"""Where slow start goes over into avoiding congestion, as long as nothing was lost: nowhere below a window's end
(Appendix A)."""


def later(number: int, other: int) -> bool:
    """Whether a sequence number comes after another, modulo 65,536."""
    return number != other and (number - other) % 0x10000 < HALF


@dataclass
class _Sent:
    ns: int
    session: int
    body: bytes
    due: float
    wait: float
    tries: int = 1


class Channel:
    """One tunnel's. ``peer``: the id that the peer has given the tunnel, 0 until it has; ``out``: datagrams to send."""

    def __init__(self, peer: int = 0) -> None:
        self.peer = peer
        self.window = DEFAULT_WINDOW
        self.out: list[bytes] = []
        self.gone = False
        self._ns = self._nr = 0
        self._congestion = 1.0
        self._threshold = float(MOST)
        self._waiting: collections.deque[tuple[int, bytes]] = collections.deque()
        self._unacknowledged: collections.deque[_Sent] = collections.deque()
        self._early: dict[int, tuple[int, bytes]] = {}
        self._owes_answer = False

    def send(self, session: int, body: bytes, now: float) -> None:
        """Send a message to the peer's session, or to the tunnel itself, 0; as soon as the window lets it."""
        self._waiting.append((session, body))
        self._fill(now)

    def receive(self, header: Header, body: bytes, now: float) -> list[tuple[int, bytes]]:
        """The messages that this one makes ready, in their order; none for an acknowledgement, or one seen before."""
        self._acknowledged(header.nr, now)
        if not body:
            return []
        self._owes_answer = True
        if (header.ns - self._nr) % 0x10000 >= KEPT:  # seen before, or beyond any window of ours
            return []
        self._early[header.ns] = (header.session, body)
        ready = []
        while self._nr in self._early:
            ready.append(self._early.pop(self._nr))
            self._nr = (self._nr + 1) % 0x10000
        return ready

    def drop(self) -> None:
        """The peer is about to go: what it has not acknowledged it needs no more."""
        self._waiting.clear()
        self._unacknowledged.clear()

    def flush(self, session: int = 0) -> None:
        """Acknowledge what was received, where no message of ours has done so: with one that has no body.

        ``session``: the peer's, of a call that it has just ended. RFC 2661 does not ask for it; xl2tpd 1.3 keeps a
        call for ever whose CDN was acknowledged without it.
        """
        if self._owes_answer:
            self._put(self._ns, session, b"")

    def tick(self, now: float) -> None:
        """Send again what is due. ``gone`` is set when the peer does not answer any more."""
        for sent in self._unacknowledged:
            if sent.due > now:
                continue
            if sent.tries >= TRIES:
                self.gone = True
                return
            sent.tries += 1
            sent.wait = min(2 * sent.wait, LONGEST_WAIT)
            sent.due = now + sent.wait
            if self._congestion > 1:  # once for all that is lost together
                self._threshold = max(1.0, self._congestion / 2)
            self._congestion = 1.0
            self._put(sent.ns, sent.session, sent.body)

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` is next to be called; None when nothing waits."""
        return min((sent.due for sent in self._unacknowledged), default=None)

    @property
    def idle(self) -> bool:
        """Whether the peer has acknowledged all that was sent."""
        return not self._unacknowledged and not self._waiting

    def _acknowledged(self, nr: int, now: float) -> None:
        """All before ``nr`` has arrived; one that acknowledges what was never sent is passed over."""
        if later(nr, self._ns):
            return
        while self._unacknowledged and later(nr, self._unacknowledged[0].ns):
            self._unacknowledged.popleft()
            self._congestion += 1 if self._congestion < self._threshold else 1 / self._congestion
            self._congestion = min(self._congestion, float(self.window))
        self._fill(now)

    def _fill(self, now: float) -> None:
        while self._waiting and len(self._unacknowledged) < min(self.window, int(self._congestion)):
            session, body = self._waiting.popleft()
            self._unacknowledged.append(_Sent(self._ns, session, body, now + FIRST_WAIT, FIRST_WAIT))
            self._ns = (self._ns + 1) % 0x10000
            self._put(self._unacknowledged[-1].ns, session, body)

    def _put(self, ns: int, session: int, body: bytes) -> None:
        self._owes_answer = False
        self.out.append(pack(Header(self.peer, session, ns, self._nr), body))

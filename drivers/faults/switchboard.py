"""What becomes of each message that passes, by the rules; and how often each rule has had its way. Sans-I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rig.drivers.faults.rule import Action, Rule, Sender

Sent = list[tuple[float, bytes]]
"""What goes on, and when."""


class Switchboard:
    """One for both directions of a line or a cable, so that a rule of no sender counts both."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._seen = [0] * len(self.rules)
        self._done = [0] * len(self.rules)

    def passes(
        self, name: str | None, sender: Sender, data: bytes, now: float, corrupted: Callable[[bytes], bytes]
    ) -> Sent:
        """What goes on of ``data``, which carries a message of that name, or none that has one. ``corrupted`` spoils
        it."""
        sent: Sent = [(now, data)]
        for at, rule in enumerate(self.rules):
            if name is None or not rule.is_about(name, sender):
                continue
            self._seen[at] += 1
            if rule.takes(self._seen[at]):
                self._done[at] += 1
                sent = _done(rule, sent, corrupted)
        return sent

    def happened(self) -> list[tuple[str, int, int]]:
        """Each rule in words, how many messages of its kind have passed, and to how many of them it was done."""
        counted = zip(self.rules, self._seen, self._done, strict=True)
        return [(str(rule), seen, done) for rule, seen, done in counted]


def spoiled(message: bytes) -> bytes:
    """Its last octet is another."""
    return message[:-1] + bytes((message[-1] ^ 1,))


def _done(rule: Rule, sent: Sent, corrupted: Callable[[bytes], bytes]) -> Sent:
    match rule.action:
        case Action.DROP:
            return []
        case Action.DUPLICATE:
            return [each for one in sent for each in (one, one)]
        case Action.REPLAY:
            return sent + [(when + rule.seconds, data) for when, data in sent]
        case Action.DELAY:
            return [(when + rule.seconds, data) for when, data in sent]
        case Action.CORRUPT:
            return [(when, corrupted(data)) for when, data in sent]

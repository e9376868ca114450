"""Inbound calls at a partition's modem (RFC 2661's incoming call): the near end answers over L2TP.

The paper has inbound calls come to the HMC's own modem, and says nothing of a partition's (§2.2.1 beside §2.1.4.2).
What follows from RFC 2661 is done: the tunnel that the near end has opened is the one that the call is offered over;
the partition answers its modem once the near end has taken the offer, at the first RING, whatever [inbound] rings says;
who calls, and with what credentials, is the near end's to judge.
"""

from __future__ import annotations

from drivers.modem.call import Connection
from rig.links.answering import AnsweringEnd, NotCalledError
from rig.links.remote_modem import RemoteNearEnd


class RemoteAnsweringEnd(AnsweringEnd, RemoteNearEnd):
    """An answering end whose modem is the partition's. Rules and routing are as with a modem of its own."""

    def wait_for_call(self, seconds: float) -> None:
        """Wait until the partition offers a call. Raises NotCalledError after so many seconds."""
        self.listening.set()
        try:
            self._still_wanted()
            offered = self.borrowed.wait_for_call(seconds)
        finally:
            self.listening.clear()
        if offered is None:
            self._still_wanted()
            raise NotCalledError(f"nobody called within {seconds:g} s")
        self.caller = offered.calling

    def answer(self) -> Connection:
        """Have the partition answer. Raises as BorrowedModem.answer does."""
        doing = f"partition answering{f' {self.caller}' if self.caller else ''}"
        return self._connected(doing, lambda: self.borrowed.answer(self._seconds))

    def abandon(self) -> None:
        """From another thread: wake whoever waits for a call that will not come. They see PortLostError."""
        self._abandoned = True
        if self._borrowed is not None:
            self._borrowed.wake()

"""The two sides of a PPP session: who calls says who it is, who answers asks. Each as pppd has to be told it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from rig.config.bench import InboundTable
from rig.drivers.base.secret import Secret
from rig.drivers.ppp.pppd import Pppd

PPP_OPTIONS = (
    "noauth", "noipdefault", "defaultroute", "usepeerdns", "ipcp-accept-local", "ipcp-accept-remote",
    "nobsdcomp", "nodeflate", "refuse-eap", "refuse-mschap", "refuse-mschap-v2",
    "lcp-echo-interval", "20", "lcp-echo-failure", "3", "asyncmap", "0",
    # A far end whose PPP comes a moment after its CONNECT misses the first packet: it is repeated after one second,
    # not three, and for as long as before.
    "lcp-restart", "1", "lcp-max-configure", "30",
)  # fmt: skip
CHALLENGES = 5
"""How often a caller is asked by CHAP who it is, spread over the time that it has for that."""


class Role(Protocol):
    """One side. ``client``: what it says of itself to the other."""

    client: Secret | None

    def words(self) -> tuple[str, ...]:
        """What pppd is told beyond what is this bench's, or this link's."""

    def admit(self, pppd: Pppd) -> None:
        """Tell it whom it may let in, and what address they are given."""


@dataclass
class Calling:
    """The caller. ``auth``: how it lets itself be authenticated; ``unit``: of its PPP interface, where its name must be
    known beforehand."""

    client: Secret | None
    auth: Literal["pap", "chap"] = "pap"
    unit: int | None = None

    def words(self) -> tuple[str, ...]:
        unit = () if self.unit is None else ("unit", f"{self.unit}")
        return (*PPP_OPTIONS, *unit, *(() if self.auth == "chap" else ("refuse-chap",)))

    def admit(self, pppd: Pppd) -> None:
        """Nobody: who answers is not asked."""


@dataclass
class Answering:
    """Who takes an inbound call (§2.2.1). ``unit``: of the PPP interface, whose name is in the call's rules."""

    table: InboundTable
    credentials: Secret = field(default_factory=lambda: Secret("", ""))
    unit: int = 0
    client: Secret | None = None

    @property
    def interface(self) -> str:
        return f"ppp{self.unit}"

    def words(self) -> tuple[str, ...]:
        table = self.table
        bound, repeat = max(1, round(table.authentication)), max(1, round(table.authentication / CHALLENGES))
        other = {"pap": ("refuse-chap",), "chap": ()}[table.auth]
        return (
            # silent: the caller speaks first. The times are pppd's own to keep.
            "auth", f"require-{table.auth}", *other, "refuse-mschap", "refuse-mschap-v2", "refuse-eap", "silent",
            "nobsdcomp", "nodeflate", "lcp-echo-interval", "20", "lcp-echo-failure", "3", "asyncmap", "0",
            "unit", f"{self.unit}", "nodefaultroute", "noproxyarp", "pap-timeout", f"{bound}",
            "chap-max-challenge", f"{CHALLENGES}", "chap-restart", f"{repeat}",
            "idle", f"{table.idle}", "maxconnect", f"{table.total}", f"{table.ppp_address}:{table.remote}",
        )  # fmt: skip

    def admit(self, pppd: Pppd) -> None:
        pppd.admit([self.credentials], self.table.remote)

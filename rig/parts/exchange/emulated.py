"""The emulated telephone exchange of a bench, as those see it who put modems on its lines."""

from __future__ import annotations

from rig.config.bench import Bench
from rig.config.ports import near_port
from rig.drivers.faults.messages import Kind
from rig.drivers.serial.ports import await_port
from rig.parts.exchange import switch
from rig.parts.exchange.analogue.plan import AnaloguePlan, CardPlan
from rig.parts.exchange.exchange import Timing
from rig.parts.exchange.switch import Entry, Plan
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.process import PartnerProcess

NEAR_LINE = "near-end"
"""The name of the near end's own line."""
PARTITION_LINE = "i5os-1"
"""That of the one which a partition lends it."""
PLUG_SECONDS = 20.0
"""How long a USB modem may take from its plug to its tty: half a second, and ten times that under emulation."""


def _timing(bench: Bench) -> Timing:
    table = bench.exchange
    assert table is not None
    rate = None if table.rate == "instant" else int(table.rate)
    return Timing(rate, table.setup, table.ring_every, table.training, table.patience)


def _analogue(bench: Bench) -> AnaloguePlan | None:
    table = bench.exchange
    assert table is not None
    if table.line == "wired":
        return None
    card = table.sound_card
    plan = CardPlan(card.device, (card.louder_in, card.louder_out)) if card else None
    return AnaloguePlan(int(table.rate), table.pace == "instant", table.impairments, plan)


def _entries(bench: Bench) -> tuple[Entry, ...]:
    assert bench.exchange is not None
    return tuple(
        Entry(
            number.number,
            "modem" if number.kind in ("lig", "modem", "misbehaving") else number.kind,
            number.lines,
            number.drop_after,
        )
        for number in bench.exchange.numbers
    )


class EmulatedExchange:
    """Its process, started; ``process.wait_ready()`` before the first line. ``control`` asks, see switch.Switch."""

    def __init__(self, bench: Bench, owner: Owner) -> None:
        self._bench = bench
        self._modem = bench.near_end.modem
        faults = bench.faults.rules(Kind.PPP)
        faulty = (NEAR_LINE, PARTITION_LINE)
        self.plan = Plan(_timing(bench), _entries(bench), owner.folder, faults, faulty, _analogue(bench))
        self.control = Control(self.plan.control_path)
        self.process = owner.own(PartnerProcess("exchange", switch.main, (self.plan,), owner.folder / "exchange.log"))

    @property
    def leads_outside(self) -> bool:
        """Whether the near end's modem is a real one, behind a sound card."""
        return self.plan.analogue is not None and self.plan.analogue.card is not None

    def near_end(self) -> str:
        """The near end's own line, made; the port of the modem at its other end."""
        if not self.leads_outside:
            return self.install_line(NEAR_LINE, self._bench.near_end.number or "")
        self.lead_outside()
        return near_port(self._bench)

    def lead_outside(self) -> None:
        """Put the near end's line on the sound card of the bench, which is open from then on."""
        self.control.ask("lead_outside", name=NEAR_LINE, number=self._bench.near_end.number or "")

    def install_line(self, name: str, number: str, bus: str = "") -> str:
        """A new telephone line with a modem on it, as the bench has its near end's; the path of its port.

        ``bus``: another than the near end's.
        """
        bus = bus or self._modem.bus
        make = "" if self.leads_outside else self._modem.profile
        where: str = self.control.ask("install", name=name, number=number, make=make, bus=bus)
        return where if bus == "pty" else await_port(where, PLUG_SECONDS).device

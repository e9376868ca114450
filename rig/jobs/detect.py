"""What is on the serial ports: each asked who it is, side by side; of a modem's several ports the one that dials."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rig.config import layouts, profiles
from rig.drivers.base.errors import NoModemError, PortBusyError, PortLostError
from rig.drivers.modem import profile
from rig.drivers.modem.asker import Conversation, converse
from rig.drivers.modem.interview import Findings, find_and_ask
from rig.drivers.modem.profile import Profile
from rig.drivers.serial.layouts import UNTOUCHED
from rig.drivers.serial.ports import Port, kernel_consoles
from rig.drivers.serial.serial_line import SerialLine

State = Literal["modem", "no modem", "held", "denied", "left alone", "gone"]


@dataclass
class Detection:
    """What was found on one port. ``dials``: it is the one to dial with, of those that one device has."""

    port: Port
    state: State = "no modem"
    findings: Findings = field(default_factory=Findings)
    profile: Profile | None = None
    dials: bool = False
    note: str = ""

    @property
    def known(self) -> bool:
        return self.profile is not None and self.profile.name != profiles.GENERIC

    @property
    def kind(self) -> str:
        """pstn, cellular, isdn or unknown: what the profile says, or else what the modem can do."""
        if self.profile is not None and self.profile.kind != "unknown":
            return self.profile.kind
        return self.findings.identity.kind


@dataclass(frozen=True)
class Caution:
    """Ports that nothing is written to: what the user marks, as filters (see ports.FILTERS) or as device paths."""

    filters: Sequence[dict[str, str]] = ()
    devices: Sequence[str] = ()

    def reason(self, port: Port) -> str:
        """Why a port is left alone; empty when it is not."""
        if port.device in self.devices or any(port.matches(wanted) for wanted in self.filters):
            return "marked as not to be touched"
        if port.device in kernel_consoles():
            return "it is the kernel's console"
        for known in profiles.by_usb(port.vendor, port.model):
            if port.interface_number in known.port.untouched:
                return f"interface {port.interface_number} of a {known.title} is not to be touched"
        return _not_at(port)


def _not_at(port: Port) -> str:
    """What an interface carries that is not AT, where its maker's layout says so."""
    layout = layouts.by_vendor(port.vendor)
    if layout is None or port.interface_number is None:
        return ""
    role = layout.role_of(port.model, port.interface_number)
    if role not in UNTOUCHED:
        return ""
    carries = "its maker's diagnostics" if role == "diagnostics" else "no AT"
    return f"interface {port.interface_number} of a {layout.product_name(port.model)} carries {carries}"


Tell = Callable[[Port, str, bytes], None]


def detect(
    ports: Iterable[Port], caution: Caution, *, patient: bool = False, tell: Tell = lambda port, way, data: None
) -> list[Detection]:
    """Ask every port; what was found, in the order of the ports. ``tell`` sees each byte that goes to or comes
    from one.

    ``patient``: somebody says that there is a modem there, so what costs seconds is tried as well.
    """
    found = [Detection(port) for port in ports]
    with contextlib.ExitStack() as open_lines:
        asked: dict[Conversation, Detection] = {}
        for one in found:
            line = _open(one, caution)
            if line is not None:
                open_lines.callback(line.close)
                _start(one, line, patient, tell, asked)
        converse(asked, lambda conversation, _why: _gone(asked[conversation]))
        for conversation, one in asked.items():
            _conclude(one, conversation.findings or Findings())
    _choose(found)
    return found


def _open(one: Detection, caution: Caution) -> SerialLine | None:
    one.note = caution.reason(one.port)
    if one.note:
        one.state = "left alone"
        return None
    try:
        return SerialLine(one.port.device, _first_speed(one.port), rtscts=False)
    except NoModemError as error:
        one.state = "held" if isinstance(error, PortBusyError) else "denied"
        one.note = f"{error}; {error.advice}" if error.advice else str(error)
        return None


def _first_speed(port: Port) -> int:
    known = profiles.by_usb(port.vendor, port.model)
    return known[0].port.speed if known else profile.PortFacts().speed


def _start(one: Detection, line: SerialLine, patient: bool, tell: Tell, asked: dict[Conversation, Detection]) -> None:
    port = one.port
    try:
        has_lines = line.has_modem_control
        dialogue = find_and_ask(
            _first_speed(port),
            fixed_speed=port.usb or not has_lines,
            online=line.carrier is True,
            patient=patient,
        )
        asked[Conversation(line, dialogue, lambda way, data: tell(port, way, data))] = one
    except (OSError, PortLostError):
        _gone(one)


def _gone(one: Detection) -> None:
    one.state, one.note = "gone", "it went away while it was asked"


def _conclude(one: Detection, findings: Findings) -> None:
    if one.state == "gone":
        return
    one.findings = findings
    if not findings.speed:
        one.note = findings.why
        waits = [known.timing.after_plugging for known in profiles.by_usb(one.port.vendor, one.port.model)]
        if any(waits):
            one.note += f"; this make takes {max(waits):g} s after it was plugged in"
        return
    one.state = "modem"
    one.profile = profiles.recognise(findings.identity, one.port.vendor, one.port.model)
    one.note = findings.why
    if one.known and not one.profile.recognised_in(findings.identity):
        one.note = f"recognised by its USB id alone{'; ' if findings.why else ''}{findings.why}"


def _choose(found: list[Detection]) -> None:
    """Mark the port that dials: the one that the profile names, or else its maker's layout; where neither does, the
    first that speaks AT."""
    devices: dict[str, list[Detection]] = {}
    for one in found:
        if one.state == "modem":
            devices.setdefault(one.port.device_path or one.port.device, []).append(one)
    for ports in devices.values():
        wanted = {one.profile.port.interface for one in ports if one.profile} - {None}
        wanted = wanted or {layouts.dials(one.port.vendor, one.port.model) for one in ports} - {None}
        candidates = [one for one in ports if not (wanted and one.port.usb) or one.port.interface_number in wanted]
        if candidates:
            candidates[0].dials = True

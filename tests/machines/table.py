"""docs/machines.md: what was found on which machine, with the versions that it had."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "machines.md"
VERSIONS = {
    "kernel": "uname -r",
    "systemd": "systemctl --version | head -n 1",
    "udev's rules of the rig": "sha256sum hw-config/udev/70-rig.rules | cut -c 1-12",
    "ModemManager": "ModemManager --version | head -n 1",
    "NetworkManager": "NetworkManager --version",
    "nft": "nft --version",
    "iptables": "iptables --version",
    "pppd": "pppd --version 2>&1",
    "Python": ".venv/bin/python --version",
}
"""What is told of each machine, and the command that says it."""
INTRODUCTION = """\
# Bench machines

Made by `make machines`: each machine of its distribution's packages, started to systemd in QEMU with the distribution's
own kernel. Its modems are soft ones on a USB stack of software (dummy_hcd): to udev, cdc_acm, ModemManager and the rig
they are modems on a USB port.

"""


@dataclass
class Found:
    """By machine: ``versions``, and what came of each test by its name."""

    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    outcomes: dict[str, dict[str, str]] = field(default_factory=dict)

    def take(self, machine: str, test: str, outcome: str) -> None:
        self.outcomes.setdefault(test, {})[machine] = outcome


def document(found: Found) -> str:
    """The whole page."""
    machines = list(found.versions)
    head = f"| | {' | '.join(machines)} |\n| --- |{' --- |' * len(machines)}\n"
    rows = [(what, [found.versions[machine][what] for machine in machines]) for what in VERSIONS]
    tests = [
        (test.removeprefix("test_").replace("_", " "), [outcomes.get(machine, "not run") for machine in machines])
        for test, outcomes in found.outcomes.items()
    ]
    return INTRODUCTION + head + "".join(f"| {name} | {' | '.join(cells)} |\n" for name, cells in [*rows, *tests])

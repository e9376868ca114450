"""The paper section by section: what the rig does for each, and the tests that show it; ``python -m tests.paper``.

A test says by ``@pytest.mark.paper("3.1")`` which sections it shows. docs/paper.md is made from these marks, and a unit
test holds it to them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
DOCUMENT = FOLDER.parent / "docs" / "paper.md"
INTRODUCTION = """\
# The paper, section by section

*HMC External Connectivity Security* (IBM, 2007), what the rig does for each section, and the tests that show it. Made
from the marks on the tests by `make docs`; do not edit it by hand.

| § | about | what the rig does | shown by |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Section:
    """``does``: what the rig does for it; a section without tests says there what is missing."""

    number: str
    title: str
    does: str
    tested: bool = True


SECTIONS = (
    Section("2.1.1", "Modem connectivity", "dials a real or an emulated modem, or is the gateway that a device dials; the near end opens every connection, and what the customer lets in is probed"),
    Section("2.1.2.1", "Internet, without a proxy", "is the console and the customer's router, sound or broken on purpose, or the router that a device is behind; see [ways-home.md](ways-home.md)"),
    Section("2.1.2.2", "Internet, through a proxy", "speaks CONNECT and basic authentication to a real squid or tinyproxy, holds it to what it is to let through, or has a device behind it"),
    Section("2.1.3", "Internet VPN", "is the console and the gateway: real IKE and ESP, with NAT and without, L2TP and PPP inside; the customer's firewall by probes, new keys, several consoles; or the gateway that a device under test has its VPN with; or the console of a gateway under test"),
    Section("2.1.4.1", "Multi-hop VPN", "asks the rig's own partition for it over L2TP, which makes the VPN and joins the console's PPP to it; what is in clear on the local hop is said"),
    Section("2.1.4.2", "Remote modem", "borrows a partition's modem over L2TP, or is the partition; see [remote-modem.md](remote-modem.md)"),
    Section("2.2.1", "Inbound by modem", "takes a representative's call as the console does: one-time credentials, alternate addresses of partitions, listed ports; or is the representative, and holds a device to that"),
    Section("2.2.2", "Inbound by VPN", "opens a session for the console and one for each partition that is allowed, through the VPN, over the customer's network, a modem or a partition, with the rules before each; is the representative, and verifies them"),
    Section("3.1", "The gateway", "PAP, an assigned address, the fence around it: built, probed with a thousand packets, and broken on purpose in forty ways"),
    Section("3.2", "SSL", "connects to each authorized server and holds it to a policy: today's, or 2007's"),
    Section("3.3", "VPN", "agrees by IKEv1 on 3DES with SHA-1 or MD5 as the paper has it, or on what is good today, and names what is outdated; the paper's 160-bit MD5 cannot be; new keys while data goes on, a peer that is gone, packets sent again or altered"),
    Section("4.1", "Reasons for connecting", "sends for each of the seven, over every way home, and fetches fixes; see [call-home.md](call-home.md)"),
    Section("4.2", "Data sent", "[hmc-2007.toml](../hw-config/call-home/hmc-2007.toml): every file by its name, what varies in it and what it is to hold; sent to a receipt, whatever becomes of the call"),
    Section("5.1", "Server addresses", "[hmc-2007.toml](../hw-config/fences/hmc-2007.toml), by region"),
    Section("5.2", "VPN servers", "in the same file; closed unless a bench says `vpn = true`"),
    Section("5.3", "Ports for remote service", "in the same file; open to an inbound caller where access is enabled"),
    Section("5.4.1", "Discovery", "consoles that find each other by broadcast on each configured card, and through a system that both manage, and speak by TLS; or the other console of one that is a device under test; see [consoles.md](consoles.md)"),
    Section("5.4.2", "Call-home servers", "consoles that call home for others by a modem each: whom a request is given to, and what becomes of it, whoever dies, hangs, is busy or cut off; or the console that hands a device under test a request; see [consoles.md](consoles.md)"),
)  # fmt: skip


def marks() -> Iterator[tuple[str, Path, str]]:
    """Every mark: section, file, test; read from the source, so that nothing need be there to run the tests."""
    for path in sorted(FOLDER.glob("*/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                for decorator in node.decorator_list:
                    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.paper":
                        yield from ((ast.literal_eval(argument), path, node.name) for argument in decorator.args)


def document() -> str:
    """docs/paper.md, as it should be."""
    shown = list(marks())
    rows = []
    for section in SECTIONS:
        tests = [
            f"[{name.removeprefix('test_').replace('_', ' ')}](../{path.relative_to(FOLDER.parent)})"
            for number, path, name in shown
            if number == section.number
        ]
        rows.append(f"| {section.number} | {section.title} | {section.does} | {'; '.join(tests) or 'no test'} |\n")
    return INTRODUCTION + "".join(rows)


if __name__ == "__main__":
    DOCUMENT.write_text(document())

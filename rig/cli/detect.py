"""``rig detect``."""

from __future__ import annotations

import sys
from typing import Any

import click

from rig.cli.common import bench_option, load_bench
from rig.config import layouts, profiles
from rig.drivers.base.errors import NoModemError
from rig.drivers.serial.ports import Change, Port, list_ports, port_at, watch
from rig.jobs.detect import Caution, Detection, detect
from rig.jobs.suggestion import suggest
from rig.verdict.verdict import as_json


@click.command("detect", epilog="Example: rig detect --watch")
@click.option("--port", "named", multiple=True, metavar="P", help="Ask this port, or pyserial URL, and patiently.")
@click.option("--leave", "left", multiple=True, metavar="P", help="Write nothing to this port.")
@click.option("--watch", "watching", is_flag=True, help="Show modems as they come and go, until interrupted.")
@click.option("--suggest", "suggesting", is_flag=True, help="Print a bench and a profile for what was found.")
@bench_option
@click.option("--json", "wants_json", is_flag=True, help="One JSON object on standard output; with --watch one a line.")
@click.option("-v", "--verbose", is_flag=True, help="Show every byte that goes to a port and comes from it.")
def detect_command(
    named: tuple[str, ...],
    left: tuple[str, ...],
    watching: bool,
    suggesting: bool,
    bench: str | None,
    wants_json: bool,
    verbose: bool,
) -> int:
    """Serial ports and modems: found by udev, asked who they are, side by side."""
    chosen = load_bench(bench)
    caution = Caution([entry.filters for entry in chosen.untouched], left)
    profiles.all_profiles()  # what is wrong in one is an error here, not in the middle of a list
    layouts.all_layouts()
    if watching:
        return _watch(caution, wants_json, verbose)
    ports = [port_at(name) for name in named] or list_ports()
    if not ports:
        raise NoModemError("no serial port is here", "plug a modem in; rig detect --watch   shows it as it comes")
    found = detect(ports, caution, patient=bool(named), tell=_tell if verbose else lambda *_: None)
    if wants_json:
        click.echo(as_json({"ports": [describe(one) for one in found]}))
    else:
        for one in found:
            show(one)
    if suggesting:
        for one in found:
            if one.state == "modem" and one.dials:
                click.echo(suggest(one))
    if not any(one.state == "modem" for one in found):
        raise NoModemError(
            f"no modem on {'any of ' if len(found) > 1 else ''}{', '.join(one.port.device for one in found)}",
            "rig detect --port P   asks a port patiently; -v shows what it says",
        )
    return 0


def _watch(caution: Caution, wants_json: bool, verbose: bool) -> int:
    there: dict[str, Detection] = {}
    for change in watch():
        if change.action == "added":
            one = detect([change.port], caution, tell=_tell if verbose else lambda *_: None)[0]
            there[change.port.system_path] = one
        else:
            one = there.pop(change.port.system_path, Detection(change.port))
        if wants_json:
            click.echo(as_json({"action": change.action} | describe(one)))
        else:
            _show_change(change, one)
    return 0


def _show_change(change: Change, one: Detection) -> None:
    if change.action == "added":
        show(one)
    else:
        click.echo(f"{change.port.device}  went away" + (f": {one.profile.title}" if one.profile else ""))


def _tell(port: Port, way: str, data: bytes) -> None:
    sys.stderr.write(f"{port.device} {'->' if way == 'to' else '<-'} {data!r}\n")


def describe(one: Detection) -> dict[str, Any]:
    """A port as JSON: the keys are the command line's contract."""
    identity = one.findings.identity
    port = {name: getattr(one.port, name) for name in one.port.__dataclass_fields__}
    return {
        **port,
        "state": one.state,
        "note": one.note,
        "dials": one.dials,
        "speed": one.findings.speed,
        "left": {name: getattr(one.findings, name) for name in ("echo", "numeric", "quiet", "online")},
        "kind": one.kind if one.state == "modem" else "",
        "profile": one.profile.name if one.profile else "",
        "identity": {
            "manufacturer": identity.manufacturer,
            "model": identity.model,
            "revision": identity.revision,
            "serial": identity.serial,
            "capabilities": identity.capabilities,
            "fax_classes": identity.fax_classes,
            "modulations": identity.modulations,
            "voice": identity.voice,
            "information": dict(identity.information),
        },
    }


def show(one: Detection) -> None:
    """A port for a person."""
    if one.state != "modem":
        click.echo(f"{one.port.device}  {one.state}: {one.note}")
        return
    assert one.profile is not None
    identity = one.findings.identity
    click.echo(
        f"{one.port.device}  {'dials' if one.dials else 'AT'}  {one.kind}: {identity.name or 'tells nothing of itself'}"
    )
    details = [
        ("profile", one.profile.name + ("" if one.known else ": not known; rig detect --suggest prints a beginning")),
        ("speed", f"{one.findings.speed} bit/s" if not one.port.usb else ""),
        ("serial", identity.serial),
        ("can", ", ".join(_abilities(one))),
        ("cannot", "; ".join(one.profile.cannot)),
        ("was left", ", ".join(_left(one))),
        ("note", one.note),
        ("link", one.port.link),
    ]
    for name, value in details:
        if value:
            click.echo(f"    {name:9} {value}")


def _abilities(one: Detection) -> list[str]:
    identity = one.findings.identity
    fax = [name for name in identity.fax_classes if name not in ("0", "8")]
    return [
        *([f"modulations to {identity.modulations[-1]}"] if identity.modulations else []),
        *([f"fax class {', '.join(fax)}"] if fax else []),
        *(["voice"] if identity.voice else []),
    ]


def _left(one: Detection) -> list[str]:
    words = {
        "echo": "with echo", "numeric": "with numeric result codes", "quiet": "without result codes (Q1)",
        "online": "in a call, which was hung up",
    }  # fmt: skip
    return [text for name, text in words.items() if getattr(one.findings, name)]

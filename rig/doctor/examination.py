"""The whole examination, and whether the bench named can run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rig.config.bench import Bench
from rig.config.bench_files import load, load_destinations, load_fence_file, load_tls_file
from rig.config.ports import near_port
from rig.config.shipped import HW_CONFIG
from rig.doctor.finding import Finding, State
from rig.doctor.kernel import kernel
from rig.doctor.ports import serial_ports
from rig.doctor.programs import programs, rights
from rig.drivers.base.errors import GuestError, NoModemError, RigError
from rig.drivers.modem import profile
from rig.lab import engines as lab
from rig.parts.exchange.analogue.plan import check_installed


@dataclass(frozen=True)
class Examination:
    """``bench``: the verdict on the one named; the run's exit status is 0 where that is ok, and 4 where not."""

    findings: tuple[Finding, ...]
    bench: Finding


def examine(bench: Bench) -> Examination:
    """Look at everything; nothing is changed, and nothing written to any port."""
    found = [*kernel(), *programs(), *rights(), *serial_ports(), *engines(), *hw_config()]
    return Examination(tuple(found), can_run(bench))


def engines() -> Iterator[Finding]:
    """Where benches can run: each engine of which a guest has started here since this machine booted, or does now."""
    mends = {
        "native": "as root, modprobe ppp_async; where there is no such module, the lab does without",
        "uml": "apt-get install user-mode-linux",
        "qemu": "apt-get install qemu-system-x86 && make usb-guest",
    }
    for name, engine in lab.engines().items():
        lacking = engine.missing()
        usb = "" if lacking or engine.missing(usb=True) else ", USB too"
        if lacking:
            yield Finding("lab", name, State.MISSING, f"lacks {lacking}", mends[name])
            continue
        try:
            lab.see_it_start(name)
        except GuestError as error:
            yield Finding("lab", name, State.BROKEN, str(error), error.advice or "-v shows its console", error.console)
        else:
            yield Finding("lab", name, State.OK, f"ready{usb}")


def hw_config() -> Iterator[Finding]:
    """Whether every file of hw-config is what it must be."""
    kinds = {
        "benches": _bench,
        "fences": lambda path: load_fence_file(str(path)),
        "tls": lambda path: load_tls_file(str(path)),
        "modems": profile.load,
    }
    for kind, check in kinds.items():
        files = sorted((HW_CONFIG / kind).glob("*.toml"))
        wrong = []
        for path in files:
            try:
                check(path)
            except RigError as error:
                wrong.append(Finding("hw-config", f"{kind}/{path.name}", State.BROKEN, str(error), f"mend {path}"))
        yield from wrong
        if not wrong:
            yield Finding("hw-config", kind, State.OK, f"{len(files)} file{'' if len(files) == 1 else 's'}")


def _bench(path: Path) -> None:
    load_destinations(load(str(path)))


def can_run(bench: Bench) -> Finding:
    """Whether a bench can run here, and where."""
    name = f"bench {bench.name}"
    try:
        if bench.exchange is not None and bench.exchange.line == "analogue":
            check_installed(card=bench.exchange.sound_card is not None)
        if bench.emulated:
            return Finding("verdict", name, State.OK, f"can run, in: {lab.first_that_starts(lab.usable_for(bench))}")
        lab.usable_for(bench)
        return Finding("verdict", name, State.OK, f"can run, with the modem at {near_port(bench)}")
    except NoModemError as error:
        return Finding("verdict", name, State.MISSING, str(error), error.advice)
    except RigError as error:
        return Finding("verdict", name, State.BROKEN, str(error).removeprefix(f"{name} "), error.advice)

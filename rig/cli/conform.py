"""``rig conform``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from rig.cli.common import (
    bench_option,
    enter_lab_to_call,
    gateway_number,
    json_option,
    lab_option,
    load_bench,
    load_bench_to_run,
    show_outcome,
    verbosity_options,
)
from rig.drivers.base.errors import UsageError
from rig.drivers.modem.number import Number
from rig.run.results import make_folder
from rig.verdict.conform import ConformVerdict
from rig.verdict.verdict import as_json


@click.group()
def conform() -> None:
    """A device held to what a standard says of it, sentence by sentence."""


details_option = click.option("--details", is_flag=True, help="What went over the line, for each case that failed.")
junit_option = click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="JUnit's XML, there."
)
answer_option = click.option("--answer", type=click.FloatRange(0.05, 60), default=1.0, metavar="S", show_default=True,
                             help="How long an answer that is due may take.")  # fmt: skip
against_option = click.option(
    "--against", metavar="COMMAND", default="", help="A program that is the device; {port}: its terminal."
)
speed_option = click.option("--speed", type=click.IntRange(min=300), default=115200, metavar="BIT/S", show_default=True)


@conform.command("ppp", epilog="Example: rig conform ppp --port /dev/ttyUSB0 --restart-timer 3 9 10.3")
@click.option("--port", metavar="PORT", default="", help="Where the device is: a serial port, or a pseudo-terminal.")
@speed_option
@against_option
@bench_option
@click.option("--number", metavar="N", default="", help="Whom the bench's modem calls, for each case; its gateway.")
@click.option(
    "--restart-timer", "restart", type=click.FloatRange(0.1, 60), metavar="S", help="The device's; 3, and for pppd 2."
)
@click.option("--max-configure", type=click.IntRange(1, 100), metavar="N", help="The device's; 10, and for pppd 4.")
@click.option("--max-terminate", type=click.IntRange(1, 100), default=2, metavar="N", show_default=True)
@click.option("--max-failure", type=click.IntRange(1, 100), default=5, metavar="N", show_default=True)
@answer_option
@details_option
@click.option(
    "--capture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What went over the line in each case that failed, for Wireshark.",
)
@junit_option
@lab_option
@json_option
@verbosity_options
@click.argument("cases", nargs=-1)
def ppp(
    port: str, speed: int, against: str, bench: str | None, number: str, restart: float | None,
    max_configure: int | None, max_terminate: int, max_failure: int, answer: float, details: bool,
    capture: Path | None, junit: Path | None, engine: str | None, wants_json: bool, verbose: bool, quiet: bool,
    cases: tuple[str, ...],
) -> int:  # fmt: skip
    """LCP and its framing (RFC 1661, RFC 1662): every case, or CASES, such as 9 for a group and 9.4 for one of it.

    The device is at a --port, is a program, or is called from a --bench; without them it is pppd, in the lab.
    """
    words = _one_device(port, against)
    elsewhere = bool(port or against)
    called = load_bench_to_run(bench) if bench and not elsewhere else None
    if called is not None and not called.dials:
        raise UsageError(f"bench {called.name} dials no number")
    if number and called is None:
        raise UsageError("--number: it is called from a --bench")
    whom = (Number(number) if number else gateway_number(called)) if called is not None else None
    _room_for(junit, capture)
    own = not elsewhere and called is None
    if not elsewhere:
        enter_lab_to_call(engine, called or load_bench("loopback-instant"), *_folders(junit, capture))
    from rig.drivers.ppp.peer.lcp import Timing
    from rig.jobs.conform_ppp import ConformPlan, run_ppp
    from rig.run.progress import Progress

    timing = Timing(restart or (2.0 if own else 3.0), max_configure or (4 if own else 10), max_terminate, max_failure)
    plan = ConformPlan(timing, port, speed, words, cases, answer, called, whom, capture)
    verdict = run_ppp(plan, Progress(verbose=verbose, quiet=quiet))
    return _told(verdict, "ppp", junit, wants_json=wants_json, details=details)


@conform.command("at", epilog="Example: rig conform at --port /dev/ttyUSB0 1 6.2")
@click.option("--port", metavar="PORT", default="", help="Where the modem is.")
@speed_option
@against_option
@click.option("--make", metavar="PROFILE", default="", help="Which soft modem it is, where it is one of the rig's own.")
@click.option(
    "--partner", metavar="PORT", default="", help="Where another modem is, to call it and to be called by it."
)
@click.option("--number", metavar="N", default="", help="At which the device calls that one.")
@click.option("--own-number", metavar="N", default="", help="At which that one calls the device.")
@click.option("--busy", metavar="N", default="", help="A number that is busy.")
@click.option("--no-answer", metavar="N", default="", help="A number that rings, and where nobody answers.")
@answer_option
@click.option("--connect", type=click.FloatRange(0.5, 300), default=60.0, metavar="S", show_default=True,
              help="How long a call may take until CONNECT.")  # fmt: skip
@details_option
@junit_option
@json_option
@verbosity_options
@click.argument("cases", nargs=-1)
def at(
    port: str, speed: int, against: str, make: str, partner: str, number: str, own_number: str, busy: str,
    no_answer: str, answer: float, connect: float, details: bool, junit: Path | None, wants_json: bool, verbose: bool,
    quiet: bool, cases: tuple[str, ...],
) -> int:  # fmt: skip
    """A modem, or firmware that plays one (V.250): every case, or CASES, such as 9 for a group and 9.4 for one of it.

    Without --port and --against it is a soft modem of the rig's own. Neither a lab nor root is needed.
    """
    words = _one_device(port, against)
    if make and (port or against):
        raise UsageError("--make: it is for a soft modem, and the device is another")
    if (partner or number or own_number or busy or no_answer) and not port:
        raise UsageError("--partner and the numbers: they are for the modem at a --port")
    if partner and not (number or own_number):
        raise UsageError("--partner: a --number, at which it is called, or an --own-number, which it calls, is missing")
    _room_for(junit)
    from rig.conform.at.tester import Numbers
    from rig.jobs.conform_at import AtPlan, run_at
    from rig.run.progress import Progress

    numbers = Numbers(number, own_number, busy, no_answer)
    plan = AtPlan(port, speed, partner, numbers, words, make, cases, answer, connect)
    verdict = run_at(plan, Progress(verbose=verbose, quiet=quiet))
    return _told(verdict, "at", junit, wants_json=wants_json, details=details)


def _one_device(port: str, against: str) -> tuple[str, ...]:
    """The words of the program, where it is one."""
    if port and against:
        raise UsageError("--port and --against: the device is at the one, or is the other")
    try:
        return tuple(shlex.split(against))
    except ValueError as error:
        raise UsageError(f"--against {against!r}: {error}") from None


def _room_for(*files: Path | None) -> None:
    """Before the cases are run, not after."""
    for folder in _folders(*files):
        make_folder(folder)


def _folders(*files: Path | None) -> list[Path]:
    return [file.parent for file in files if file is not None]


def _told(verdict: ConformVerdict, what: str, junit: Path | None, *, wants_json: bool, details: bool) -> int:
    """To whoever asked, and in the file; the exit status."""
    from rig.report import junit as xml

    if junit is not None:
        title = f"rig conform {what}, {verdict.device}"
        junit.write_text(xml.document_of(title, what, verdict.checks, "", verdict.seconds))
    click.echo(as_json(verdict) if wants_json else table(verdict, details=details))
    show_outcome(verdict)
    return verdict.exit


def table(verdict: ConformVerdict, *, details: bool) -> str:
    """By group; and what failed, with what was said where that is wanted."""
    lines = [f"{'':3} {'':48} cases  held failed not run"]
    lines += [
        f"{one.number:3} {one.title:48} {one.cases:5} {one.held:5} {one.failed:6} {one.not_run:7}"
        for one in verdict.groups
    ]
    covered = f"coverage: {verdict.coverage} of the public list's cases; " if verdict.coverage else ""
    lines.append(f"{covered}{verdict.seconds:.0f} s")
    for check in verdict.checks:
        if check.held is False:
            lines += [f"{check.name} {check.target}: {check.expected}", f"    {check.observed}"]
            lines += [f"    {line}" for line in check.details["record"]] if details else []
    return "\n".join(lines)

"""``rig conform``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from drivers.base.errors import UsageError
from rig.cli.common import enter_lab, json_option, lab_option, load_bench, show_outcome, verbosity_options
from rig.run.results import make_folder
from rig.verdict.conform import ConformVerdict
from rig.verdict.verdict import as_json


@click.group()
def conform() -> None:
    """A device held to what a standard says of it, sentence by sentence."""


@conform.command("ppp", epilog="Example: rig conform ppp --port /dev/ttyUSB0 --restart-timer 3 9 10.3")
@click.option("--port", metavar="PORT", default="", help="Where the device is: a serial port, or a pseudo-terminal.")
@click.option("--speed", type=click.IntRange(min=300), default=115200, metavar="BIT/S", show_default=True)
@click.option("--against", metavar="COMMAND", default="", help="A program that is the device; {port}: its terminal.")
@click.option(
    "--restart-timer", "restart", type=click.FloatRange(0.1, 60), metavar="S", help="The device's; 3, and for pppd 2."
)
@click.option("--max-configure", type=click.IntRange(1, 100), metavar="N", help="The device's; 10, and for pppd 4.")
@click.option("--max-terminate", type=click.IntRange(1, 100), default=2, metavar="N", show_default=True)
@click.option("--max-failure", type=click.IntRange(1, 100), default=5, metavar="N", show_default=True)
@click.option("--answer", type=click.FloatRange(0.05, 60), default=1.0, metavar="S", show_default=True,
              help="How long an answer that is due may take.")  # fmt: skip
@click.option("--packets", is_flag=True, help="What went over the line, for each case that failed.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="JUnit's XML, there.")
@lab_option
@json_option
@verbosity_options
@click.argument("cases", nargs=-1)
def ppp(
    port: str, speed: int, against: str, restart: float | None, max_configure: int | None, max_terminate: int,
    max_failure: int, answer: float, packets: bool, junit: Path | None, engine: str | None, wants_json: bool,
    verbose: bool, quiet: bool, cases: tuple[str, ...],
) -> int:  # fmt: skip
    """LCP and its framing (RFC 1661, RFC 1662): every case, or CASES, such as 9 for a group and 9.4 for one of it.

    Without --port and --against the device is pppd, in the lab.
    """
    if port and against:
        raise UsageError("--port and --against: the device is at the one, or is the other")
    if junit is not None:
        make_folder(junit.parent)  # before the cases are run, not after
    own = not port and not against
    if own:
        enter_lab(engine, load_bench("loopback-instant"), junit.parent if junit else None)
    from drivers.ppp.peer.lcp import Timing
    from rig.jobs import conform as job
    from rig.report import junit as xml
    from rig.run.progress import Progress

    timing = Timing(restart or (2.0 if own else 3.0), max_configure or (4 if own else 10), max_terminate, max_failure)
    try:
        words = tuple(shlex.split(against))
    except ValueError as error:
        raise UsageError(f"--against {against!r}: {error}") from None
    plan = job.ConformPlan(timing, port, speed, words, cases, answer)
    verdict = job.run_ppp(plan, Progress(verbose=verbose, quiet=quiet))
    if junit is not None:
        junit.write_text(xml.document_of(f"rig conform ppp, {plan.device}", "ppp", verdict.checks, "", verdict.seconds))
    click.echo(as_json(verdict) if wants_json else table(verdict, packets=packets))
    show_outcome(verdict)
    return verdict.exit


def table(verdict: ConformVerdict, *, packets: bool) -> str:
    """By group; and what failed, with its packets where they are wanted."""
    lines = [f"{'':3} {'':48} cases  held failed not run"]
    lines += [
        f"{one.number:3} {one.title:48} {one.cases:5} {one.held:5} {one.failed:6} {one.not_run:7}"
        for one in verdict.groups
    ]
    lines.append(f"coverage: {verdict.coverage} of the public list's cases; {verdict.seconds:.0f} s")
    for check in verdict.checks:
        if check.held is False:
            lines += [f"{check.name} {check.target}: {check.expected}", f"    {check.observed}"]
            lines += [f"    {packet}" for packet in check.details["packets"]] if packets else []
    return "\n".join(lines)

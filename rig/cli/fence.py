"""``rig fence``."""

from __future__ import annotations

import time
from ipaddress import IPv4Address
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
    report_options,
    show_outcome,
    verbosity_options,
)
from rig.config.bench import Bench
from rig.config.bench_files import load_destinations, load_fence_file
from rig.config.destinations import Destinations
from rig.config.fenced_side import FencedSide
from rig.drivers.base.errors import Interrupted, UsageError, as_outcome
from rig.drivers.modem.number import Number
from rig.parts.fence_rules import session_rules
from rig.verdict.verdict import as_json

SHOWN = 20
"""Findings that are named on the terminal; a fence that is off has hundreds."""


@click.group()
def fence() -> None:
    """What a gateway is to let through, and whether it does."""


@fence.command("show", epilog="Example: rig fence show --bench loopback --session 198.51.100.17@ppp0")
@bench_option
@click.option("--session", metavar="ADDRESS@INTERFACE", help="The rules around one session.")
def show(bench: str | None, session: str | None) -> int:
    """The fence of a bench: whom a caller may reach."""
    chosen = load_bench(bench or "loopback")
    fence = load_destinations(chosen)
    if session is None:
        click.echo(describe(chosen, fence))
        return 0
    click.echo(session_rules(fence, _session(session)), nl=False)
    return 0


def describe(bench: Bench, fence: Destinations) -> str:
    """A fence for a person to read."""
    file = load_fence_file(bench.fence)
    return "\n".join(
        [
            f"{bench.fence}, region {bench.region}: {file.source}",
            "a caller's packets pass when their source is exactly the assigned address, and they go to",
            *(f"    {server}  TCP 443       authorized server (§5.1)" for server in fence.servers),
            *(f"    {server}  UDP, TCP 53   utility service (§3.1)" for server in fence.name_servers),
            *(
                f"    {server}  UDP 500, 4500, ESP   VPN server (§5.2)" + ("" if fence.vpn else "; not on this bench")
                for server in fence.vpn_servers
            ),
            "back to the caller passes what belongs to a connection that it opened; everything else is dropped,",
            "IP options, IPv6 and what conntrack does not understand with it",
        ]
    )


@fence.command("prove", epilog="Example: iptables-save -c > rules; rig fence prove rules --session 198.51.100.17@ppp0")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@bench_option
@click.option("--session", "sessions", multiple=True, required=True, metavar="ADDRESS@INTERFACE",
              help="Who was there when the rules were saved; once for each.")  # fmt: skip
@click.option("--callers", default="ppp+", show_default=True, metavar="PATTERN",
              help="The interfaces of all who may come, as iptables -i has it.")  # fmt: skip
@click.option("--against", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="Also say what other rules, as of another day, have and these have not.")  # fmt: skip
@json_option
def prove(
    file: Path, bench: str | None, sessions: tuple[str, ...], callers: str, against: Path | None, wants_json: bool
) -> int:
    """Hold a gateway's rules to a bench's fence: every header there is, not a thousand of them.

    FILE: what iptables-save -c, ip6tables-save -c, or nft -j list ruleset, has printed on the gateway.
    """
    from rig.jobs import fence_proof as job

    chosen = load_bench(bench or "loopback")
    rules = job.read(file)
    proof = job.prove(chosen, rules, [_session(text) for text in sessions], callers)
    change = job.changed(job.read(against), rules) if against else None
    if wants_json:
        click.echo(as_json(job.describe(proof, change)))
    else:
        for line in change.lines() if change else ():
            click.echo(line)
        for example in proof.found:
            click.echo(str(example))
        click.echo(f"{file}: {proof}")
    return 0 if proof.holds else 1


def _session(text: str) -> FencedSide:
    address, _, interface = text.partition("@")
    try:
        return FencedSide(interface or "ppp0", IPv4Address(address))
    except ValueError as error:
        raise UsageError(f"--session: {error}", "for example 198.51.100.17@ppp0") from error


@fence.command("check", epilog="Example: rig fence check --bench loopback --number 1-800-555-0100")
@bench_option
@lab_option
@click.option("--number", metavar="N", help="The gateway's number; default: the emulated LIG's.")
@click.option("--sample", type=click.IntRange(0, 40000), default=200, show_default=True, metavar="N",
              help="Addresses drawn from all there are.")  # fmt: skip
@click.option("--seed", type=int, default=2007, show_default=True, metavar="S", help="The same seed, the same probes.")
@click.option("--only", multiple=True, metavar="CATEGORY",
              help="Only probes of this category of the table; once for each.")  # fmt: skip
@click.option("--time-out", type=click.FloatRange(0), default=0.0, metavar="S",
              help="See that what UDP has opened is shut after S seconds without a packet.")  # fmt: skip
@click.option("--flood", type=click.IntRange(0), default=0, metavar="N",
              help="Probe once more with N half-open flows open.")  # fmt: skip
@report_options
@json_option
@verbosity_options
def check(
    bench: str | None,
    engine: str | None,
    number: str | None,
    sample: int,
    seed: int,
    only: tuple[str, ...],
    time_out: float,
    flood: int,
    report: Path | None,
    report_secrets: bool,
    wants_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Dial, and probe the gateway's fence from both sides, as far as there are two."""
    chosen = load_bench_to_run(bench)
    if chosen.proxy is not None:
        raise UsageError(
            f"bench {chosen.name}: a proxy passes no packet on, so there is no way for probes to take",
            f"rig connect --bench {chosen.name} asks it for whom it must reach and whom it must not; rig fence check"
            " --bench internet probes a router alone",
        )
    wanted = (Number(number) if number else gateway_number(chosen)) if chosen.dials else None
    enter_lab_to_call(engine, chosen, report)
    from rig import lab
    from rig.cli.reporting import capture_for, write_report
    from rig.jobs import fence_check as job
    from rig.jobs.probing import Drawn
    from rig.probes.report import table, write_packets
    from rig.run.progress import Progress
    from rig.verdict.verdict import Verdict

    progress = Progress(verbose=verbose, quiet=quiet)
    capture = capture_for(report, secrets=report_secrets)
    verdict, title = Verdict(chosen.name, lab.current()), f"rig fence check{f' --number {wanted}' if wanted else ''}"
    try:
        found = job.run(
            chosen,
            wanted,
            Drawn(sample, seed, only=frozenset(only), time_out=time_out),
            flood,
            progress,
            verdict,
            capture,
        )
    except (Exception, Interrupted) as error:
        progress.fail(error)
        verdict.end_with(error if isinstance(error, Interrupted) else as_outcome(error))
        write_report(report, title, chosen, verdict, progress.trace, capture=capture)
        raise
    if wants_json:
        click.echo(as_json(job.describe(found, seed)))
    else:
        click.echo(table(found))
        for reason, packets in found.drops.items():
            if packets:
                click.echo(f"dropped by the gateway: {reason}: {packets}")
    for name, proven in found.proven.items():
        click.echo(f"{name}: {proven.proof}", err=wants_json)
        unreached = [row for row in proven.coverage if not row.reached]
        if proven.coverage:
            click.echo(f"{name}: {len(unreached)} of {len(proven.coverage)} rules were reached by no packet", err=True)
        for row in unreached if verbose else ():
            click.echo(f"    {row.chain}: {row.text}", err=True)
        for line in (*proven.contradictions, *map(str, proven.confirmed[:SHOWN])):
            click.echo(f"{name}: {line}", err=True)
    for outcome in found.findings[:SHOWN]:
        click.echo(f"{outcome.verdict}: {outcome.probe.category}: {outcome.probe.what}", err=True)
    if len(found.findings) > SHOWN:
        click.echo(f"… and {len(found.findings) - SHOWN} more findings, in the packets and the report", err=True)
    verdict.message = f"{len(found.outcomes)} probes in {found.seconds:.1f} s, {found.size} bytes, as declared" + (
        ""
        if found.watched
        else "; nobody could look behind the gateway, and where there was silence nothing is decided"
    )
    if found.findings:
        file = (report or Path("results")) / f"fence-{time.strftime('%Y%m%d-%H%M%S')}.pcapng"
        write_packets(file, found.findings)
        verdict.outcome = "FENCE LEAKS" if any(one.verdict == "leaked" for one in found.findings) else "CHECK FAILED"
        verdict.message = f"{len(found.findings)} of {len(found.outcomes)} probes are findings; packets: {file}"
    elif not all(one.proof.holds and not one.contradictions for one in found.proven.values()):
        leaks = any(example.leaks for one in found.proven.values() for example in one.proof.found)
        verdict.outcome = "FENCE LEAKS" if leaks else "CHECK FAILED"
        verdict.message = "the probes found nothing; the proof of the rules did"
    page = write_report(report, title, chosen, verdict, progress.trace, capture=capture, fence=found)
    show_outcome(verdict, page)
    return verdict.exit

"""``rig answer``."""

from __future__ import annotations

from pathlib import Path

import click

from rig.cli.common import (
    bench_option,
    enter_lab_to_call,
    gateway_number,
    json_option,
    lab_option,
    load_bench,
    report_options,
    verbosity_options,
)
from rig.drivers.base.errors import UsageError
from rig.drivers.base.secret import Secret


@click.command(epilog="Example: rig answer --bench loopback-inbound")
@bench_option
@lab_option
@report_options
@json_option
@verbosity_options
def answer(
    bench: str | None,
    engine: str | None,
    report: Path | None,
    report_secrets: bool,
    wants_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Take one inbound call: a service representative dials in, once, to what the bench's [inbound] allows; with a VPN
    gateway, he comes through the VPN."""
    chosen = load_bench(bench)
    if chosen.inbound is None:
        raise UsageError(
            f"bench {chosen.name}: the table [inbound] is missing", "see hw-config/benches/loopback-inbound.toml"
        )
    enter_lab_to_call(engine, chosen, report)
    from rig.cli.reporting import capture_for, conclude
    from rig.jobs import answer as job
    from rig.run.progress import Progress

    def show(credentials: Secret, new: bool) -> None:
        """Once, and to whoever armed it. The rig's own representative is told by the rig."""
        if chosen.emulated:
            click.echo("armed: the emulated representative has the credentials", err=True)
        elif new:
            click.echo(f"armed for one call: user {credentials.user}  secret {credentials.password}", err=True)
            click.echo("      this is shown once; pass it on to who will call", err=True)
        else:
            click.echo("armed already: the credentials are those that were shown then", err=True)

    progress = Progress(verbose=verbose, quiet=quiet)
    capture = capture_for(report, secrets=report_secrets)
    if chosen.vpn_gateway is not None:
        from rig.jobs import remote_answer

        numbers = [gateway_number(chosen)] if chosen.dials else []
        verdict = remote_answer.run(chosen, numbers, progress, capture)
    else:
        verdict = job.run(chosen, progress, show, capture)
    return conclude(
        verdict, "rig answer", chosen, progress.trace, report, wants_json=wants_json, capture=capture, far="caller"
    )

"""``rig answer``."""

from __future__ import annotations

import sys

import click

from drivers.errors import UsageError
from drivers.secret import Secret
from rig.cli.common import as_json, bench_option, enter_lab, lab_option, load_bench
from rig.near_end import near_port


@click.command(epilog="Example: rig answer --bench loopback-inbound")
@bench_option
@lab_option
@click.option("--json", "wants_json", is_flag=True, help="One JSON object on standard output.")
@click.option("-v", "--verbose", is_flag=True, help="Show every AT answer and every PPP packet.")
def answer(bench: str | None, engine: str | None, wants_json: bool, verbose: bool) -> int:
    """Take one inbound call: a service representative dials in, once, to what the bench's [inbound] allows."""
    chosen = load_bench(bench)
    if chosen.inbound is None:
        raise UsageError(
            f"bench {chosen.name}: the table [inbound] is missing", "see hw-config/benches/loopback-inbound.toml"
        )
    if not chosen.emulated:
        near_port(chosen)
    enter_lab(engine, chosen)
    from rig.inbound import job
    from rig.progress import Progress

    def show(credentials: Secret, new: bool) -> None:
        """Once, and to whoever armed it. The rig's own representative is told by the rig."""
        if chosen.emulated:
            click.echo("armed: the emulated representative has the credentials", err=True)
        elif new:
            click.echo(f"armed for one call: user {credentials.user}  secret {credentials.password}", err=True)
            click.echo("      this is shown once; pass it on to who will call", err=True)
        else:
            click.echo("armed already: the credentials are those that were shown then", err=True)

    verdict = job.run(chosen, Progress(verbose=verbose), show)
    if wants_json:
        sys.stdout.write(as_json(verdict) + "\n")
    click.echo(f"{verdict.outcome}: {verdict.message}", err=True)
    if verdict.advice:
        click.echo(f"     {verdict.advice}", err=True)
    return verdict.exit

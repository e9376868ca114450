"""``rig partner``."""

from __future__ import annotations

import click

from rig.cli.common import bench_option, enter_lab, lab_option, load_bench
from rig.config.bench import Bench

verbose_option = click.option("-v", "--verbose", is_flag=True, help="Show every PPP packet.")


class Partners(click.Group):
    """Beside the far ends that have a command of their own, any bench by its name."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or _of_bench(cmd_name)


@click.group(cls=Partners, subcommand_metavar="lig|i5os|BENCH [OPTIONS]")
def partner() -> None:
    """Be a far end for a device under test, until interrupted: the gateway, the partition, or whatever stands at the
    other end of a bench's way home."""


@partner.command("lig", epilog="Example: rig partner lig --bench my-gateway.toml")
@bench_option
@lab_option
@verbose_option
def lig(bench: str | None, engine: str | None, verbose: bool) -> int:
    """Be the gateway: answer a real modem, or give the device a modem of the emulated exchange; say who calls."""
    from rig.run.progress import Progress

    chosen = _entered(bench, engine)
    from rig.jobs import partner as job

    job.lig(chosen, Progress(verbose=verbose))
    return 0


@partner.command("i5os", epilog="Example: rig partner i5os --bench my-partition.toml")
@bench_option
@lab_option
@verbose_option
def i5os(bench: str | None, engine: str | None, verbose: bool) -> int:
    """Be the i5/OS partition that lends its modem over L2TP, on a network interface of this machine."""
    from rig.run.progress import Progress

    chosen = _entered(bench, engine)
    from rig.jobs import partner as job

    job.i5os(chosen, Progress(verbose=verbose))
    return 0


def _entered(bench: str | None, engine: str | None) -> Bench:
    chosen = load_bench(bench)
    enter_lab(engine, chosen)
    return chosen


def _of_bench(name: str) -> click.Command:
    """``rig partner BENCH``: the far end that the bench has."""

    @click.command(name, epilog=f"Example: rig partner {name}")
    @lab_option
    @verbose_option
    def serve(engine: str | None, verbose: bool) -> int:
        """Be the far end of the bench's way home, and say what the device does."""
        from rig.run.progress import Progress

        chosen = _entered(name, engine)
        from rig.jobs import partner as job

        job.whatever(chosen, Progress(verbose=verbose))
        return 0

    return serve

"""``rig check``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rig.cli.common import bench_option, enter_lab_to_call, lab_option, load_bench, report_options
from rig.config.bench_files import DEFAULT
from rig.run.command import run_command

CONFORMANCE = Path(__file__).resolve().parents[1] / "conformance"


@click.command(epilog="Example: rig check --bench loopback -k fence", context_settings={"ignore_unknown_options": True})
@bench_option
@lab_option
@report_options
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
def check(
    bench: str | None, engine: str | None, report: Path | None, report_secrets: bool, pytest_args: tuple[str, ...]
) -> int:
    """The conformance tests on a bench: what any gateway and any modem must do."""
    chosen = load_bench(bench)
    enter_lab_to_call(engine, chosen, report)
    cache = Path.cwd() / ".pytest_cache"  # and not beside the tests, which may be installed
    own = ["-o", f"cache_dir={cache}", "--bench", bench or DEFAULT]
    command = [sys.executable, "-m", "pytest", str(CONFORMANCE), *own, *pytest_args]
    if report is not None:
        command += ["--rig-report", str(report.resolve()), *(["--rig-report-secrets"] if report_secrets else [])]
    return run_command(command)

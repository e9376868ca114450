"""Dial again and again, interrupted at a random moment each time.

Usage: python -m tests.lab.interrupt_dial BENCH TIMES SEED

Prints a line for each: the moment in seconds, what was done at it, the exit status. Ends with 1 when any was
not 130, or left something behind. The moments come from a seed, so they are the same every time.
"""

from __future__ import annotations

import faulthandler
import os
import random
import select
import signal
import sys
import time
from typing import NoReturn

from rig.config.bench import Bench
from rig.config.bench_files import load
from rig.drivers.base.errors import Interrupted
from rig.drivers.base.interruptions import SIGNALS, interruptible
from rig.drivers.modem.number import Number
from rig.jobs import connect
from rig.paths.building import build
from rig.run.progress import Progress
from tests.lab.traces import left_behind, new_since

END_SECONDS = 25.0
"""Each thing that is taken down has a bound of its own; this is more than their sum."""


def dial_until_interrupted(bench: Bench) -> NoReturn:
    """In the child: a session that would last a minute."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    try:
        with interruptible():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            with open(os.devnull, "w") as nowhere:
                verdict = connect.run(
                    bench, connect.ConnectOptions((Number("1-800-555-0100"),), hold=60), Progress(nowhere), build
                )
        os._exit(verdict.exit)
    except Interrupted as error:
        os._exit(error.exit_status)


def wait_for(pid: int) -> int | str:
    """The exit status; where there is none in END_SECONDS, where every thread of the run stood."""
    handle = os.pidfd_open(pid)
    ended, _, _ = select.select([handle], [], [], END_SECONDS)
    os.close(handle)
    if not ended:
        os.kill(pid, signal.SIGUSR1)  # faulthandler: see dial_until_interrupted
        time.sleep(1)  # a handler in C, which says nothing when it has printed
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status if ended else f"not ended after {END_SECONDS:g} s"


def main(bench_file: str, times: int, seed: int) -> int:
    bench = load(bench_file)
    moments = random.Random(seed)
    before = left_behind()
    failed = 0
    for turn in range(times):
        moment = moments.uniform(0.0, 4.5)
        number = (signal.SIGINT, signal.SIGTERM)[turn % 2]
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if pid == 0:
            dial_until_interrupted(bench)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        time.sleep(moment)  # the moment itself is what is tested
        os.kill(pid, number)
        status = wait_for(pid)
        left = new_since(before)
        print(f"{moment:.3f} {number.name} {status} {left or ''}", flush=True)
        failed += status != 130 or bool(left)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

"""Dial again and again, interrupted at a random moment each time. Usage: interrupt_dial.py BENCH TIMES

Prints a line for each: the moment in seconds, what was done at it, the exit status. Ends with 1 when any was
not 130, or left something behind. The moments come from a seed, so they are the same every time.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

from rig import dial
from rig.bench import load
from rig.progress import Progress
from tests.lab.conftest import left_behind


def main(bench_file: str, times: int) -> int:
    bench = load(bench_file)
    moments = random.Random(2007)
    before = left_behind()
    failed = 0
    for turn in range(times):
        moment = moments.uniform(0.0, 4.5)
        number = (signal.SIGINT, signal.SIGTERM)[turn % 2]
        pid = os.fork()
        if pid == 0:
            with open(os.devnull, "w") as nowhere:
                verdict = dial.run(bench, dial.DialOptions(("1-800-555-0100",), hold=60), Progress(nowhere))
            os._exit(verdict.exit)
        time.sleep(moment)  # the moment itself is what is tested
        os.kill(pid, number)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        after = left_behind()
        print(f"{moment:.3f} {number.name} {status} {'' if after == before else after}", flush=True)
        failed += status != 130 or after != before
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))

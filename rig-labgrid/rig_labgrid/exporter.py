"""`rig-labgrid-exporter`: labgrid's exporter, which knows `RigBench` besides; its command line is labgrid's.

labgrid's own ends with 100 when its coordinator has gone, to be started anew by systemd; this one tries again itself.
"""

from __future__ import annotations

import os
import sys
import time

from labgrid.remote import exporter

from rig_labgrid.export import RigBenchExport

COORDINATOR_GONE = 100
AGAIN_SECONDS = 1.0


def main() -> int:
    """Until it is ended. labgrid has no entry points for what is exported: its table is added to."""
    exporter.exports["RigBench"] = RigBenchExport
    try:
        exporter.main()
    except SystemExit as ending:
        if ending.code != COORDINATOR_GONE:
            raise
    finally:
        for bench in RigBenchExport.exported:
            bench.end()
    if exporter.reexec:
        time.sleep(AGAIN_SECONDS)  # nothing tells when a coordinator is there again
        os.execv(sys.executable, [sys.executable, "-m", "rig_labgrid.exporter", *sys.argv[1:]])  # noqa: S606
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``rig``, and ``python -m rig``."""

from __future__ import annotations

import sys

INTERRUPTED = 130
"""As errors.Interrupted has it, which is not imported yet."""


def main() -> None:
    """Entry point. The commands are imported here, for a second and more: Ctrl-C meanwhile is no error of ours."""
    try:
        from rig.cli import main as run
    except KeyboardInterrupt:
        print("rig: interrupted; nothing was begun", file=sys.stderr)
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()

"""How a run ends: whatever happens, its verdict says it, and everything is down."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rig.drivers.base.errors import Interrupted, as_outcome
from rig.drivers.base.interruptions import interruptible
from rig.run.capture import Capture
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import Ending


@contextlib.contextmanager
def to_its_end(verdict: Ending, progress: Progress, capture: Capture | None, taking_down: str) -> Iterator[Owner]:
    """A run, within the block; the block's errors are in the verdict. ``taking_down``: the name of its last step."""
    try:
        with interruptible(), Owner() as owner:
            if capture is not None:
                capture.attend(owner)
            yield owner
            progress.begin(taking_down)
        progress.end()
    except Interrupted as error:
        progress.fail(error)
        verdict.end_with(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the verdict has it
        progress.fail(error)
        verdict.end_with(as_outcome(error))

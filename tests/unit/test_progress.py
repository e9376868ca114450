"""What a person is told of the steps of a run."""

from __future__ import annotations

import io

import pytest

from rig.drivers.base.errors import BusyError, Interrupted
from rig.jobs.ending import to_its_end
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict


@pytest.mark.parametrize(
    ("error", "said"), [(Interrupted("interrupted by SIGINT"), "interrupted"), (BusyError("busy"), "failed")]
)
def test_the_step_under_way_says_how_it_ended(error: BaseException, said: str) -> None:
    """Catches Ctrl-C shown as a fault of the modem's, and a step that failed shown as one that went well."""
    stream = io.StringIO()
    progress = Progress(stream)
    with to_its_end(Verdict("bench", "native"), progress, None, "hanging up"):
        progress.begin("LCP")
        raise error
    assert stream.getvalue().splitlines()[-1].endswith(f"LCP: {said}")


def test_a_block_that_is_left_by_an_error_is_a_step_that_failed() -> None:
    stream = io.StringIO()
    with pytest.raises(BusyError), Progress(stream).step("dialling"):
        raise BusyError("busy")
    assert stream.getvalue().endswith("dialling: failed\n")

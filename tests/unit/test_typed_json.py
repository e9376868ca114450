"""JSON of a type that nobody has read before, read by many threads at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

RACE = """
import sys, threading, msgspec
from rig.drivers.base.typed_json import from_json
sys.setswitchinterval(1e-6)
for number in range(400):
    entry = msgspec.defstruct(f"Entry{number}", [(f"f{each}", int) for each in range(12)])
    kind = msgspec.defstruct(f"Kind{number}", [("a", list[entry]), ("b", dict[str, entry]), ("c", str)])
    begin = threading.Barrier(8)
    def read():
        begin.wait()
        assert from_json('{"a":[],"b":{},"c":"x"}', kind).c == "x"
    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


@pytest.mark.timeout(60)
def test_many_threads_that_have_a_type_learned_at_once_do_no_harm() -> None:
    """msgspec by itself ends so with a segmentation fault, in a process of its own here for that reason."""
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

"""The lab's parts that need no guest: lines given back, causes by name, what was seen, and processors taken."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.drivers.base.errors import CannotRunError
from rig.drivers.base.without_init import bare_package
from rig.lab import not_starting, processor, seen
from rig.lab.channel import FREE_MARK, Kind, encode, find_free
from rig.lab.relay import not_to_be_seen


@given(st.binary(max_size=300), st.binary(min_size=8, max_size=8), st.binary(max_size=40))
def test_a_line_is_found_free_amid_whatever_came_before(garbage: bytes, nonce: bytes, after: bytes) -> None:
    payload = FREE_MARK + nonce
    assert find_free(garbage + encode(Kind.FREE, payload) + after) == payload


@given(st.binary(max_size=300), st.integers(0, 30))
def test_a_line_that_has_said_it_in_part_is_not_free_yet(garbage: bytes, lacking: int) -> None:
    whole = encode(Kind.FREE, FREE_MARK + b"12345678")
    assert not find_free(garbage + whole[: len(whole) - 1 - lacking])


@pytest.mark.parametrize(
    ("console", "status", "says"),
    [
        ("userspace - ptrace set fp regs failed, errno = 14", 1, "floating-point area"),
        (" [<6004b1ca>] ? put_fp_registers+0x10/0x12", -6, "floating-point area"),
        ("ptrace: Operation not permitted\ncheck_ptrace : expected SIGSTOP, got status = 9", 1, "may not trace"),
        ("/dev/shm must be not mounted noexec", 1, "no shared memory to execute from: /dev/shm"),
        ("Bus error - the host /dev/shm or /tmp mount likely just ran out of space", -6, "too little memory"),
        ("setup_physmem - mapping 1057349632 bytes of memory at 0x6 failed - errno = -12", 1, "too little memory"),
        ("ImportError: no module\nKernel panic - not syncing: Attempted to kill init!", -6, "ImportError: no module"),
        ("Kernel panic - not syncing: VFS: Unable to mount root fs", -6, "Unable to mount root fs"),
        ("", -signal.SIGKILL, "killed, as by the kernel when memory runs out"),
        ("", None, "not ready within 60 s"),
        ("something new\n", 3, "status 3, and the last it said was: something new"),
    ],
)
def test_why_a_guest_did_not_start_is_one_sentence(console: str, status: int | None, says: str) -> None:
    error = not_starting.explain("uml", console, status, 60.0)
    assert says in str(error)
    assert "\n" not in str(error)
    assert error.console == console
    assert error.exit_status == 4


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("own_folder")
def test_a_guest_that_has_started_is_remembered_until_the_next_boot() -> None:
    assert not seen.started("uml")
    seen.remember_start("uml")
    assert seen.started("uml")
    assert not seen.started("qemu")


@pytest.mark.usefixtures("own_folder")
def test_kvm_is_given_up_after_two_failures_in_a_row_and_not_after_one() -> None:
    """Catches a machine that was busy once, and emulates until it is booted anew."""
    for worked in (False, True, False):
        seen.remember_kvm(worked)
        assert not seen.kvm_runs_nothing()
    seen.remember_kvm(False)
    assert seen.kvm_runs_nothing()
    seen.remember_kvm(True)
    assert not seen.kvm_runs_nothing()


def test_a_note_that_is_damaged_is_no_note(own_folder: Path) -> None:
    seen.remember_start("uml")
    (note,) = own_folder.glob("rig-of-*/seen-*.json")
    note.write_text("[1")
    assert not seen.started("uml")


def test_a_folder_that_others_may_write_to_is_refused(own_folder: Path) -> None:
    """Catches a guest's socket that somebody else has put there."""
    (own_folder / f"rig-of-{os.getuid()}").mkdir(mode=0o777)
    (own_folder / f"rig-of-{os.getuid()}").chmod(0o777)
    with pytest.raises(CannotRunError, match="not a folder of this user's alone"):
        seen.folder()


def test_guests_side_by_side_spread_over_the_processors() -> None:
    """No processor gets its second guest before each has its first, whatever guests others have up meanwhile."""
    allowed = sorted(os.sched_getaffinity(0))
    places = [processor.take() for _ in range(2 * len(allowed))]
    try:
        names = [bytes(place.claim.getsockname()).decode() for place in places]
        guests = [int(name.rpartition("-")[2]) for name in names]
        assert len(set(names)) == len(names)
        assert guests == sorted(guests)
        assert {place.processor for place in places} == set(allowed)
        freed = places.pop(0)
        freed.claim.close()
        places.append(processor.take())
        assert places[-1].processor == freed.processor
    finally:
        for place in places:
            place.claim.close()


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        bare_package("no_such_package")


def test_a_file_below_tmp_that_the_lab_cannot_see_is_named(tmp_path: Path) -> None:
    """Catches "No such file or directory" of a file that is there."""
    script = Path("/tmp") / f"rig-test-{os.getpid()}"
    script.touch()
    try:
        assert not_to_be_seen(["sh", str(script), "/tmp/none-of-this-name"], []) == [str(script)]
        assert not_to_be_seen(["sh", str(script)], ["/tmp"]) == []
    finally:
        script.unlink()

"""User-Mode Linux on a processor whose floating-point area is larger than it knows: on every machine, by a library that
plays such a host (amx_host.c), and with the mend forced on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rig.drivers.base.errors import GuestError
from rig.lab.floating_point import KNOWN
from rig.lab.outside import PROJECT
from rig.lab.uml import UmlLab
from tests.guest.building import HERE, MEND, build, build_mend, run_in

BUILT = PROJECT / "build" / "guest-tests"
THREE_AT_ONCE = (
    'for seed in 1 2 3; do {0} $seed 100 & all="$all $!"; done; for one in $all; do wait $one || exit 1; done'
)


@pytest.fixture(scope="module")
def mend() -> Path:
    return build_mend(BUILT / "mend.so")


@pytest.fixture(scope="module")
def registers() -> Path:
    return build("gcc", HERE / "registers.c", BUILT / "registers", "-O2", "-Wall", "-Wextra", "-Werror")


@pytest.fixture
def amx_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is a host with AMX, for what is started from now on."""
    library = build("gcc", HERE / "amx_host.c", BUILT / "amx_host.so", "-O2", "-Wall", "-Werror", "-shared", "-fPIC")
    monkeypatch.setenv("LD_PRELOAD", str(library))


def area() -> int:
    asked = [sys.executable, "-m", "rig.drivers.base.tracing"]
    return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


def kinds_of_this_processor() -> set[str]:
    flags = Path("/proc/cpuinfo").read_text().split()
    return {"SSE", *(["AVX"] if "avx" in flags else []), *(["AVX-512"] if "avx512f" in flags else [])}


def test_the_mend_is_small_and_builds_without_a_header() -> None:
    lines = MEND.read_text().splitlines()
    assert len(lines) < 100
    assert not [line for line in lines if line.startswith("#include")]


def test_vector_registers_survive_switches_and_signals_with_the_mend(
    mend: Path, registers: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_in(UmlLab(mend=True, library=mend), "sh", "-c", THREE_AT_ONCE.format(registers)) == 0
    said = capfd.readouterr().out.splitlines()
    assert sorted(said) == sorted(3 * [*kinds_of_this_processor()])


@pytest.mark.skipif("avx" not in Path("/proc/cpuinfo").read_text().split(), reason="this processor has no AVX to lose")
def test_a_mend_that_loses_the_upper_halves_is_found(registers: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The test of the test: all is put back but the upper halves of four registers, which no library uses to boot."""
    broken = BUILT / "broken.c"
    broken.parent.mkdir(parents=True, exist_ok=True)
    text = MEND.read_text()
    put_back = "    memset(area + given, 0, whole - given);\n"
    assert put_back in text
    broken.write_text(text.replace(put_back, f"{put_back}    memset(area + 768, 0, 64);\n"))
    lab = UmlLab(mend=True, library=build_mend(BUILT / "broken.so", broken))
    assert run_in(lab, "sh", "-c", THREE_AT_ONCE.format(registers)) == 1
    assert "AVX register" in capfd.readouterr().out


@pytest.mark.usefixtures("amx_host")
def test_a_host_with_amx_is_played() -> None:
    assert area() == 11008


@pytest.mark.usefixtures("amx_host")
def test_a_host_with_amx_ends_a_guest_without_the_mend_and_the_cause_is_named() -> None:
    with pytest.raises(GuestError, match="floating-point area is larger") as failure:
        run_in(UmlLab(mend=False), "true")
    assert "put_fp_registers" in failure.value.console
    assert "apt-get install tcc" in failure.value.advice


@pytest.mark.usefixtures("amx_host")
def test_a_host_with_amx_runs_a_guest_with_the_mend(
    mend: Path, registers: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_in(UmlLab(mend=True, library=mend), "sh", "-c", THREE_AT_ONCE.format(registers)) == 0
    assert sorted(capfd.readouterr().out.splitlines()) == sorted(3 * [*kinds_of_this_processor()])


def test_where_it_is_needed_and_was_not_built_that_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(GuestError, match="the mend for that is not in place"):
        UmlLab(mend=True, library=tmp_path / "none.so").start(tmp_path)


@pytest.mark.parametrize("played", [False, True], ids=["as it is", "with AMX"])
def test_it_is_built_where_this_machine_needs_it_alone(
    played: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if played:
        request.getfixturevalue("amx_host")
    library = tmp_path / "mend.so"
    script = ["sh", "rig/lab/uml-mend", sys.executable, str(MEND), str(library)]
    done = subprocess.run(script, capture_output=True, text=True, check=True, cwd=PROJECT)
    assert library.exists() == (area() > KNOWN)
    assert ("built" in done.stdout) == library.exists()


@pytest.mark.usefixtures("amx_host")
def test_a_machine_without_a_compiler_is_told_what_to_install(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("dirname", "mkdir"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    script = ["/bin/sh", "rig/lab/uml-mend", sys.executable, str(MEND), str(tmp_path / "mend.so")]
    done = subprocess.run(
        script, capture_output=True, text=True, check=False, cwd=PROJECT,
        env={"PATH": str(programs), "LD_PRELOAD": str(BUILT / "amx_host.so")},
    )  # fmt: skip
    assert done.returncode == 1
    assert "apt-get install tcc" in done.stderr

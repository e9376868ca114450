"""What is built is whole, and named apart from all else; installed, it dials, checks, and serves another's tests.

Below /var/tmp: there every user may look, and the lab's guest sees it, which has a /tmp of its own.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.lab.uml import UmlLab
from tests.installed.building import PROJECT, build
from tests.readme import shell_block

CHECK_SECONDS, INSTALL_SECONDS, RUN_SECONDS = 180.0, 300.0, 240.0
SOMEBODY = "nobody"
TESTS = """
def test_the_gateway_takes_a_caller(session):
    assert str(session.up.local).startswith("198.51.100.")


def test_what_is_written_here_stays():
    open("written", "w").close()
"""
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rig-installed-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def built(elsewhere: Path) -> Path:
    return build(elsewhere)


@dataclass(frozen=True)
class Installed:
    """In a virtual environment of its own; ``folder`` is somebody's, and empty."""

    programs: Path
    folder: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command as an ordinary user types it in that folder."""
        environment = {"HOME": str(self.folder), "PATH": f"{self.programs}:/usr/bin:/bin"}
        environment |= {name: os.environ[name] for name in ("RIG_UML", "LD_PRELOAD") if name in os.environ}
        nobody = pwd.getpwnam(SOMEBODY)
        user, group = (nobody.pw_uid, nobody.pw_gid) if not os.getuid() else (None, None)
        return subprocess.run(
            words, cwd=self.folder, env=environment, user=user, group=group, extra_groups=None if user is None else [],
            capture_output=True, text=True, timeout=RUN_SECONDS, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def installed(built: Path, elsewhere: Path) -> Installed:
    """With the pinned versions of what it needs, and nothing that only its development does."""
    environment, folder = elsewhere / "venv", elsewhere / "empty"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, timeout=INSTALL_SECONDS)
    [wheel] = built.glob("*.whl")
    pip = [str(environment / "bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
    pinned = ["--constraint", str(PROJECT / "requirements.txt")]
    subprocess.run([*pip, *pinned, str(wheel)], check=True, timeout=INSTALL_SECONDS)
    folder.mkdir()
    if not os.getuid():
        shutil.chown(folder, SOMEBODY)
    return Installed(environment / "bin", folder)


def test_what_is_built_has_one_name_and_all_that_it_needs(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"rig"}
    for needed in ("hw-config/benches/loopback.toml", "hw-config/udev/70-rig.rules", "conformance/test_gateway.py",
                   "drivers/modem/at.py", "fixtures/plugin.py", "lab/whole_xstate.c", "report/page.css"):  # fmt: skip
        assert f"rig/{needed}" in names


def test_an_index_would_take_it(built: Path) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, built.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


def test_it_says_its_version_and_what_it_can(installed: Installed) -> None:
    assert installed.run(*shown("rig --version")).stdout == "rig, version 0.1.0\n"
    assert "Serial ports and modems" in installed.run("rig", "detect", "--help").stdout
    assert "loopback-instant" in installed.run("rig", "dial", "--bench", "no-such", "--number", "1").stderr


def shown(command: str) -> list[str]:
    """A command's line in the README's block of what is installed."""
    [line] = (line for line in shell_block("pip install") if line.startswith(command))
    return shlex.split(line)


needs_uml = pytest.mark.skipif(bool(UmlLab().missing()), reason=f"no lab for an ordinary user: {UmlLab().missing()}")


@needs_uml
def test_it_dials(installed: Installed) -> None:
    done = installed.run(*shown("rig dial"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "OK: 15 checks held"


@needs_uml
def test_it_holds_a_bench_to_the_conformance_tests(installed: Installed) -> None:
    done = installed.run(*shown("rig check"))
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    assert "warning" not in done.stdout


@needs_uml
def test_somebody_elses_tests_have_its_fixtures_in_the_lab(installed: Installed) -> None:
    project = installed.folder / "project"
    project.mkdir()
    (project / "test_ours.py").write_text(TESTS)
    for one in (project, project / "test_ours.py"):
        if not os.getuid():
            shutil.chown(one, SOMEBODY)
    inside = Installed(installed.programs, project)
    done = inside.run(*shown("rig lab run"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert (project / "written").exists()


@needs_uml
def test_where_the_lab_cannot_see_it_that_is_said(installed: Installed, built: Path) -> None:
    """The guest has a /tmp of its own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(installed.programs.parent, Path(folder, "venv"), symlinks=True)
        python = str(Path(folder, "venv/bin/python"))
        done = installed.run(python, "-m", "rig", "lab", "run", "--lab", "uml", "--", "true")
    assert done.returncode == 4
    assert "and the lab has a /tmp of its own" in done.stderr
    assert "Traceback" not in done.stderr

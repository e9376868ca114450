"""A distribution's system in a folder, made of its packages, and a machine's disk made of that. Needs root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.machines.distributions import Distribution

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "build" / "machines"
CHECKOUT = "/opt/rig"
SIZE = "6G"
AUTOLOGIN = """\
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 %I vt220
"""
INDEX = ("/etc/pip.conf", "/root/.config/pip/pip.conf", "/etc/resolv.conf")
"""How this machine reaches its package index: the one that is made reaches it the same way."""
CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOUNTS = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'


class System:
    """A distribution's files in a folder, in which commands run on this machine's kernel and network."""

    def __init__(self, distribution: Distribution) -> None:
        self.folder = FOLDER / distribution.name
        self._distribution = distribution

    def make(self) -> bool:
        """By debootstrap and apt, where it is not there yet; whether it is new."""
        made, wanted = self.folder / "made", "\n".join(self._distribution.packages)
        if made.exists() and made.read_text() == wanted:
            return False
        shutil.rmtree(self.folder, ignore_errors=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        where = [self._distribution.suite, str(self.folder), self._distribution.mirror]
        _run("debootstrap", "--variant=minbase", "--include=ca-certificates", *where)
        for name in (*INDEX, *filter(None, map(os.environ.get, CERTIFICATES))):
            if Path(name).exists():
                copy = self.folder / name.lstrip("/")
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.unlink(missing_ok=True)  # a link of the distribution's leads out of the folder
                shutil.copy(name, copy)
        if self._distribution.packages:  # by apt: debootstrap knows nothing of what is one of several
            self.run("apt-get", "-qq", "update")
            self.run("apt-get", "-qq", "install", "--yes", "--no-install-recommends", *self._distribution.packages)
        made.write_text(wanted)
        return True

    def check_out(self, where: str) -> None:
        """The checkout's last commit; a virtual environment that is there already stays."""
        there = self.folder / where.lstrip("/")
        there.mkdir(parents=True, exist_ok=True)
        for old in there.iterdir():
            if old.name != ".venv":
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        with subprocess.Popen(["git", "archive", "HEAD"], cwd=PROJECT, stdout=subprocess.PIPE) as archive:
            _run("tar", "-x", "-C", str(there), stdin=archive.stdout)

    def run(self, *words: str) -> str:
        """What a command says, with mounts and processes of its own, which end with it. Raises AssertionError, with
        that, where it does not succeed."""
        inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", MOUNTS, str(self.folder), *words]
        done = subprocess.run(
            inside, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}"
        return done.stdout


class Disk:
    """What a machine starts from: ``image`` of its root, its kernel, and its first files."""

    def __init__(self, distribution: Distribution) -> None:
        self.system = System(distribution)
        self.image = FOLDER / f"{distribution.name}.ext4"
        self._name = distribution.name

    @property
    def kernel(self) -> Path:
        return max(self.system.folder.glob("boot/vmlinuz-*"))

    @property
    def first_files(self) -> Path:
        return max(self.system.folder.glob("boot/initrd.img-*"))

    def make(self) -> None:
        """The system once; the checkout, and what `make setup` installs, each time."""
        if self.system.make():
            self._configure(self.system.folder / "etc")
        self.system.check_out(CHECKOUT)
        self.system.run("apt-get", "-qq", "update")
        self.system.run("make", "-C", CHECKOUT, "--quiet", "setup")
        self.image.unlink(missing_ok=True)
        _run("mke2fs", "-q", "-t", "ext4", "-d", str(self.system.folder), str(self.image), SIZE)

    def _configure(self, etc: Path) -> None:
        (etc / "hostname").write_text(f"{self._name}\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost {self._name}\n")
        (etc / "fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
        drop_in = etc / "systemd/system/serial-getty@ttyS0.service.d"
        drop_in.mkdir(parents=True)
        (drop_in / "autologin.conf").write_text(AUTOLOGIN)


def _environment() -> Mapping[str, str]:
    passed = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")}
    passed |= {name: os.environ[name] for name in CERTIFICATES if name in os.environ}
    return {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **passed}


def _run(*words: str, **more: object) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, **more)  # type: ignore[call-overload]

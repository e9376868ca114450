"""A machine's disk, made of its distribution's packages and this checkout. Needs root: debootstrap, chroot."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
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
"""How this machine reaches its package index: the one that is made reaches it the same way, while it is made."""
CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


class Disk:
    """The files that a machine starts from: ``image`` of its root, its kernel, and its first files."""

    def __init__(self, distribution: Distribution) -> None:
        self.root = FOLDER / distribution.name
        self.image = FOLDER / f"{distribution.name}.ext4"
        self._distribution = distribution

    @property
    def kernel(self) -> Path:
        return max(self.root.glob("boot/vmlinuz-*"))

    @property
    def first_files(self) -> Path:
        return max(self.root.glob("boot/initrd.img-*"))

    def make(self) -> None:
        """The system once; the checkout's last commit, and what `make setup` installs, each time."""
        if not (self.root / "made").exists():
            shutil.rmtree(self.root, ignore_errors=True)
            FOLDER.mkdir(parents=True, exist_ok=True)
            packages = ",".join(self._distribution.packages)
            _run("debootstrap", "--variant=minbase", f"--include={packages}", self._distribution.suite, str(self.root),
                 self._distribution.mirror)  # fmt: skip
            self._configure()
            (self.root / "made").touch()
        with self._entered() as inside:
            self._check_out()
            inside("apt-get", "-qq", "update")
            inside("make", "-C", CHECKOUT, "--quiet", "setup")
        self.image.unlink(missing_ok=True)
        _run("mke2fs", "-q", "-t", "ext4", "-d", str(self.root), str(self.image), SIZE)

    def _configure(self) -> None:
        etc = self.root / "etc"
        (etc / "hostname").write_text(f"{self._distribution.name}\n")
        (etc / "fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
        drop_in = etc / "systemd/system/serial-getty@ttyS0.service.d"
        drop_in.mkdir(parents=True)
        (drop_in / "autologin.conf").write_text(AUTOLOGIN)

    def _check_out(self) -> None:
        where = self.root / CHECKOUT.lstrip("/")
        kept = where / ".venv"
        where.mkdir(parents=True, exist_ok=True)
        for old in where.iterdir():
            if old != kept:
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        with subprocess.Popen(["git", "archive", "HEAD"], cwd=PROJECT, stdout=subprocess.PIPE) as archive:
            _run("tar", "-x", "-C", str(where), stdin=archive.stdout)

    @contextlib.contextmanager
    def _entered(self) -> Iterator[_Inside]:
        """Commands run in the system that is made, on this machine's kernel and network."""
        for name in (*INDEX, *filter(None, map(os.environ.get, CERTIFICATES))):
            if Path(name).exists():
                (self.root / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(name, self.root / name.lstrip("/"))
        yield _Inside(self.root)


class _Inside:
    """`inside("make", …)`: a command in the root, with mounts and processes of its own, which end with it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(self, *words: str) -> None:
        mounts = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'
        _run("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", mounts, str(self._root), *words,
             env=_environment())  # fmt: skip


def _environment() -> Mapping[str, str]:
    passed = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")}
    passed |= {name: os.environ[name] for name in CERTIFICATES if name in os.environ}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **passed}


def _run(*words: str, **more: object) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, **more)  # type: ignore[call-overload]

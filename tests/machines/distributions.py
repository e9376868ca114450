"""The machines that are made, and what is installed on each."""

from __future__ import annotations

from dataclasses import dataclass

MIRROR = "http://deb.debian.org/debian"
ON_ALL = (
    "linux-image-amd64", "initramfs-tools", "zstd", "systemd-sysv", "udev", "dbus", "kmod", "apparmor", "sudo",
    "procps", "psmisc", "iproute2", "modemmanager", "network-manager", "nftables", "iptables", "git",
    "make", "python3-venv", "ser2net", "libspandsp2", "libportaudio2",
)  # fmt: skip
"""A bench machine before anybody has thought of the rig, and what the README's first screen needs; the last three are
of the unit tests."""


@dataclass(frozen=True)
class Distribution:
    """``suite`` as the archive at ``mirror`` names it; ``packages`` beside its
    essential ones."""

    name: str
    suite: str
    mirror: str = MIRROR
    packages: tuple[str, ...] = ON_ALL


ALL = (Distribution("debian-12", "bookworm"), Distribution("debian-13", "trixie"))
CLEAN = tuple(Distribution(f"{one.name}-clean", one.suite, one.mirror, ()) for one in ALL)
"""The same before anything is installed."""

"""The kernel of `make kernel`, where it was built: it starts, and has what the lab is for."""

from __future__ import annotations

import pytest

from rig.lab import uml_kernel
from tests.guest.building import rig

needs_it = pytest.mark.skipif(not uml_kernel.built().exists(), reason="make kernel has built none for this user")


@needs_it
def test_a_guest_of_it_has_ppp_and_a_firewall_with_no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(uml_kernel.CHOSEN)
    firewall, modules = "test -c /dev/ppp && iptables-legacy -S FORWARD", "ls /sys/module/*/initstate | wc -l"
    asked = f"cut -d' ' -f3 /proc/version; {firewall}; {modules}"
    done = rig("lab", "run", "--lab", "uml", "--own", "--", "sh", "-c", asked)
    assert done.returncode == 0, done.stderr
    release, policy, count = done.stdout.splitlines()
    assert tuple(map(int, release.split(".")[:2])) >= (6, 16)
    assert (policy, count) == ("-P FORWARD ACCEPT", "0")

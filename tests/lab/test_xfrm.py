"""What the kernel needs for a VPN is there before anybody waits for it."""

from __future__ import annotations

from rig.drivers.ipsec import xfrm
from rig.run.owner import Owner


def test_a_policys_algorithms_are_loaded_and_no_association_is_left() -> None:
    """Catches a Quick Mode that its peer gave up while the kernel looked for modules."""
    with Owner() as owner:
        namespace = owner.namespace("ipsec")
        xfrm.load_algorithms(
            namespace, ("3des-sha1", "aes192-sha512", "aes256-sha256-modp2048", "rot13-sha1", "aes256")
        )
        assert xfrm.left(namespace) == []
    names = xfrm.ALGORITHMS.read_text()
    for name in ("hmac(sha1),cbc(des3_ede)", "hmac(sha512),cbc(aes)", "hmac(sha256),cbc(aes)"):
        assert f": authenc({name})\n" in names

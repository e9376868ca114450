"""The services on a console and its partitions that say whose they are, so that who has reached one knows which."""

from __future__ import annotations

from collections.abc import Sequence

from rig.checks.inbound.representative import PARTITION_PORT
from rig.console.partitions import Partition
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.hosts import named_services
from rig.parts.hosts.named_services import Services
from rig.run.owner import Owner
from rig.run.process import PartnerProcess


def serve_names(owner: Owner, console: NetworkNamespace, ports: Sequence[range], made: Sequence[Partition]) -> None:
    """Start them: on the console's ports of §5.3, and on each partition."""
    listed = tuple(port for each in ports for port in each)
    plan = [
        Services("the console", console.name, listed),
        *(Services(one.name, one.namespace.name, (PARTITION_PORT, 23), str(one.alternate)) for one in made),
    ]
    process = PartnerProcess("services", named_services.main, (plan,), owner.folder / "services.log")
    owner.own(process).wait_ready()

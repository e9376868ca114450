"""What a bench is to labgrid: on the exporter's machine `RigBench`, to a client `NetworkRigBench`."""

from __future__ import annotations

import attr
from labgrid.factory import target_factory
from labgrid.resource.common import NetworkResource, Resource
from rig_farm.sharing import SharedBench

from rig_labgrid.remote import Bench

_text = attr.validators.instance_of(str)


@target_factory.reg_resource
@attr.s(eq=False)
class RigBench(Resource):
    """A bench, as an exporter's configuration has it; its keys are SharedBench's."""

    bench: str = attr.ib(validator=_text)
    rig: str = attr.ib(default="rig", validator=_text)
    partner: str = attr.ib(default="", validator=_text)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.shared = SharedBench(self.bench, self.rig, self.partner)

    def poll(self) -> None:
        """Available while its file and its rig are there."""
        self.avail = self.shared.available


@target_factory.reg_resource
@attr.s(eq=False)
class NetworkRigBench(NetworkResource):
    """A bench on another machine, ``host``, which is reached as labgrid reaches any: by ssh. ``runner``: the program
    there that runs the rig; ``lease``: the file there that says who has the bench."""

    runner: str = attr.ib(validator=_text)
    lease: str = attr.ib(validator=_text)
    bench: str = attr.ib(validator=_text)

    @property
    def there(self) -> Bench:
        """Where it is run, by the way that labgrid has to its host."""
        return Bench(tuple(self.command_prefix), self.runner, self.lease)

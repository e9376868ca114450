"""The places of a farm: which are free, having one, giving it back. By labgrid's own client session."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import grpc
from labgrid.remote.client import ClientSession, start_session
from labgrid.remote.client import Error as ClientError
from labgrid.remote.generated import labgrid_coordinator_pb2 as messages
from labgrid.util.ssh import sshmanager
from rig_farm.errors import FarmError

from rig_labgrid.remote import Bench
from rig_labgrid.resource import NetworkRigBench

COORDINATOR = "127.0.0.1:20408"
CLASS = "NetworkRigBench"


@dataclass(frozen=True)
class Tags:
    """What a place must have: ``modem=*,line=simulator``. A value is a pattern, as of a shell."""

    wanted: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, words: str) -> Tags:
        """Raises FarmError for what is no such list."""
        pairs = [tuple(word.strip().split("=", 1)) for word in words.split(",")]
        if any(len(pair) != 2 or not all(pair) for pair in pairs):
            raise FarmError(f"--place {words}: tags are TAG=PATTERN, with commas between them: modem=*,line=simulator")
        return cls(tuple((tag, pattern) for tag, pattern in pairs))

    def match(self, tags: dict[str, str]) -> bool:
        return all(tag in tags and fnmatchcase(tags[tag], pattern) for tag, pattern in self.wanted)


class Farm:
    """A session with the coordinator that $LG_COORDINATOR names, else one on this machine. For one thread."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    def free(self, tags: Tags) -> list[str]:
        """The names of places that have the tags and that nobody has, or has reserved."""
        self._synchronize()
        return sorted(
            name
            for name, place in self._session.places.items()
            if not place.acquired and not place.reservation and tags.match(place.tags)
        )

    @contextlib.contextmanager
    def had(self, place: str) -> Iterator[Bench]:
        """A place, for the block. Raises FarmError where it cannot be had, or is no bench of rig's."""
        try:
            self._wait_for(self._session.stub.AcquirePlace(messages.AcquirePlaceRequest(placename=place)))
        except grpc.aio.AioRpcError as error:
            raise FarmError(f"{place} is not to be had: {error.details()}") from None
        try:
            self._synchronize()
            yield self._bench(place)
        finally:
            with contextlib.suppress(grpc.aio.AioRpcError):  # it went with its exporter, or with the coordinator
                self._wait_for(self._session.stub.ReleasePlace(messages.ReleasePlaceRequest(placename=place)))

    def _bench(self, place: str) -> Bench:
        try:
            resources = self._session.get_target_resources(self._session.get_place(place))
        except ClientError as error:
            raise FarmError(f"{place}: {error}") from None
        for (_, kind), resource in resources.items():
            if kind == CLASS:
                of_labgrid: dict[str, Any] = {"target": None, "name": None}
                bench = NetworkRigBench(**of_labgrid, **resource.args)
                bench.extra = resource.extra
                return bench.there
        raise FarmError(f"{place} has no bench of rig's: {', '.join(kind for _, kind in resources) or 'nothing'}")

    def _synchronize(self) -> None:
        if not self._session.loop.run_until_complete(self._session.sync_with_coordinator()):
            raise FarmError("the coordinator has gone")

    def _wait_for(self, call: object) -> None:
        async def whole() -> None:
            await call  # type: ignore[misc]

        self._session.loop.run_until_complete(whole())


@contextlib.contextmanager
def farm() -> Iterator[Farm]:
    """Raises FarmError where there is no coordinator."""
    address = os.environ.get("LG_COORDINATOR", COORDINATOR)
    try:
        session = start_session(address)
    except (ClientError, ConnectionError) as error:
        raise FarmError(f"no coordinator at {address}: {error}") from None
    try:
        yield Farm(session)
    finally:
        session.loop.run_until_complete(session.stop())
        session.loop.run_until_complete(session.close())
        sshmanager.close_all()

"""One owner for whatever a run starts: taken down in reverse order, always; and a name by which a run that
was killed is found and cleared by the next one.

A run's folder is /run/rig/NAME, its namespaces are NAME-hmc, NAME-lig and so on. The folder's lock is held
by the run's process: when it is free, the run is gone.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

from rig.drivers.base.errors import CannotRunError
from rig.drivers.base.interruptions import taking_down
from rig.drivers.net import borrowed_interface, namespace
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.serial import locks
from rig.drivers.usb import gadget
from rig.lab import held_folder

FOLDER = Path("/run/rig")
_numbers = itertools.count(1)


class Stoppable(Protocol):
    def stop(self) -> None: ...


_Stoppable = TypeVar("_Stoppable", bound=Stoppable)


class Owner:
    """Takes down what was registered. ``name`` marks everything that belongs to this run.

    Raises CannotRunError when this process may not make what a run needs.
    """

    def __init__(self) -> None:
        clear_leftovers()
        self.name = f"rig{os.getpid()}x{next(_numbers)}"
        self.folder = FOLDER / self.name
        try:
            _, self._lock = held_folder.make(FOLDER, self.name)
        except PermissionError as error:
            raise CannotRunError(f"{self.folder}: {error.strerror}", "run as root, or in the lab: --lab uml") from error
        self._stack = contextlib.ExitStack()
        self._stack.callback(self._forget)

    def _forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    def on_close(self, take_down: Callable[[], None]) -> None:
        """Have ``take_down`` called at the end, before everything that was registered earlier."""
        self._stack.callback(take_down)

    def own(self, thing: _Stoppable) -> _Stoppable:
        """Have a thing stopped at the end."""
        self._stack.callback(thing.stop)
        return thing

    def namespace(self, role: str) -> NetworkNamespace:
        """A new network namespace of this run's, named for its role."""
        made = NetworkNamespace(f"{self.name}-{role}")
        self._stack.callback(made.remove)
        made.create()
        return made

    def close(self) -> None:
        """Take everything down. A second Ctrl-C does not cut this short: it would leave the line up."""
        with taking_down():
            self._stack.close()

    def __enter__(self) -> Owner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def clear_leftovers() -> list[str]:
    """Clear what runs that were killed have left; their names.

    Their processes end by themselves, because each asks the kernel to die with its parent; but for what has become
    another user, which is found by its namespace. What stays is lock files, namespaces, with their links and rules, and
    folders, with their sockets, ports and secrets.
    """
    if not FOLDER.is_dir():
        return []
    cleared = []
    for folder in sorted(FOLDER.iterdir()):
        if held_folder.abandoned(folder):
            for port in folder.glob("tty-*"):
                locks.remove_stale(port.resolve())
            for name in gadget.existing(f"{folder.name}-"):
                gadget.remove(name)
            for name in namespace.existing(f"{folder.name}-"):
                left = NetworkNamespace(name)
                with contextlib.suppress(OSError):  # a file that nothing is mounted on has no interfaces
                    borrowed_interface.give_back(left)
                left.end_processes()
                left.remove()
            shutil.rmtree(folder, ignore_errors=True)
            cleared.append(folder.name)
    return cleared

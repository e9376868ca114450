"""The command line: one module a command. ``rig --help`` lists them."""

from rig.cli.main import main

__all__ = ["main"]

"""Benches of rig in a labgrid farm: exported while they are shared, run where they stand, their results brought home.

For an environment's ``imports``: the resource, the driver and the strategy are known to labgrid once this is imported.
"""

from rig_labgrid.driver import RigBenchDriver
from rig_labgrid.resource import NetworkRigBench
from rig_labgrid.strategy import RigBenchStrategy

__all__ = ["NetworkRigBench", "RigBenchDriver", "RigBenchStrategy"]

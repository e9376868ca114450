"""What this machine can run, what is missing, and the command that mends it."""

from rig.doctor.examination import Examination, examine
from rig.doctor.finding import Finding, State

__all__ = ["Examination", "Finding", "State", "examine"]

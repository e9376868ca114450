"""The configuration that the rig comes with: in a checkout the folder at its top, which rig/ links to."""

from pathlib import Path

HW_CONFIG = (Path(__file__).resolve().parents[1] / "hw-config").resolve()

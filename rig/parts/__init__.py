"""The far ends that the rig stands in for, each a process of its own, and independent of the others."""

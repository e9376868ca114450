"""The far ends that the rig stands in for: telephone exchange, modems, LIG, service hosts."""

"""The ways home (§2.1), each a Path: opened, it is an Up, which checks, probes and reports work with."""

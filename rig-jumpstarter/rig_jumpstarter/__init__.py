"""Benches of rig shared by jumpstarter: run where they stand, their results brought home."""

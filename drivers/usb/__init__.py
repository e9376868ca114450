"""USB devices in software."""

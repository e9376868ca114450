"""The side that calls home, whatever way it takes: its namespace, its own firewall, the systems behind it."""

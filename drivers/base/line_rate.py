"""How many bits a byte takes on an asynchronous line."""

BITS_A_BYTE = 10
"""Start, eight bits, stop."""

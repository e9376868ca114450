"""LCP and its framing (RFC 1661, RFC 1662), group by group."""

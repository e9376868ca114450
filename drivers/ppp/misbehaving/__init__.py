"""PPP peers that misbehave, on purpose: a gateway's ways, and a caller's, each a table."""

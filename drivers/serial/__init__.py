"""Serial ports: which there are, who has them, and a line on one, here or behind a terminal server."""

"""Consoles beside each other (§5.4): they find each other, and speak by TLS."""

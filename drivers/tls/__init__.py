"""TLS as a client, and what of it is acceptable."""

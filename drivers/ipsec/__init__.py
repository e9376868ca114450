"""IKE and ESP: strongSwan's charon, driven by its vici protocol."""

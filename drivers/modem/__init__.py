"""Modems: what they say (V.250), who they are, and a call on one."""

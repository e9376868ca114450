"""Conformance by number: what the RFCs say of a PPP peer, each sentence a case that is held against a device."""

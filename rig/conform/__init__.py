"""Conformance by number: what a standard says, each sentence a case that is held against a device."""

"""A PPP peer of our own, without I/O: bytes and time in, bytes and events out, every step under a script's control. It
carries no calls, which pppd does; it says exactly what another peer did, and plays one."""

"""Probes of a fence: what is sent through it, what arrived, and whether that is as declared.

outward.py, inward.py and own_firewall.py derive the probes from the fence file and the session's addresses,
packets.py makes their packets, observer.py watches both sides, engine.py sends and compares, run.py runs them all.
"""

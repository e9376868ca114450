"""Probes of a fence: what is sent through it, what arrived, and whether that is as declared.

matrix.py derives the probes from the fence file, packets.py makes them, observer.py watches both sides,
engine.py sends and compares.
"""

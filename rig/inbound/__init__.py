"""Inbound calls (the paper's §2.2.1): a service representative dials in, once.

credentials.py says with what, arming.py that it is once, firewall.py and partitions.py what the caller reaches,
answering.py is the near end that takes the call, representative.py the caller who verifies it, job.py both together.
"""

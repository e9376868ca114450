"""What a gateway's rules let through, all of it: computed from the rules, and compared with what is declared.

Probes show what they send; a proof is about every header there is, and about the rules alone. Each checks the other:
what a proof finds is sent as a probe, and what a probe was met with is what the rules say of it.
"""

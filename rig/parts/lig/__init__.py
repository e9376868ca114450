"""The gateway (LIG, §3.1): it answers, authenticates, assigns an address, fences."""

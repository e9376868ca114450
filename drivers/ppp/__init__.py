"""pppd, held until a call connects, and what it says."""

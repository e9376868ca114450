"""One run: who owns what it starts, what it shows and records, and the processes beside it."""

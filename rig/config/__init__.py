"""What the user has written: benches, fences, secrets, and what is wrong with them."""

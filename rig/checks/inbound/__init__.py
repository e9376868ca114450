"""What a caller may reach of an answering side (§2.2.1), and what not."""

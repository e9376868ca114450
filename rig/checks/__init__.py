"""What is held against a way home that is up."""

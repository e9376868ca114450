"""What was found, for a program to read: its keys are the command line's contract."""

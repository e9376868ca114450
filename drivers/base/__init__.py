"""What every driver stands on: errors, waits and interruptions, programs, system calls, tables of data."""

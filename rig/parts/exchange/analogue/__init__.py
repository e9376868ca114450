"""Lines that carry sound: telephone exchange, impairments, and modems that hear each other."""

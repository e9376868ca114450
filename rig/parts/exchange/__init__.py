"""The emulated telephone network: exchange, lines, soft modems."""

"""A modem held to V.250, case by case."""

"""The service centre: takes what calls home, whole or not at all, and says what it has."""

"""The map that a panel shows, as it fills in behind each step."""

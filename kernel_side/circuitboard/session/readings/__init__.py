"""What a panel reads of one component or of two states, given away to whatever is newer."""

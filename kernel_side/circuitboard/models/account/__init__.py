"""What a model was when a board measured it, and what is another since."""

"""Whether the board's numbers can be trusted: the model is watched, and checks compare with the user's model itself."""

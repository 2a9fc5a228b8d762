"""What a board and its views say to each other, and how it is written on the wire."""

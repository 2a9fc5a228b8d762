"""The form that makes a board: what can be chosen, what is asked, and the code that it writes."""

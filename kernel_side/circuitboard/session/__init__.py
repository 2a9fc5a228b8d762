"""The conversation between a panel and its board: what is asked, what is answered, what is told unasked."""

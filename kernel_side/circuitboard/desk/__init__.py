"""What a board works with: the bench that measures, the timeline of its steps, its maps and its checks."""

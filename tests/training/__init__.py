"""Training, on tiny pictures."""

"""Real browsers, with a file as their camera."""

"""Photos on disk: finds, checks, loads and splits them, and tells near-duplicates."""

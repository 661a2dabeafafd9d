"""One training run: its options, the data it reads, the state it can be resumed from, and what it says of itself."""

"""Photos on disk: found, checked, loaded, split, and near-duplicates told."""

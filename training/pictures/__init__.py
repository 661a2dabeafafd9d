"""What the network is shown: augmented photos, cut-out items before other backgrounds, views of nothing."""

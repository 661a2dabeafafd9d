"""What the product promises, held to it."""

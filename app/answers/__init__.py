"""Counting the kiosk's answers: where the counts are kept, how they are shown, and who may see them."""
